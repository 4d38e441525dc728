"""Model cards of the tumour bundles, in Markdown; every figure in them is taken from what `evaluate` gave."""

from collections.abc import Mapping
from typing import Any

from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.training.card import figures_table
from inference.manifests.identity import TrainingRun
from inference.manifests.localiser import LocaliserManifest
from inference.manifests.segment import SegmentManifest

_SEGMENTER = """# {title}

**RESEARCH USE.** {name} {version}, training: `{training}`. Not a medical device, and not for diagnosis.

| | |
|---|---|
| reads | contrast T1-weighted MR of the head, slices of any plane, at most {max_spacing:g} mm apart |
| gives | segment "{label}", and for each region volume, axes, side and kind |
| kinds | glioma, meningioma, pituitary adenoma, each with its probability |
| network | {architecture}, {parameters:,} weights, each slice by itself at {size} x {size} |
| a pixel is marked | from a probability of {threshold:g} on the scan's own grid, chosen on validation |
| a region is kept | with a pixel of {peak:g} or more, chosen on validation |
| probability of a kind | temperature {temperature:g}, fitted on validation; below {least_class:g} no kind is named |
| torch against ONNX Runtime | at most {atol:.0e} apart, checked wherever the bundle is opened |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
{files}
"""

_LOCALISER = """# {title}

**RESEARCH USE.** {name} {version}, training: `{training}`. Not a medical device, and not for diagnosis.

{made}

| | |
|---|---|
| reads | contrast T1-weighted MR of the head, slices of any plane, at most {max_spacing:g} mm apart |
| gives | a probability that a slice shows tumour, a map, segment "{label}", volume, axes, side |
| network | {architecture}; {parameters:,} weights{network} |
| a pixel is marked | from a probability of {threshold:g} on the scan's own grid, chosen on validation |
| a region is kept | with a pixel of {peak:g} or more, chosen on validation |
| score of a slice | Platt scaling, slope {slope:g}, intercept {intercept:g}, fitted on validation |
| texts | may be changed without training: `dicom-node models prompts` |
| torch against ONNX Runtime | at most {atol:.0e} apart, checked wherever the bundle is opened |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
{files}
"""

_ADAMW = "AdamW with cosine decay in bfloat16, the running mean of the weights kept"

_FROM_NOTHING = """\
BrainMRI-GPT's architecture, learnt from nothing: patches of each slice are compared, after blocks {stages} of a vision
transformer, with the mean of {texts} texts of what is normal and of what is not. No weights of CLIP are in it."""

_OVER_CLIP = """\
BrainMRI-GPT's recipe as published: patches of each slice are compared, after blocks {stages} of the vision tower of a
CLIP, with the mean of {texts} texts of what is normal and of what is not. Both towers are those of the checkpoint; one
decoder for each stage has learnt (Linear, LeakyReLU, Linear), with focal loss and Dice. The score of a slice is CLIP's
own for the whole image: nothing of it was learnt but its scaling."""

_REST = """## Figures

Patients that were neither learnt from nor chosen on: one fold of the data, looked at once, through the reader a node
uses. Written by

    dicom-node evaluate {name} DATA/brain-tumour-t1c DATA/brain-no-tumour --fold {fold} --json
    dicom-node evaluate {name} DATA/brain-tumour-progression --json

Intervals are the 95 % percentile bootstrap over patients (1,000 replicates). Baselines: a reader that marks nothing,
one that always names the commonest kind, and for the image score of both folders together one that knows nothing but
which folder a picture comes from. The folder without tumours comes from another source, so that the figures with it
measure the source in part; those of `{with_tumour}` alone do not. The volumes of `brain-tumour-progression` come from a
third hospital; every slice is counted, so that their image score compares slices of the same scans.

{tables}

## Training

{data}. Seed {seed}, {iterations:,} steps of {optimiser}.
{took} Repeated by

    {command}

## Limits

- One hospital group's scans of three kinds of tumour (Nanfang and Tianjin, 2005 to 2010). Metastases, lymphoma, abscess
  and infarct were never seen and will be called one of the three where they enhance.
- Slices of these data were picked because they show a tumour: how often healthy slices of a contrast series are marked
  is known from few scans (see the volumes in the figures, where given).
- Masks were drawn by hand around the enhancing mass, with necrosis inside and without oedema.
- The pictures without tumour are of unknown origin, of every contrast, and some show other disease.
- Figures from pictures are in pixels: the data lost their millimetres. In a study they come from DICOM.
"""


