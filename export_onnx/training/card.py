"""The model card of a bundle, in Markdown; every figure in it is taken from `metrics.json`'s own values."""

from collections.abc import Mapping, Sequence
from typing import Any

from inference.bundle import Bundle
from inference.graph import Slices
from inference.manifests.segment import SegmentManifest

_TEXT = """# {title}

**RESEARCH USE.** {name} {version}, training: `{training}`. It learnt from made-up heads with planted lesions and
has never seen a patient. It exists to take a finding out of ONNX Runtime by the path that every later model takes.

| | |
|---|---|
| reads | {modality} {weighting} of {body}, {min_slices} to {max_slices} slices, at most {max_spacing} mm apart |
| gives | segment "{label}" ({type}), and for each connected region volume, axes, mean probability and side |
| network | {architecture}, {parameters:,} weights, slices with {neighbours} neighbours on each side at {spacing} |
| a voxel is marked | from a probability of {threshold} on the scan's own grid |
| a region is kept | with a voxel of {peak} or more and {least:.0f} mm3 or more, both chosen on validation |
| torch against ONNX Runtime | {max_abs:.1e} largest absolute difference, {atol:.0e} allowed |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
| weights | {file}, sha256 `{sha256}` |

## Figures

On test heads that were looked at once, each on its own grid, through the reader a node uses. The interval is the 95 %
percentile bootstrap over patients (1,000 replicates). A lesion counts as found when one of its voxels is marked
(`lesion_sensitivity`), or when a marked region reaches an intersection over union of 0.1 (`lesion_sensitivity_iou10`).

{tables}

## Training

{data}. Seed {seed}, {iterations:,} steps. Repeated by

    {command}

## Limits

- Trained and tested on synthetic heads alone: the figures say that the path works, not that lesions of patients are
  found. A real scan differs in all that was drawn by hand (skull, face, vessels, contrast); expect false regions there.
- T1-weighted only. What was planted has about 0.4 to 10 mL and keeps 3 mm from the surface of the brain.
- The side is given only where a region lies clear of the mid-sagittal plane found in the image.
- Refused unless the configuration says `allow_synthetic = true`.
"""


def card(bundle: Bundle, subsets: Sequence[Mapping[str, Any]], max_abs: float) -> str:
    """The card's text.

    Parameters
    ----------
    bundle
        With `training_run`, slices as tiling, and one segment.
    subsets
        Figures as in `metrics.json`.
    max_abs
        Largest absolute difference between torch and ONNX Runtime at export.
    """
    manifest = bundle.manifest
    if not isinstance(manifest, SegmentManifest):
        raise TypeError(f"{manifest.name} is no segment bundle")
    run, segment = manifest.training_run, manifest.segments[0]
    if run is None or not isinstance(manifest.tiling, Slices):
        raise ValueError(f"{manifest.name} does not say which run made it, or does not go by slices")
    spacing = next(step.spacing_mm for step in manifest.preprocess if step.op == "resample")
    source = manifest.source_checkpoint.files[0]
    return _TEXT.format(
        title=manifest.title,
        name=manifest.name,
        version=manifest.version,
        training=manifest.training,
        modality=", ".join(manifest.inputs.modality),
        weighting=", ".join(manifest.inputs.weighting),
        body=" or ".join(manifest.inputs.body_part),
        min_slices=manifest.inputs.min_slices,
        max_slices=manifest.inputs.max_slices,
        max_spacing=manifest.inputs.max_spacing_mm,
        label=segment.label,
        type=f"{segment.type.value}, {segment.type.scheme}, {segment.type.meaning}",
        architecture=manifest.source_checkpoint.architecture,
        parameters=run.parameters,
        neighbours=manifest.tiling.neighbours,
        spacing=" x ".join(f"{step:g}" for step in spacing if step is not None) + " mm",
        threshold=segment.threshold,
        peak=segment.min_peak,
        least=segment.min_volume_mm3,
        max_abs=max_abs,
        atol=manifest.parity.atol,
        licence=manifest.licence.name,
        restrictions=manifest.licence.restrictions,
        digest=bundle.digest,
        file=source.path,
        sha256=source.sha256,
        tables="\n\n".join(figures_table(part) for part in subsets),
        data=run.data[0].upper() + run.data[1:],
        seed=run.seed,
        iterations=run.iterations,
        command=run.command,
    )


def figures_table(part: Mapping[str, Any]) -> str:
    """One subset of `metrics.json`: its figures with their intervals, and its baselines."""
    counted = f"{part['n_lesions']} lesions" if "n_lesions" in part else f"{part['n_cases']} images"
    if "n_closed" in part:
        counted = f"{part['n_closed'] + part['n_open']} questions"
    heading = f"### {part['name']}: {part['n_patients']} patients, {counted}"
    lines = ["| figure | value | 95 % interval |", "|---|---|---|"]
    for name, figure in part["metrics"].items():
        low, high = figure["ci95"]
        lines.append(f"| {name} | {figure['value']:.4f} | {low:.4f} to {high:.4f} |")
    lines += [f"| {name} (baseline) | {value:.4f} | |" for name, value in part["baselines"].items()]
    return "\n".join([heading, "", *lines])
