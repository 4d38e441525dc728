"""Any CLIPModel folder of Hugging Face as a `tumour-localiser` bundle: trained decoder or zero-shot, with proof."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from export_onnx import localiser_bundle
from export_onnx.checkpoint import Checkpoint
from export_onnx.localiser_bundle import Parts
from export_onnx.models.localiser import LocaliserMaps
from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.recipes.clip_tokenizer import tokenizer_of
from export_onnx.recipes.clip_weights import MEAN, STD, Clip, clip_of, localiser_of
from export_onnx.recipes.declaration import Declaration
from inference.bundle import Bundle
from inference.concept import Concept
from inference.inputs import Inputs
from inference.language.prompts import Prompts
from inference.manifests.identity import HashedFile, Limits, TrainingRun
from inference.manifests.localiser import InGraph
from inference.outputs import Calibration, FindingSpec, SegmentSpec

_ABNORMAL = Concept(scheme="SCT", value="49755003", meaning="Morphologically Abnormal Structure")
_NEOPLASM = Concept(scheme="SCT", value="108369006", meaning="Neoplasm")
_BRAIN = Concept(scheme="SCT", value="12738006", meaning="Brain")

INPUTS = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T1",),
    min_slices=5,
    min_matrix=96,
    min_extent_mm=50.0,
)
"""Which series such a bundle reads unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """What a checkpoint does not say.

    Attributes
    ----------
    decoder
        safetensors of a trained decoder, as `clip_weights.localiser_of` reads it; None: zero-shot.
    image_size
        Edge of the image, pixels; None: as the checkpoint has it.
    prompts
        Texts of normal and of abnormal.
    threshold, min_peak
        Of the segment, as `inference.outputs.SegmentSpec` has them.
    inputs
        Which series the bundle reads.
    image_calibration
        Of the score of a slice; None: it is no probability.
    run
        The run that made the decoder, where this workshop made it.
    """

    decoder: Path | None = None
    image_size: int | None = None
    prompts: Prompts = PROMPTS
    threshold: float = 0.5
    min_peak: float = 0.0
    inputs: Inputs = INPUTS
    image_calibration: Calibration | None = None
    run: TrainingRun | None = None


def export(folder: Path, out: Path, declaration: Declaration, options: ClipOptions) -> Bundle:
    """Read a checkpoint, export it, prove it and write the bundle.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, the decoder does not fit,
        or there is no tokenizer that can be read.
    ParityError
        If ONNX Runtime does not compute what torch computes.
    BundleError
        If a prompt is longer than the text tower takes.
    """
    checkpoint = Checkpoint.read(folder)
    clip = clip_of(checkpoint, options.image_size)
    localiser = localiser_of(clip, options.decoder)
    tokenizer, files = tokenizer_of(folder, clip.vocabulary, clip.positions)
    parts = Parts(
        maps=LocaliserMaps(localiser).eval(),
        text=clip.text,
        text_inputs=("input_ids",),
        tokenizer=tokenizer,
        max_length=clip.positions,
        vocabulary=clip.vocabulary,
        image=clip.image,
        joint=clip.joint,
        prompts=options.prompts,
    )
    declared = declaration.values(checkpoint, "hf-clip", *files)
    if options.decoder is not None:
        source = declared["source_checkpoint"]
        declared["source_checkpoint"] = source.model_copy(update={"files": (*source.files, _hashed(options.decoder))})
    values = {
        **declared,
        "algorithm": "tumour-localiser",
        "inputs": options.inputs,
        "stages": clip.vision.stages,
        "decoder": "zero-shot" if options.decoder is None else "trained",
        "in_graph": InGraph(channels=3, mean=MEAN, std=STD),
        "segments": (_segment(options),),
        "findings": (_finding(),),
        "image_calibration": options.image_calibration,
        "training_run": options.run,
        "limits": Limits(max_voxels=2000 * clip.image * clip.image),
    }
    return localiser_bundle.write(parts, values, out, {"MODEL_CARD.md": _card(declaration, clip, options).encode()})


def _segment(options: ClipOptions) -> SegmentSpec:
    return SegmentSpec(
        number=1,
        channel=0,
        label="Abnormal region",
        category=_ABNORMAL,
        type=_NEOPLASM,
        anatomy=_BRAIN,
        color=(240, 90, 40),
        threshold=options.threshold,
        min_peak=options.min_peak,
    )


def _finding() -> FindingSpec:
    return FindingSpec(
        segment=1, label="tumour", code=_NEOPLASM, site=_BRAIN, probability_from="max", laterality="midline"
    )


def _hashed(path: Path) -> HashedFile:
    return HashedFile(path=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _card(declaration: Declaration, clip: Clip, options: ClipOptions) -> str:
    """What is known of the bundle before anybody has evaluated it."""
    stages = ", ".join(str(stage) for stage in clip.vision.stages)
    if options.decoder is None:
        how = (
            "Zero-shot: no decoder has been trained. Patches go through CLIP's own last normalisation and projection,\n"
            "which were learnt for whole images; expect coarse and unreliable maps."
        )
    else:
        how = f"With a trained decoder, `{options.decoder.name}`."
    normal, abnormal = len(options.prompts.normal), len(options.prompts.abnormal)
    return (
        f"# {declaration.title}\n\n"
        f"Patches after blocks {stages} of a CLIP ({clip.image} x {clip.image} pixels, patches of {clip.patch}) are\n"
        f"compared with {normal} texts of a normal and {abnormal} of an abnormal brain.\n"
        f"{how}\n\n"
        "Nothing is calibrated: scores are an order, not probabilities. No figures are known; `dicom-node evaluate`\n"
        f"takes them. Licence of the weights: {declaration.licence.name}, clinical use: "
        f"{declaration.licence.clinical_use}.\n"
    )
