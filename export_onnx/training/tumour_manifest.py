"""What bundle.json of the tumour bundles says alike: series, preprocessing, codes, licence; no figures."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from export_onnx.training.choice import Choice
from export_onnx.training.loop import Schedule
from export_onnx.training.record import BRAIN, LEARNING, checkpoint, exporter
from inference import operations as ops
from inference.concept import Concept
from inference.graph import Graph, Slices, Tensor
from inference.inputs import Inputs
from inference.manifests.identity import Licence, Limits, Parity, TrainingRun
from inference.manifests.segment import SegmentManifest
from inference.outputs import ClassSpec, FindingSpec, SegmentSpec

KINDS = ("glioma", "meningioma", "pituitary")
"""Labels of the data, in the order of the network's classes."""

GRAPH = "graphs/segment.onnx"

# PS3.16 does not have these, so each is given in full
CODES = (
    Concept(scheme="SCT", value="393564001", meaning="Glioma"),
    Concept(scheme="SCT", value="302820008", meaning="Intracranial meningioma"),
    Concept(scheme="SCT", value="254956000", meaning="Pituitary adenoma"),
)
"""Of each kind."""
NEOPLASM = Concept(scheme="SCT", value="108369006", meaning="Neoplasm")
_ABNORMAL = Concept(scheme="SCT", value="49755003", meaning="Morphologically Abnormal Structure")

SOURCES = (
    "contrast T1 slices with tumour: Cheng, brain tumor dataset, figshare 1512427 v5 (CC BY 4.0); slices without: "
    "Nickparvar, Brain Tumor MRI Dataset, Kaggle (CC0 as published there; where these images first came from is not "
    "documented)"
)

LICENCE = Licence(
    name="Apache-2.0",
    url="https://www.apache.org/licenses/LICENSE-2.0",
    clinical_use="research",
    restrictions="Learnt from Cheng's brain tumor dataset (CC BY 4.0): name it. Not for diagnosis.",
)

INPUTS = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T1",),
    contrast_agent=True,
    min_slices=5,
    min_matrix=128,
    max_spacing_mm=10.0,
    min_extent_mm=15.0,  # a localiser has fewer slices; a slab around a tumour is read
)


def preprocess(size: int) -> tuple[ops.Operation, ...]:
    """Each slice by itself, in whatever plane it was cut, as it is looked at; `size` rows and columns."""
    return (
        ops.Display(),
        ops.CropForeground(margin_mm=5.0),
        ops.WindowPercentile(lower=1.0, upper=98.0, scope="slice", foreground=False),
        ops.PadSquare(value=0.0),
        ops.Resize(shape=(None, size, size), antialias=True),
    )


def graph() -> Graph:
    """Slices of any number, and of rows and columns the network takes; tumour first, then each kind given tumour."""
    return Graph(
        role="segment",
        file=GRAPH,
        inputs=(Tensor(name="image", dtype="float32", shape=(None, 1, None, None)),),
        outputs=(Tensor(name="probability", dtype="float32", shape=(None, 1 + len(KINDS), None, None)),),
        activation="none",
    )


def segment(choice: Choice) -> SegmentSpec:
    """The tumour's segment."""
    return SegmentSpec(
        number=1,
        channel=0,
        label="Tumour",
        category=_ABNORMAL,
        type=NEOPLASM,
        anatomy=BRAIN,
        color=(240, 90, 40),
        threshold=choice.threshold,
        min_peak=choice.least_peak,
    )


def finding(choice: Choice) -> FindingSpec:
    """Each tumour with its kind."""
    return FindingSpec(
        segment=1,
        label="tumour",
        code=NEOPLASM,
        site=BRAIN,
        probability_from="max",
        laterality="midline",
        classes=tuple(
            ClassSpec(label=label, code=code, channel=channel)
            for channel, (label, code) in enumerate(zip(KINDS, CODES, strict=True), start=1)
        ),
        temperature=choice.temperature,
    )


def segmenter_manifest(  # each a part of the run's record
    network: nn.Module,
    *,
    size: int,
    choice: Choice,
    architecture: str,
    weights: Path,
    run: TrainingRun,
) -> SegmentManifest:
    """bundle.json of tumour-segmenter, without metrics."""
    return SegmentManifest(
        schema_version=1,
        name="tumour-segmenter",
        version="0.1.0",
        title="Enhancing tumour of the brain on contrast T1-weighted MR, and whether glioma, meningioma or pituitary",
        algorithm="segment",
        source="dicom-node",
        family=LEARNING,
        licence=LICENCE,
        training="real",
        source_checkpoint=checkpoint(architecture, weights),
        training_run=run,
        exporter=exporter(),
        inputs=INPUTS,
        preprocess=preprocess(size),
        tiling=Slices(batch=8),
        graphs=(graph(),),
        segments=(segment(choice),),
        findings=(finding(choice),),
        limits=Limits(max_voxels=60_000_000, max_findings=20),
        parity=Parity(atol=1e-4),
    )


def training_run(network: nn.Module, schedule: Schedule, command: str, divided: Sequence[str]) -> TrainingRun:
    """Which run made the weights; `divided` says how the data were split, a sentence for each part."""
    return TrainingRun(
        command=command,
        seed=schedule.seed,
        data="; ".join((SOURCES, *divided)),
        parameters=sum(p.numel() for p in network.parameters()),
        iterations=schedule.iterations,
    )
