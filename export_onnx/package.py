"""What the workshop writes bundles with; the writer needs no torch, so that the node's own commands have it too."""

from inference.bundle_writer import npz, write

__all__ = ["npz", "write"]
