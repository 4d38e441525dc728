"""Which series an algorithm reads, and why not the others: a pure choice from header facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.errors import UnsuitableError
from dicom_node.reading.irregularity import mm
from inference.image import Weighting
from inference.inputs import Inputs

NOT_ANATOMY = frozenset({"DERIVED", "SECONDARY", "LOCALIZER", "MOSAIC", "PROJECTION IMAGE", "MIP", "MNIP", "MINIP"})
"""Values of Image Type (0008,0008) of images that are no slices of anatomy as acquired (PS3.3 C.7.6.1.1.2)."""

NOT_MAGNITUDE = frozenset(
    {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "ADC", "FA", "TRACEW", "TRACE", "PERFUSION"}
)
"""Values of Image Type of MR images that show another quantity than signal magnitude."""

MATRIX_TO_NAME = 128
"""Matrix below which an echo-planar series is called functional: anatomy is not acquired on 64 x 64."""

LONGEST_REASON = 600
"""Characters of an abstention's reason; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class SeriesCandidate:
    """Header facts of one image series.

    Attributes
    ----------
    uid
        Series Instance UID.
    label
        How a sentence names it: "series 3", after Series Number (0020,0011).
    weighting
        As `inference.image.Weighting`.
    contrast_agent
        The header names a contrast agent.
    image_type
        Values of Image Type (0008,0008).
    slices
        Places of the one volume that would be read; 0 where the header does not say.
    rows, columns
        Matrix; 0 where the header does not say.
    spacing_mm
        Distance of neighbouring slices, the largest where it changes; of a lone slice its thickness; None if unknown.
    extent_mm
        Size of the volume (slice, row, column), None where unknown.
    age_years
        Patient's age at the study, None where unknown.
    echo_planar
        Echo-planar readout, as functional, diffusion and perfusion images have.
    faults
        Why no volume can be made of it, with numbers.
    """

    uid: str
    label: str
    modality: str
    weighting: Weighting
    body_part: str
    contrast_agent: bool
    image_type: tuple[str, ...]
    slices: int
    rows: int
    columns: int
    spacing_mm: float | None
    extent_mm: tuple[float, float, float] | None
    age_years: float | None
    echo_planar: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The series to read, and every other with the reasons against it."""

    series: str | None
    left: tuple[tuple[str, str], ...]


def choose(candidates: Sequence[SeriesCandidate], inputs: Inputs) -> Choice:
    """Choose the series that fits best: most slices, then finest spacing, then UID; the order of arrival is nothing."""
    reasons = {c.uid: reasons_against(c, inputs) for c in candidates}
    fitting = sorted((c for c in candidates if not reasons[c.uid]), key=_rank)
    chosen = fitting[0] if fitting else None
    left = tuple(
        (c.uid, "; ".join(reasons[c.uid]) if reasons[c.uid] else _second(c, chosen))
        for c in sorted(candidates, key=lambda c: c.uid)
        if chosen is None or c.uid != chosen.uid
    )
    return Choice(series=chosen.uid if chosen else None, left=left)


def nothing_fits(candidates: Sequence[SeriesCandidate], choice: Choice) -> UnsuitableError:
    """The abstention of a choice without a series: each series with what did not fit, series of one reason together."""
    if not candidates:
        return UnsuitableError("the study has no CT or MR image")
    why = dict(choice.left)
    groups: dict[str, list[str]] = {}
    for candidate in sorted(candidates, key=lambda c: (c.label, c.uid)):
        groups.setdefault(why[candidate.uid], []).append(candidate.label)
    sentences = [f"{', '.join(labels)}: {reason}" for reason, labels in groups.items()]
    shown: list[str] = []
    for sentence in sentences:
        if shown and sum(map(len, shown)) + len(sentence) > LONGEST_REASON:
            break
        shown.append(sentence)
    rest = len(sentences) - len(shown)
    return UnsuitableError(" | ".join(shown) + (f" | and {rest} more" if rest else ""))


def reasons_against(candidate: SeriesCandidate, inputs: Inputs) -> tuple[str, ...]:
    """Everything that keeps an algorithm from reading a series, with numbers; empty where it fits."""
    return (
        *_kind(candidate, inputs),
        *_image_type(candidate),
        *_size(candidate, inputs),
        *candidate.faults,
        *_age(candidate, inputs),
    )


def _rank(candidate: SeriesCandidate) -> tuple[float, float, str]:
    return -candidate.slices, candidate.spacing_mm or 0.0, candidate.uid


def _second(candidate: SeriesCandidate, chosen: SeriesCandidate | None) -> str:
    if chosen is None:
        raise ValueError("a series that fits was left although none was chosen")
    if candidate.slices < chosen.slices:
        return f"fits, but {chosen.label} has more slices, {chosen.slices} against {candidate.slices}"
    finer, coarser = chosen.spacing_mm or 0.0, candidate.spacing_mm or 0.0
    if finer < coarser:
        return f"fits, but {chosen.label} is finer, {mm(finer)} mm against {mm(coarser)} mm"
    return f"fits as well as {chosen.label}, which comes first by its UID"


def _kind(candidate: SeriesCandidate, inputs: Inputs) -> list[str]:
    reasons = []
    if candidate.modality not in inputs.modality:
        reasons.append(f"modality {candidate.modality}, needed {' or '.join(inputs.modality)}")
    elif inputs.weighting and candidate.weighting not in inputs.weighting:
        reasons.append(f"contrast {candidate.weighting}, needed {' or '.join(inputs.weighting)}")
    if candidate.body_part and inputs.body_part and candidate.body_part.upper() not in inputs.body_part:
        reasons.append(f"another body part than {' or '.join(inputs.body_part)}")
    if inputs.contrast_agent is not None and candidate.contrast_agent != inputs.contrast_agent:
        reasons.append("no contrast agent in the header" if inputs.contrast_agent else "contrast agent given")
    return reasons


def _image_type(candidate: SeriesCandidate) -> list[str]:
    values = {value.upper() for value in candidate.image_type}
    reasons = [f"image type {', '.join(sorted(values & NOT_ANATOMY))}"] if values & NOT_ANATOMY else []
    # the first two values say ORIGINAL or DERIVED, PRIMARY or SECONDARY; "I" or "P" means something only after them
    component = {value.upper() for value in candidate.image_type[2:]} & NOT_MAGNITUDE
    if candidate.modality == "MR" and component:
        reasons.append(f"no magnitude image (image type {', '.join(sorted(component))})")
    if candidate.echo_planar and 0 < max(candidate.rows, candidate.columns) < MATRIX_TO_NAME:
        reasons.append("echo-planar on a coarse matrix: a functional image, no anatomy")
    return reasons


def _size(candidate: SeriesCandidate, inputs: Inputs) -> list[str]:
    reasons = []
    matrix = f"matrix {candidate.rows} x {candidate.columns}"
    if min(candidate.rows, candidate.columns) and min(candidate.rows, candidate.columns) < inputs.min_matrix:
        reasons.append(f"{matrix}, at least {inputs.min_matrix} needed")
    if candidate.slices and not inputs.min_slices <= candidate.slices <= inputs.max_slices:
        bound = (
            f"at least {inputs.min_slices}" if candidate.slices < inputs.min_slices else f"at most {inputs.max_slices}"
        )
        reasons.append(f"{_plural(candidate.slices, 'slice')}, {bound} read")
    if candidate.spacing_mm is not None and candidate.spacing_mm > inputs.max_spacing_mm:
        reasons.append(f"slices {mm(candidate.spacing_mm)} mm apart, at most {mm(inputs.max_spacing_mm)} mm read")
    if candidate.extent_mm is not None and min(candidate.extent_mm) < inputs.min_extent_mm:
        shown = " x ".join(f"{length:.0f}" for length in candidate.extent_mm)
        reasons.append(f"volume of {shown} mm, at least {inputs.min_extent_mm:.0f} mm needed along each axis")
    return reasons


def _age(candidate: SeriesCandidate, inputs: Inputs) -> list[str]:
    low, high, age = inputs.min_age_years, inputs.max_age_years, candidate.age_years
    if low is None and high is None:
        return []
    if age is None:
        return ["age of the patient unknown"]
    if low is not None and age < low:
        return [f"patient younger than {low:g} years"]
    if high is not None and age > high:
        return [f"patient older than {high:g} years"]
    return []


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
