"""What bundles trained here say alike: of their weights, of who exported them, of the standard head they grew from."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import onnx
import torch

from export_onnx import graphs
from inference.concept import Concept
from inference.manifests.identity import Exporter, HashedFile, Licence, SourceCheckpoint

MADE_AT = datetime(2026, 11, 22, tzinfo=UTC)
"""Declared, so that the same run gives the same bundle."""

BRAIN = Concept(scheme="SCT", value="12738006", meaning="Brain")
LEARNING = Concept(scheme="DCM", value="123110", meaning="Artificial Intelligence")

TEMPLATE_LICENCE = Licence(
    name="Apache-2.0",
    url="https://www.apache.org/licenses/LICENSE-2.0",
    clinical_use="research",
    restrictions="Grown from the ICBM 2009a template: keep its copyright notice (NOTICE). Not for diagnosis.",
)


def checkpoint(architecture: str, weights: Path) -> SourceCheckpoint:
    """The weights as torch kept them."""
    return SourceCheckpoint(
        format="dicom-node-native",
        architecture=architecture,
        files=(HashedFile(path=weights.name, sha256=hashlib.sha256(weights.read_bytes()).hexdigest()),),
    )


def exporter() -> Exporter:
    """This workshop."""
    return Exporter(
        tool="export-onnx", torch=torch.__version__, onnx=onnx.__version__, opset=graphs.OPSET, made_at=MADE_AT
    )
