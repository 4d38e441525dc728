"""Cases scored one at a time and kept as counts: one histogram a patient, a few numbers a case; makes no figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.algorithms import Scorer, Scores
from inference.errors import DataError, UnsuitableImageError
from inference.evaluation import detection, pixels
from inference.evaluation.cases import Case
from inference.evaluation.detection import DetectionTally
from inference.evaluation.pixels import PixelTally
from inference.findings import Algorithm, Mask

Progress = Callable[[int, int], None]
"""Told how many cases are done, and of how many."""

Subsets = Sequence[tuple[str, Sequence[Case]]]
"""Name and cases of each; each is a source of its own, so equal names of patients in two are two patients."""

Patient = tuple[int, str]
"""Index of the source, and who within it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseTally:
    """One case that was scored.

    Attributes
    ----------
    name, label
        As the case says.
    patient
        Who, among all subsets.
    pixels, detection
        Against its truth; None where nobody drew one.
    classes
        Probability of each class.
    """

    name: str
    label: str | None
    patient: Patient
    pixels: PixelTally | None
    detection: DetectionTally | None
    classes: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class SubsetTally:
    """The cases of one subset.

    Attributes
    ----------
    cases
        Those that were scored.
    histograms
        (2, bin) of each patient with a truth, as `pixels.histogram`.
    abstained
        How many the bundle was not made for.
    """

    name: str
    cases: tuple[CaseTally, ...]
    histograms: Mapping[Patient, NDArray[np.float64]]
    abstained: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """Everything one scorer said."""

    algorithm: Algorithm
    sought: Code
    subsets: tuple[SubsetTally, ...]

    @property
    def together(self) -> SubsetTally:
        """All subsets as one, named "all"."""
        return SubsetTally(
            name="all",
            cases=tuple(case for subset in self.subsets for case in subset.cases),
            histograms={who: counts for subset in self.subsets for who, counts in subset.histograms.items()},
            abstained=sum(subset.abstained for subset in self.subsets),
        )


def gather(scorer: Scorer, subsets: Subsets, progress: Progress) -> Gathered:
    """Score every case, one in memory at a time.

    Raises
    ------
    DataError
        If a case cannot be read, or its truth is not of its image's size.
    InferenceError
        If the scorer fails; a case that it was not made for is counted and left out.
    """
    whole, before, found = sum(len(cases) for _, cases in subsets), 0, []
    for source, (name, cases) in enumerate(subsets):

        def told(done: int, before: int = before) -> None:
            progress(before + done, whole)

        found.append(_subset(scorer, source, name, cases, told))
        before += len(cases)
    return Gathered(algorithm=scorer.algorithm, sought=scorer.sought, subsets=tuple(found))


def _subset(scorer: Scorer, source: int, name: str, cases: Sequence[Case], told: Callable[[int], None]) -> SubsetTally:
    scored: list[CaseTally] = []
    histograms: dict[Patient, NDArray[np.float64]] = {}
    for done, case in enumerate(cases, start=1):
        who = (source, case.patient)
        try:
            scores, truth = _scored(scorer, case)
        except UnsuitableImageError:
            told(done)
            continue
        scored.append(
            CaseTally(
                name=case.name,
                label=case.label,
                patient=who,
                pixels=None if truth is None else pixels.tally(scores.marked, truth),
                detection=None if truth is None else detection.tally(scores, truth),
                classes=scores.classes,
            )
        )
        if truth is not None:
            histograms[who] = histograms.get(who, 0.0) + pixels.histogram(scores.probability, truth)
        told(done)
    return SubsetTally(name=name, cases=tuple(scored), histograms=histograms, abstained=len(cases) - len(scored))


def _scored(scorer: Scorer, case: Case) -> tuple[Scores, Mask | None]:
    labelled = case.load()
    image, truth = labelled.image.volume.array, labelled.truth
    if truth is not None and truth.shape != image.shape:
        raise DataError(f"{case.name}: the mask has {truth.shape} voxels, its image {image.shape}")
    return scorer.scores(labelled.image), truth
