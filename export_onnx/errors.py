"""What can go wrong in the workshop before anything is written.

ExportError
  CheckpointError   the checkpoint is incomplete, of another kind, or not what its configuration says: get another one
"""


class ExportError(Exception):
    """Root of the errors of `export_onnx` that the command line tells in one sentence."""


class CheckpointError(ExportError):
    """The checkpoint is incomplete, of another architecture, or holds other tensors than the network needs."""
