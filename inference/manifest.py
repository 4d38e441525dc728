"""bundle.json: what a bundle is, reads, runs and says, valid once made; knows no folder and no ONNX Runtime."""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from inference.manifests.judge import JudgeManifest
from inference.manifests.lesions import LesionsManifest
from inference.manifests.localiser import LocaliserManifest
from inference.manifests.report import ReportManifest
from inference.manifests.segment import SegmentManifest
from inference.manifests.talk import DialogueManifest, VolumeReportManifest

Manifest = Annotated[
    SegmentManifest
    | LocaliserManifest
    | LesionsManifest
    | ReportManifest
    | DialogueManifest
    | VolumeReportManifest
    | JudgeManifest,
    Field(discriminator="algorithm"),
]
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
