"""What bundle.json of brain-extractor says: series, preprocessing, codes, licence; no figures."""

from pathlib import Path

from torch import nn

from export_onnx.training.brain_contrast import HU
from export_onnx.training.record import BRAIN, LEARNING, TEMPLATE_LICENCE, checkpoint, exporter
from inference import operations as ops
from inference.concept import Concept
from inference.graph import Graph, Tensor, Whole
from inference.inputs import Inputs
from inference.manifests.identity import Limits, Parity, TrainingRun
from inference.manifests.segment import SegmentManifest
from inference.outputs import FindingSpec, SegmentSpec

NAME, VERSION = "brain-extractor", "0.1.0"
GRAPH = "graphs/segment.onnx"

_ANATOMICAL_STRUCTURE = Concept(scheme="SCT", value="91723000", meaning="Anatomical Structure")

PREPROCESS: tuple[ops.Operation, ...] = (
    ops.Clip(lower=HU[0], upper=HU[1], modality="CT"),
    ops.Orient(code="HPL", reformat=True),
    ops.Resample(spacing_mm=(2.0, 2.0, 2.0), antialias=True),
    ops.WindowPercentile(lower=0.5, upper=99.5, scope="volume", foreground=False),
    ops.PadMultiple(of=(16, 16, 16), value=0.0),
)
"""The patient's axes, 2 mm, and the brightness of the scan itself."""

INPUTS = Inputs(
    modality=("MR", "CT"),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T1", "T2", "FLAIR", "T2*", "CT"),
    min_slices=15,
    min_matrix=96,  # functional, diffusion and localiser images lie below
    max_spacing_mm=8.0,
    min_extent_mm=90.0,  # less cannot hold most of a brain
)


def graph() -> Graph:
    """A volume whose axes are multiples of 16."""
    return Graph(
        role="segment",
        file=GRAPH,
        inputs=(Tensor(name="image", dtype="float32", shape=(1, 1, None, None, None)),),
        outputs=(Tensor(name="probability", dtype="float32", shape=(1, 1, None, None, None)),),
        activation="none",
    )


def manifest(
    network: nn.Module, *, threshold: float, architecture: str, weights: Path, run: TrainingRun
) -> SegmentManifest:
    """bundle.json, without metrics."""
    return SegmentManifest(
        schema_version=1,
        name=NAME,
        version=VERSION,
        title="Brain on MR of any contrast and on CT",
        algorithm="segment",
        source="dicom-node",
        family=LEARNING,
        licence=TEMPLATE_LICENCE,
        training="synthetic-appearance",
        source_checkpoint=checkpoint(architecture, weights),
        training_run=run,
        exporter=exporter(),
        inputs=INPUTS,
        preprocess=PREPROCESS,
        tiling=Whole(),
        graphs=(graph(),),
        segments=(
            SegmentSpec(
                number=1,
                channel=0,
                label="Brain",
                category=_ANATOMICAL_STRUCTURE,
                type=BRAIN,
                color=(90, 170, 255),
                threshold=threshold,
                only_largest=True,
            ),
        ),
        findings=(FindingSpec(segment=1, label="brain", code=BRAIN, probability_from="mean", laterality="none"),),
        limits=Limits(max_voxels=8_000_000, max_findings=1),
        parity=Parity(atol=1e-4),
    )
