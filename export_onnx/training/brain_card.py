"""The model card of brain-extractor, in Markdown; every figure in it is taken from what `evaluate` gave."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training.card import figures_table
from inference.manifests.segment import SegmentManifest

_TEXT = """# {title}

**RESEARCH USE.** {name} {version}, training: `{training}`. It learnt from made-up heads alone: every brain in them is
the standard one deformed, everything around it was drawn by a program. Not a medical device, and not for diagnosis.

| | |
|---|---|
| reads | MR (T1 with and without contrast agent, T2, FLAIR, T2*) and CT of the head, any orientation and spacing |
| | {min_slices} slices or more, at most {max_spacing:g} mm apart, at least {extent:g} mm along each axis |
| gives | segment "Brain": parenchyma with ventricles and the liquor between the convolutions, to the foramen magnum |
| network | {architecture}, {parameters:,} weights, the whole head at 2 mm along the patient's axes |
| voxel | from a probability of {threshold:g} on the scan's own grid, chosen on validation; its largest part |
| torch against ONNX Runtime | at most {atol:.0e} apart, checked wherever the bundle is opened |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
| weights | {file}, sha256 `{sha256}` |

## Figures

`made-up-*`: test anatomies that were looked at once, each drawn once in every contrast; the truth is known. Where
given, `heads-with-brain`: real heads against the masks of deepbet 1.0.2, another program that learnt from people;
nothing was learnt from them, but their figures were seen while this was built. Intervals are the 95 % percentile
bootstrap over patients (1,000 replicates). Written through the reader a node uses, the real ones by

    export-onnx heads-with-brain DICOM DATA/heads-with-brain --deepbet PYTHON
    dicom-node evaluate brain-extractor DATA/heads-with-brain --json

{tables}

## Training

{data}. Seed {seed}, {iterations:,} steps of one scan each, AdamW with cosine decay in bfloat16, the running mean of the
weights kept; in two parts: first what lies around the brain is rougher than it, then as smooth and often as bright.
{took} Repeated by

    {command}

## Limits

- The standard brain is a mean of 152 adults. Children's proportions, and brains that are much changed (surgery, large
  haemorrhage or tumour, hydrocephalus), were not among what it learnt from.
- Of T2, FLAIR, T2* and contrast T1 it has seen no real scan with a reference; the figures there are of made-up heads.
- Where the scan ends within the head, the brain ends there too.
- A border at 2 mm: convolutions finer than that are rounded.
"""


def card(manifest: SegmentManifest, told: Mapping[str, Any], *, took: str) -> str:
    """The card's text.

    Parameters
    ----------
    manifest
        With `training_run`.
    told
        As `metrics.json` has it.
    took
        A sentence: how long the training took and on what.
    """
    run, segment, source = manifest.training_run, manifest.segments[0], manifest.source_checkpoint.files[0]
    if run is None:
        raise ValueError(f"{manifest.name} does not say which run made it")
    return _TEXT.format(
        title=manifest.title,
        name=manifest.name,
        version=manifest.version,
        training=manifest.training,
        min_slices=manifest.inputs.min_slices,
        max_spacing=manifest.inputs.max_spacing_mm,
        extent=manifest.inputs.min_extent_mm,
        architecture=manifest.source_checkpoint.architecture,
        parameters=run.parameters,
        threshold=segment.threshold,
        atol=manifest.parity.atol,
        licence=manifest.licence.name,
        restrictions=manifest.licence.restrictions,
        digest=told["digest"],
        file=source.path,
        sha256=source.sha256,
        tables="\n\n".join(figures_table(part) for part in told["subsets"]),
        data=run.data[0].upper() + run.data[1:],
        seed=run.seed,
        iterations=run.iterations,
        took=took,
        command=run.command,
    )
