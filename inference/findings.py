"""What a reading says: Finding, Measurement, Narrative, Findings; frozen, and valid once made.

Codes are `pydicom.sr.coding.Code`. Masks are boolean arrays on the grid of the source volume, index order (slice,
row, column).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.draft import Draft
from inference.imaging.axes import largest_slice
from inference.imaging.box import Box, box_of
from inference.statements import Statement

Mask = NDArray[np.bool_]
Evidence = Literal["segment", "finding", "study"]
ClinicalUse = Literal["cleared", "research", "forbidden"]
Training = Literal["none", "real", "synthetic-appearance", "synthetic-findings"]


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """Which program and weights speak: the same four values stand in SEG, SR and Contributing Equipment (IHE AIR
    6.5.3.1).

    Attributes
    ----------
    name
        Algorithm Name (0066,0036), for example "lesion-segmenter".
    version
        Algorithm Version (0066,0031).
    source
        Algorithm Source (0024,0202): who made it.
    digest
        sha256 of the bundle, or of the algorithm's own name, version and parameters where it has no weights; the
        Device UID derives from it, so new weights are a new device.
    family
        Algorithm Family Code (CID 7162).
    clinical_use
        "cleared", "research" (objects say RESEARCH USE) or "forbidden".
    training
        "none" for a classical algorithm, else what the weights learnt from.
    """

    name: str
    version: str
    source: str
    digest: str
    family: Code
    clinical_use: ClinicalUse
    training: Training

    def __post_init__(self) -> None:
        if not all((self.name, self.version, self.source)):
            raise ValueError("an algorithm needs a name, a version and a source")
        if len(self.digest) != 64:
            raise ValueError(f"an algorithm's digest is a sha256 in hex, got {len(self.digest)} characters")


_USES: tuple[ClinicalUse, ...] = ("cleared", "research", "forbidden")
_TRAININGS: tuple[Training, ...] = ("none", "real", "synthetic-appearance", "synthetic-findings")


def stricter(one: Algorithm, other: Algorithm) -> Algorithm:
    """The first, which speaks with what the other marked: of each the use and the training that asks for more care."""
    return replace(
        one,
        clinical_use=max(one.clinical_use, other.clinical_use, key=_USES.index),
        training=max(one.training, other.training, key=_TRAININGS.index),
    )


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number with its code and its UCUM unit.

    Attributes
    ----------
    by_slice
        (slice index, value): the same of single slices, which the whole was inferred from.
    """

    code: Code
    value: float
    unit: Code
    by_slice: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        for value in (self.value, *(v for _, v in self.by_slice)):
            if not np.isfinite(value):
                raise ValueError(f"a measurement must be finite, got {value}")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One class of voxels, drawn on the source grid.

    Attributes
    ----------
    label
        Segment Label (0062,0005), as the viewer shows it.
    category, type
        Segmented Property Category and Type (PS3.3 C.8.20.2.3).
    anatomy
        Anatomic Region, where the type alone does not say it.
    mask
        (slice, row, column), bool, on the source grid.
    color
        Recommended display colour, sRGB 0 to 255.
    probability
        (slice, row, column), uint8, in 255ths: how probable the class is in and around the mask, 0 beyond; None where
        the algorithm gives none.
    """

    label: str
    category: Code
    type: Code
    anatomy: Code | None
    mask: Mask
    color: tuple[int, int, int]
    probability: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 3 or self.mask.dtype != np.bool_:
            raise ValueError(f"a mask is bool (slice, row, column), got {self.mask.dtype} with {self.mask.ndim} axes")
        if self.probability is not None and (
            self.probability.shape != self.mask.shape or self.probability.dtype != np.uint8
        ):
            raise ValueError(f"a probability is uint8 on the grid of its mask, got {self.probability.dtype}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing seen, coded, with its evidence.

    Attributes
    ----------
    label
        Tracking Identifier: stable within the study, unique within the reading, for example "lesion 1".
    code
        What it is (SCT or DCM).
    site, laterality
        Finding Site and its side, where known.
    probability
        Of the finding, in [0, 1]; None where the algorithm gives none.
    segment
        Index into `Findings.segments` of the segment the finding lies in, None without a mask.
    region
        (slice, row, column), bool: the voxels of this finding alone, a subset of its segment; None without a mask.
    slice_probabilities
        (slice index, probability in [0, 1]) of the slices that carry it.
    measurements
        Computed from `region` in millimetres.
    """

    label: str
    code: Code
    site: Code | None = None
    laterality: Code | None = None
    probability: float | None = None
    segment: int | None = None
    region: Mask | None = None
    slice_probabilities: tuple[tuple[int, float], ...] = ()
    measurements: tuple[Measurement, ...] = ()

    @cached_property
    def box(self) -> Box:
        """The smallest box that holds the region; an empty one without a region."""
        return (slice(0, 0),) * 3 if self.region is None else box_of(self.region)

    @cached_property
    def largest_slice(self) -> int | None:
        """Index of the slice on which the region is measured and shown: its largest; None without a region."""
        if self.region is None:
            return None
        return int(self.box[0].start) + largest_slice(self.region[self.box].sum(axis=(1, 2)))

    def measured(self, code: Code) -> float | None:
        """The measurement of that code in its own unit; None where there is none."""
        return next((m.value for m in self.measurements if m.code == code), None)

    def __post_init__(self) -> None:
        for value in (self.probability, *(p for _, p in self.slice_probabilities)):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"probability must be within [0, 1], got {value}")
        if (self.segment is None) != (self.region is None):
            raise ValueError("a finding has both a segment and a region, or neither")
        if self.region is not None and self.box[0] == slice(0, 0):
            raise ValueError("a finding's region is empty")


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of a narrative, in English.

    Attributes
    ----------
    text
        The sentence.
    finding
        What it rests on: a finding's label, or None for the study as a whole.
    says
        The same apart from any language, for those who write it in another one; None: it can only be given as it is.
    draft
        Of a generated sentence, what the guard says of it, its evidence included; None: a reader wrote it from what
        was coded.
    """

    text: str
    finding: str | None = None
    says: Statement | None = None
    draft: Draft | None = None


@dataclass(frozen=True, kw_only=True)
class Narrative:
    """Text for the radiologist, a draft; each sentence is tied to its evidence."""

    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """All sentences in order, separated by blanks."""
        return " ".join(s.text for s in self.sentences)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything one reading of one volume says.

    Attributes
    ----------
    study_probability
        Of `study_code` in the patient, in [0, 1]; None where the algorithm gives none.
    study_code
        What that is the probability of.
    measurements
        Of the study as a whole.

    Raises
    ------
    ValueError
        If a mask lies on another grid than the first, a finding names a segment that is not there or reaches outside
        its segment, two findings share a label, or a sentence cites a finding that is not there.
    """

    algorithm: Algorithm
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...]
    narrative: Narrative
    study_probability: float | None = None
    study_code: Code | None = None
    measurements: tuple[Measurement, ...] = ()

    def __post_init__(self) -> None:
        shapes = {s.mask.shape for s in self.segments} | {f.region.shape for f in self.findings if f.region is not None}
        if len(shapes) > 1:
            raise ValueError(f"masks lie on different grids: {sorted(shapes)}")
        for finding in self.findings:
            self._check_region(finding)
        labels = [f.label for f in self.findings]
        if len(set(labels)) != len(labels):
            raise ValueError("two findings share a label")
        drafts = [s.draft for s in self.narrative.sentences if s.draft is not None]
        cited = {s.finding for s in self.narrative.sentences} - {None} | {one for d in drafts for one in d.evidence}
        if not cited <= set(labels):
            raise ValueError("a sentence cites a finding that is not there")
        if any(d.segment is not None and not 0 <= d.segment < len(self.segments) for d in drafts):
            raise ValueError("a draft names a segment that is not there")

    def _check_region(self, finding: Finding) -> None:
        if finding.segment is None or finding.region is None:
            return
        if not 0 <= finding.segment < len(self.segments):
            raise ValueError(f"finding {finding.label!r} names segment {finding.segment} of {len(self.segments)}")
        if (finding.region[finding.box] & ~self.segments[finding.segment].mask[finding.box]).any():
            raise ValueError(f"finding {finding.label!r} reaches outside its segment")
