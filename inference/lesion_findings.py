"""What classified candidates say: coded findings with site, size and probability, and sentences; knows no graph."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.codedict import codes

from inference.algorithms.brain_lesions import SIDES, place_mm, score, size_and_place
from inference.findings import Finding, Measurement, Sentence
from inference.image import Image
from inference.imaging.candidates import Candidate
from inference.imaging.midline import Midline, side
from inference.imaging.sites import site
from inference.lesion_classes import Told
from inference.manifests.lesions import LesionsManifest
from inference.measured import measured, probability_of
from inference.statements import CodedAt, OfEachSlice, OfNoKindAt


def finding(
    number: int,
    candidate: Candidate,
    said: Told,
    manifest: LesionsManifest,
    image: Image,
    plane: Midline | None,
    from_standard: NDArray[np.float64],
) -> Finding:
    """One candidate, in the segment of index 1.

    Its probability, and that of its slices, is of the class that it is given; without a class there is none.

    Parameters
    ----------
    number
        From 1.
    said
        What the classifier says of it.
    image
        What was read.
    plane
        Mid-sagittal plane, where known.
    from_standard
        (4, 4): points of the standard head to the patient, LPS, mm.
    """
    part = candidate.part
    points = part.indices @ part.affine[:3, :3].T + part.affine[:3, 3]
    lies = side(points, plane) if plane else None
    index = named(said, manifest)
    return Finding(
        label=f"candidate {number}",
        code=(manifest.unnamed if index is None else manifest.classes[index].code).code(),
        site=site(points, from_standard) or codes.SCT.Brain,
        laterality=SIDES[lies] if lies else None,
        probability=None if index is None else _of_class(said.probability, index),
        segment=1,
        region=part.region,
        slice_probabilities=() if index is None else tuple((k, _of_class(p, index)) for k, p in said.slices),
        measurements=(
            *measured(part, image),
            score(candidate),
            _of_second(said, manifest),
        ),
    )


def named(said: Told, manifest: LesionsManifest) -> int | None:
    """Index of the class a candidate is given; None where neither is probable enough."""
    index = int(said.probability >= 0.5)
    return index if _of_class(said.probability, index) >= manifest.least_class_probability else None


def sentences(
    findings: Sequence[Finding],
    found: Sequence[Candidate],
    told: Sequence[Told],
    manifest: LesionsManifest,
    image: Image,
) -> list[Sentence]:
    """One for what each candidate is, one for its slices, as they were acquired."""
    second = manifest.classes[1].code.meaning.lower()
    lines = []
    for one, candidate, said in zip(findings, found, told, strict=True):
        index = named(said, manifest)
        what = "of neither class with enough probability" if index is None else manifest.classes[index].code.meaning
        where = "site uncertain" if one.site == codes.SCT.Brain else one.site.meaning.lower() if one.site else ""
        place = f"{one.laterality.meaning.lower()}, {where}" if one.laterality else where
        sure = f"probability of {second} {_percent(said.probability)}"
        lines.append(
            Sentence(
                text=f"{one.label.capitalize()}: {what}, {sure}, {place}, {size_and_place(one, candidate)}.",
                finding=one.label,
                says=(OfNoKindAt if index is None else CodedAt)(place_mm=place_mm(candidate)),
            )
        )
        slices = image.by_plane(said.slices)
        each = ", ".join(f"{k + 1}: {_percent(p)}" for k, p in slices)
        text = f"Probability of {second} in each slice, by its number: {each}."
        numbered = tuple((k + 1, p) for k, p in slices)
        says = OfEachSlice(code=manifest.classes[1].code.code(), slices=numbered)
        lines.append(Sentence(text=text, finding=one.label, says=says))
    return lines


def _of_second(said: Told, manifest: LesionsManifest) -> Measurement:
    second = manifest.classes[1]
    return probability_of(second.code.code(), second.label, said.probability, said.slices)


def _of_class(second: float, index: int) -> float:
    return second if index == 1 else 1.0 - second


def _percent(probability: float) -> str:
    return f"{100.0 * probability:.0f} %"
