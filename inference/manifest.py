"""bundle.json: what a bundle is, reads, runs and says, valid once made; knows no folder and no ONNX Runtime."""

from typing import Any

from pydantic import TypeAdapter

from inference.manifests.segment import SegmentManifest

Manifest = SegmentManifest
"""One of the kinds, told apart by its `algorithm`."""

_ANY: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def from_json(text: str) -> Manifest:
    """bundle.json's text as a manifest.

    Raises
    ------
    pydantic.ValidationError
        If a key is unknown or missing, a value does not fit, or the parts do not agree.
    """
    return _ANY.validate_json(text)


def from_values(values: dict[str, Any]) -> Manifest:
    """The same from parsed values."""
    return _ANY.validate_python(values)
