"""What is known of the lesions of a made-up head: kind, side, part of the brain, size as the node measures it."""

from dataclasses import dataclass

import numpy as np
from pydicom.sr.codedict import codes

from inference.imaging.components import components
from inference.imaging.midline import CLEARANCE_MM
from inference.imaging.sites import site_in_standard
from inference.measured import measured
from inference.synthetic.head import PlantedLesion, SyntheticHead
from inference.synthetic.lesion import Kind


@dataclass(frozen=True, kw_only=True)
class LesionFacts:
    """One lesion.

    Attributes
    ----------
    kind
        Its contrast.
    side
        "left" or "right" of the patient; None where it lies across the middle or near it.
    site
        Part of the brain in lower case, "frontal lobe"; None near a border between two.
    long_mm, short_mm
        Axes on the slice on which it is largest, mm.
    """

    kind: Kind
    side: str | None
    site: str | None
    long_mm: float
    short_mm: float


HeadFacts = tuple[LesionFacts, ...]
"""All lesions of a head, the largest first."""


def facts_of(head: SyntheticHead) -> HeadFacts:
    """The facts of a head, each from the truth and none from the picture."""
    ordered = sorted(head.lesions, key=lambda lesion: -lesion.volume_ml)
    return tuple(_of(lesion, head) for lesion in ordered)


def mirrored(facts: HeadFacts) -> HeadFacts:
    """The same head seen in a mirror: left is right."""
    other = {"left": "right", "right": "left", None: None}
    return tuple(
        LesionFacts(kind=f.kind, side=other[f.side], site=f.site, long_mm=f.long_mm, short_mm=f.short_mm) for f in facts
    )


def _of(lesion: PlantedLesion, head: SyntheticHead) -> LesionFacts:
    part = components(lesion.mask, head.image.volume.affine)[0]
    by_code = {measurement.code: measurement.value for measurement in measured(part, head.image)}
    there = lesion.standard_mm.astype(np.float64)
    site = site_in_standard(there)
    return LesionFacts(
        kind=lesion.kind,
        side=_side(there[:, 0]),
        site=None if site is None else site.meaning.lower(),
        long_mm=by_code[codes.SCT.LongAxis],
        short_mm=by_code[codes.SCT.ShortAxis],
    )


def _side(x_mm: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str | None:
    """From LPS x in the standard head, whose middle is 0."""
    if x_mm.min() > CLEARANCE_MM:
        return "left"
    return "right" if x_mm.max() < -CLEARANCE_MM else None
