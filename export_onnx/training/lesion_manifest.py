"""What bundle.json of lesion-segmenter says; the network and the figures come from the training."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from export_onnx.training.fit import Plan
from export_onnx.training.record import BRAIN, LEARNING, TEMPLATE_LICENCE, checkpoint, exporter
from inference import operations as ops
from inference.concept import Concept
from inference.graph import Graph, Slices, Tensor
from inference.inputs import Inputs
from inference.manifests.identity import Limits, Parity, TrainingRun
from inference.manifests.segment import SegmentManifest
from inference.outputs import FindingSpec, SegmentSpec

NAME, VERSION = "lesion-segmenter", "0.1.0"
GRAPH = "graphs/segment.onnx"
SPACING_MM = 2.0
THRESHOLD = 0.5
"""Of a voxel: the network is sure on both sides of a border; another value would move the border on a finer grid."""

PREPROCESS: tuple[ops.Operation, ...] = (
    ops.Orient(code="HPL", reformat=True),
    ops.Resample(spacing_mm=(SPACING_MM,) * 3, antialias=True),
    ops.WindowPercentile(lower=1.0, upper=99.5, scope="volume", foreground=True),
    ops.PadMultiple(of=(1, 16, 16), value=0.0),
)

_LESION = Concept(scheme="SCT", value="52988006", meaning="Lesion")
_INPUTS = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN"),
    weighting=("T1",),
    min_slices=20,
    min_matrix=64,
    max_spacing_mm=4.0,
    min_extent_mm=100.0,
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in: patients by seed, and the training plan."""

    training: range
    validation: range
    test: range
    widths: tuple[int, ...]
    plan: Plan


def graph(setting: Setting) -> Graph:
    """The one graph: slices of any size and number, probabilities of the same size."""
    channels = 2 * setting.plan.neighbours + 1
    return Graph(
        role="segment",
        file=GRAPH,
        inputs=(Tensor(name="image", dtype="float32", shape=(None, channels, None, None)),),
        outputs=(Tensor(name="probability", dtype="float32", shape=(None, 1, None, None)),),
        activation="none",
    )


def manifest(
    network: nn.Module, setting: Setting, weights: Path, command: str, chosen: tuple[float, float]
) -> SegmentManifest:
    """bundle.json without metrics.

    Parameters
    ----------
    network, weights
        Trained, and the file that holds its state.
    setting, command
        How it was trained.
    chosen
        Least peak, and least volume in mm3.
    """
    return SegmentManifest(
        schema_version=1,
        name=NAME,
        version=VERSION,
        title="Lesions of the brain on T1-weighted MR; technical demonstration, trained on synthetic heads",
        algorithm="segment",
        source="dicom-node",
        family=LEARNING,
        licence=TEMPLATE_LICENCE,
        training="synthetic-findings",
        source_checkpoint=checkpoint(f"UNet{setting.widths}", weights),
        training_run=_run(network, setting, command),
        exporter=exporter(),
        inputs=_INPUTS,
        preprocess=PREPROCESS,
        tiling=Slices(neighbours=setting.plan.neighbours, edge="repeat", batch=8),
        graphs=(graph(setting),),
        segments=(_segment(*chosen),),
        findings=(
            FindingSpec(
                segment=1, label="lesion", code=_LESION, site=BRAIN, probability_from="mean", laterality="midline"
            ),
        ),
        limits=Limits(max_voxels=20_000_000, max_findings=20),
        parity=Parity(atol=1e-4),
    )


def _segment(least_peak: float, least_volume_mm3: float) -> SegmentSpec:
    return SegmentSpec(
        number=1,
        channel=0,
        label="Lesion",
        category=Concept(scheme="SCT", value="49755003", meaning="Morphologically Abnormal Structure"),
        type=_LESION,
        anatomy=BRAIN,
        color=(230, 60, 60),
        threshold=THRESHOLD,
        min_volume_mm3=least_volume_mm3,
        min_peak=least_peak,
    )


def _run(network: nn.Module, setting: Setting, command: str) -> TrainingRun:
    return TrainingRun(
        command=command,
        seed=setting.plan.seed,
        data=(
            f"synthetic heads by seed: training {_span(setting.training)}, validation {_span(setting.validation)}, "
            f"test {_span(setting.test)}; grown from the ICBM 2009a template (MNI/McGill licence, see NOTICE)"
        ),
        parameters=sum(p.numel() for p in network.parameters()),
        iterations=setting.plan.iterations,
    )


def _span(seeds: range) -> str:
    return f"{seeds.start} to {seeds.stop - 1}"
