"""What bundle.json of ccm-or-aih says; the network, the temperature and the figures come from the training."""

from pathlib import Path

from torch import nn

from export_onnx.training.bleeding_cohort import NEIGHBOURS, SIDE, SPACING_MM, UPPER
from export_onnx.training.bleeding_fit import SIZE_MM, Plan
from export_onnx.training.record import LEARNING, TEMPLATE_LICENCE, checkpoint, exporter
from inference.concept import Concept
from inference.fusion import Fusion
from inference.graph import Graph, Tensor
from inference.inputs import Inputs
from inference.manifests.identity import BundleReference, Limits, Parity, TrainingRun
from inference.manifests.lesions import CropSpec, LesionClass, LesionsManifest, SizeSpec

NAME, VERSION = "ccm-or-aih", "0.1.0"
GRAPH = "graphs/classify.onnx"

LEAST_CLASS_PROBABILITY = 0.7
"""Below it a candidate stays a lesion without a class; declared, not fitted."""

ADULT_YEARS = 18.0
"""The standard head is an adult's, and the grey values that were drawn are those of an adult brain."""

# PS3.16 has neither, so both are given in full
_CLASSES = (
    LesionClass(label="ccm", code=Concept(scheme="SCT", value="416824008", meaning="Cavernous hemangioma")),
    LesionClass(label="aih", code=Concept(scheme="SCT", value="274100004", meaning="Cerebral hemorrhage")),
)
_INPUTS = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T2",),
    contrast_agent=False,
    min_slices=15,
    min_matrix=96,
    max_spacing_mm=6.0,
    min_extent_mm=90.0,
    min_age_years=ADULT_YEARS,
)


def graph() -> Graph:
    """The one graph: any number of crops and their sizes to logits."""
    return Graph(
        role="classify",
        file=GRAPH,
        inputs=(
            Tensor(name="crop", dtype="float32", shape=(None, 2 * NEIGHBOURS + 1, SIDE, SIDE)),
            Tensor(name="size", dtype="float32", shape=(None, 1)),
        ),
        outputs=(Tensor(name="logits", dtype="float32", shape=(None, 2)),),
        activation="softmax",
    )


def manifest(  # each a part of the run's record
    network: nn.Module,
    *,
    plan: Plan,
    weights: Path,
    run: tuple[str, str],
    extractor: BundleReference,
    temperature: float,
    fusion: Fusion,
) -> LesionsManifest:
    """bundle.json without metrics.

    Parameters
    ----------
    network, weights
        Trained, and the file that holds its state.
    plan
        How it was trained.
    run
        The command, and what it learnt from, in words.
    extractor
        The bundle that finds the brain.
    temperature, fusion
        Fitted on validation.
    """
    command, data = run
    return LesionsManifest(
        schema_version=1,
        name=NAME,
        version=VERSION,
        title="Cavernous malformation or acute haemorrhage on T2-weighted MR; technical demonstration",
        algorithm="brain-lesions",
        source="dicom-node",
        family=LEARNING,
        licence=TEMPLATE_LICENCE,
        training="synthetic-findings",
        source_checkpoint=checkpoint(
            f"LesionViT(width={plan.sizes.width}, blocks={plan.sizes.blocks}, patch={plan.sizes.patch})", weights
        ),
        training_run=TrainingRun(
            command=command,
            seed=plan.schedule.seed,
            data=data,
            parameters=sum(p.numel() for p in network.parameters()),
            iterations=plan.schedule.iterations,
        ),
        exporter=exporter(),
        inputs=_INPUTS,
        extractor=extractor,
        crop=CropSpec(side=SIDE, neighbours=NEIGHBOURS, spacing_mm=SPACING_MM, upper=UPPER),
        size=SizeSpec(lower_mm=SIZE_MM[0], upper_mm=SIZE_MM[1]),
        graphs=(graph(),),
        classes=_CLASSES,
        temperature=temperature,
        least_class_probability=LEAST_CLASS_PROBABILITY,
        unnamed=Concept(scheme="SCT", value="52988006", meaning="Lesion"),
        patient_rule="max",
        fusion=fusion,
        limits=Limits(max_voxels=60_000_000, max_findings=20),
        parity=Parity(atol=1e-4),
    )