def segmenter_card(manifest: SegmentManifest, figures: Mapping[str, Any], *, fold: int, size: int, took: str) -> str:
    """The card of tumour-segmenter.

    Parameters
    ----------
    manifest
        Of the bundle.
    figures
        As `metrics.json` holds them, the digest of the bundle among them.
    fold
        That was left out.
    size
        Rows and columns of the network's input.
    took
        A sentence: how long the training took and on what.
    """
    finding = manifest.findings[0]
    head = _SEGMENTER.format(
        **_shared(manifest, figures),
        size=size,
        temperature=finding.temperature,
        least_class=finding.least_class_probability,
    )
    return f"{head}\n{_rest(manifest, figures, fold, took)}"


def localiser_card(manifest: LocaliserManifest, figures: Mapping[str, Any], *, fold: int, size: int, took: str) -> str:
    """The card of tumour-localiser; parameters as `segmenter_card`."""
    head = _localiser(manifest, figures, _FROM_NOTHING, f", each slice by itself at {size} x {size}, mirrored too")
    return f"{head}\n{_rest(manifest, figures, fold, took)}"


def decoder_card(manifest: LocaliserManifest, figures: Mapping[str, Any], *, fold: int, size: int, took: str) -> str:
    """The card of a localiser whose decoders alone learnt, over a CLIP; parameters as `segmenter_card`."""
    head = _localiser(manifest, figures, _OVER_CLIP, f" of the decoders, each slice by itself at {size} x {size}")
    return f"{head}\n{_rest(manifest, figures, fold, took, 'Adam at one rate, without augmentation')}"


def _localiser(manifest: LocaliserManifest, figures: Mapping[str, Any], made: str, network: str) -> str:
    scaled = manifest.image_calibration
    if scaled is None:
        raise ValueError(f"{manifest.name} has no calibration for the score of a slice")
    return _LOCALISER.format(
        **_shared(manifest, figures),
        made=made.format(stages=", ".join(map(str, manifest.stages)), texts=len(PROMPTS.normal)),
        network=network,
        slope=scaled.slope,
        intercept=scaled.intercept,
    )


def _shared(manifest: SegmentManifest | LocaliserManifest, figures: Mapping[str, Any]) -> dict[str, Any]:
    segment, files = manifest.segments[0], manifest.source_checkpoint.files
    what = "weights" if len(files) == 1 else "made of"
    return {
        "title": manifest.title,
        "name": manifest.name,
        "version": manifest.version,
        "training": manifest.training,
        "max_spacing": manifest.inputs.max_spacing_mm,
        "label": segment.label,
        "architecture": manifest.source_checkpoint.architecture,
        "parameters": _run(manifest).parameters,
        "threshold": segment.threshold,
        "peak": segment.min_peak,
        "atol": manifest.parity.atol,
        "licence": manifest.licence.name,
        "restrictions": manifest.licence.restrictions,
        "digest": figures["digest"],
        "files": "\n".join(f"| {what} | {file.path}, sha256 `{file.sha256}` |" for file in files),
    }


def _rest(
    manifest: SegmentManifest | LocaliserManifest,
    figures: Mapping[str, Any],
    fold: int,
    took: str,
    optimiser: str = _ADAMW,
) -> str:
    run = _run(manifest)
    return _REST.format(
        name=manifest.name,
        fold=fold,
        with_tumour="brain-tumour-t1c",
        tables="\n\n".join(figures_table(part) for part in figures["subsets"]),
        data=run.data[0].upper() + run.data[1:],
        seed=run.seed,
        iterations=run.iterations,
        optimiser=optimiser,
        took=took,
        command=run.command,
    )


def _run(manifest: SegmentManifest | LocaliserManifest) -> TrainingRun:
    if manifest.training_run is None:
        raise ValueError(f"{manifest.name} does not say which run made it")
    return manifest.training_run
