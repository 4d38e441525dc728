"""The model card of ccm-or-aih, in Markdown; every figure in it is taken from `metrics.json`'s own values."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training.card import figures_table
from inference.manifests.lesions import LesionsManifest

_TEXT = """# {title}

**RESEARCH USE. TECHNICAL DEMONSTRATION.** {name} {version}, training: `{training}`. Every lesion it has ever seen was
drawn by a program, after what textbooks say of the two diseases. It has seen no patient, and no set of cavernous
malformations is public to test it on. Not a medical device, and not for diagnosis.

| | |
|---|---|
| reads | axial T2-weighted MR of the head without contrast agent, {min_slices} slices or more |
| | at most {max_spacing:g} mm apart; patients from {age:g} years |
| finds | dark regions of 1.7 to 22 mm radius, without weights (`inference/imaging/dark_lesions.py`) |
| tells | {first} ({first_code}) from {second} ({second_code}) |
| network | {architecture}, {parameters:,} weights |
| it sees | {side} x {side} pixels of a slice and {neighbours} on each side at {spacing} mm, and the longest axis |
| candidate | area-weighted mean of its slices' log-odds, temperature {temperature:g} fitted on validation |
| patient | {rule} over the candidates |
| class | named from a probability of {least:g}; below it the candidate stays a lesion |
| text | log-odds = {image_weight:g} image + {text_weight:g} text + {intercept:g} |
| text it was fitted on | {text}; it says nothing of real reports |
| torch against ONNX Runtime | at most {atol:.0e} apart, checked wherever the bundle is opened |
| licence | {licence}; {restrictions} |
| bundle digest | `{digest}` |
| weights | {file}, sha256 `{sha256}` |

## Figures

On test anatomies that were looked at once; each patient has one to four lesions, all of one kind. `true-place`: the
classifier alone, given each lesion's true place and outline. `chain`: brain, candidates and classes by the reader that
a node uses; a patient in whom nothing was found counts with a probability of 0.5. `candidate_sensitivity` is that of
this chain; `ball_candidate_sensitivity` that of `inference/imaging/candidates.py`, which the classical reader uses, on
the same scans. `site_agrees` compares the named part of the brain with the one that the true deformation gives, by the
same coarse table. Intervals are the 95 % percentile bootstrap over patients (1,000 replicates). Baselines: the
commoner kind, and AUC of the longest axis alone and of the mean brightness alone.

{tables}

## Masked pretraining

{pretraining}

## Training

{data}. Seed {seed}, {iterations:,} steps of AdamW with cosine decay, the running mean of the weights kept. Repeated by

    {command}

## Limits

- Synthetic lesions in synthetic heads: the figures say that the path works and that the drawn contrasts can be told
  apart, not that diseases can. The drawing leaves out mass effect, other stages of bleeding, developmental venous
  anomalies, calcification, tumours, artefacts and motion.
- It knows two kinds. What it says of a vessel, a calcification or any third disease means nothing. In training, places
  without lesion were given both classes alike, so that it stays undecided there; nothing proves that it does.
- The site comes from a table of ellipsoids and planes in the standard head, not from an atlas, and is left out near
  borders.
- T2-weighted only; T2* and susceptibility-weighted images, on which these lesions show best, are not read.
- Refused unless the configuration says `allow_synthetic = true`.
"""


def card(manifest: LesionsManifest, told: Mapping[str, Any], pretraining: Mapping[str, float]) -> str:
    """The card's text.

    Parameters
    ----------
    manifest
        With `training_run` and `fusion`.
    told
        As `metrics.json` has it.
    pretraining
        AUC over lesions of the validation after a short training, by the share that was hidden in pretraining.
    """
    run, fusion = manifest.training_run, manifest.fusion
    if run is None or fusion is None:
        raise ValueError(f"{manifest.name} does not say which run made it, or how text is joined")
    first, second = (kind.code for kind in manifest.classes)
    source = manifest.source_checkpoint.files[0]
    return _TEXT.format(
        title=manifest.title,
        name=manifest.name,
        version=manifest.version,
        training=manifest.training,
        min_slices=manifest.inputs.min_slices,
        max_spacing=manifest.inputs.max_spacing_mm,
        age=manifest.inputs.min_age_years or 0.0,
        first=first.meaning,
        first_code=f"{first.scheme} {first.value}",
        second=second.meaning,
        second_code=f"{second.scheme} {second.value}",
        architecture=manifest.source_checkpoint.architecture,
        parameters=run.parameters,
        side=manifest.crop.side,
        neighbours=manifest.crop.neighbours,
        spacing=" x ".join(f"{step:g}" for step in manifest.crop.spacing_mm),
        temperature=manifest.temperature,
        rule=manifest.patient_rule,
        least=manifest.least_class_probability,
        **fusion.model_dump(),
        atol=manifest.parity.atol,
        licence=manifest.licence.name,
        restrictions=manifest.licence.restrictions,
        digest=told["digest"],
        file=source.path,
        sha256=source.sha256,
        tables="\n\n".join(figures_table(part) for part in told["subsets"]),
        pretraining=_pretraining(pretraining),
        data=run.data[0].upper() + run.data[1:],
        seed=run.seed,
        iterations=run.iterations,
        command=run.command,
    )


def _pretraining(told: Mapping[str, float]) -> str:
    if not told:
        return "Not compared in this run."
    said = "; ".join(
        f"{'without' if hidden == '0' else f'with {100 * float(hidden):.0f} % of the patches hidden'}: {auc:.3f}"
        for hidden, auc in told.items()
    )
    return f"AUC over the lesions of the validation after a short training, one run each, no interval: {said}."
