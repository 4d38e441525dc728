"""How well voxels are told apart: counts of one case, then figures over all voxels and over cases.

Figures over all voxels come with their prevalence: where little is sought, marking nothing is already accurate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.ranking import auroc, ratio
from inference.findings import Mask

BINS = 4096
"""Of the histogram of scores. In 256, as an image of 8 bits has, the best separated voxels would tie."""

_MOST_LOGIT = 20.0  # float32 has nothing between 1 - 6e-8, a logit of 16.6, and 1
_STRETCH = 2.0
_ROWS_AT_ONCE = 64

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PixelTally:
    """One case against its truth.

    Attributes
    ----------
    common, marked, true, voxels
        Voxels marked rightly, marked, sought, and all.
    """

    common: int
    marked: int
    true: int
    voxels: int

    @property
    def dice(self) -> float:
        """2 * common / (true + marked); 1 where both are empty."""
        together = self.true + self.marked
        return 2.0 * self.common / together if together else 1.0

    @property
    def accuracy(self) -> float:
        """Share of the voxels that are marked and sought, or neither."""
        return (self.voxels - self.true - self.marked + 2 * self.common) / self.voxels


def tally(marked: Mask, truth: Mask) -> PixelTally:
    """Count one case; both (slice, row, column)."""
    return PixelTally(
        common=int(np.count_nonzero(marked & truth)),
        marked=int(np.count_nonzero(marked)),
        true=int(np.count_nonzero(truth)),
        voxels=truth.size,
    )


def histogram(probability: NDArray[np.float32], truth: Mask) -> Values:
    """How many voxels have a score in each bin.

    Parameters
    ----------
    probability, truth
        (slice, row, column); probability in [0, 1].

    Returns
    -------
    ndarray
        (2, bin), float64, whole numbers: voxels that are not sought, and that are.
    """
    counts = np.zeros((2, BINS))
    for plane, sought in zip(probability, truth, strict=True):  # slice by slice: logits of a volume are large
        bins = binned(plane)
        counts[0] += np.bincount(bins[~sought], minlength=BINS)
        counts[1] += np.bincount(bins[sought], minlength=BINS)
    return counts


def binned(probability: NDArray[np.float32]) -> NDArray[np.int64]:
    """Bin of each score: equal steps of asinh(2 * logit).

    A step is 0.0003 of probability about 0.5 and 2 % of the odds at 1e-4, so neither scores crowded at the middle nor
    those crowded at 0 and 1 fall together.
    """
    p = probability.astype(np.float64)
    with np.errstate(divide="ignore"):
        logit = np.clip(np.log(p) - np.log1p(-p), -_MOST_LOGIT, _MOST_LOGIT)
    most = np.arcsinh(_STRETCH * _MOST_LOGIT)
    place = (np.arcsinh(_STRETCH * logit) / most + 1.0) * (BINS / 2)
    bins: NDArray[np.int64] = np.minimum(place.astype(np.int64), BINS - 1)
    return bins


def figures(
    weights: Values, patient: NDArray[np.int64], cases: Sequence[PixelTally], histograms: Values
) -> dict[str, Values]:
    """Figures on each row of weights.

    Parameters
    ----------
    weights
        (row, patient): how often each patient counts.
    patient
        (case,): index of whose case it is.
    cases
        At least one.
    histograms
        (patient, 2, bin): of each patient, as `histogram`.

    Returns
    -------
    dict
        Name to (row,); NaN where a row does not define the figure.
    """
    of_case = weights[:, patient]
    counts = np.array([(c.common, c.marked, c.true, c.voxels) for c in cases], dtype=np.float64)
    common, marked, true, voxels = (of_case @ counts).T
    dice, sick = np.array([c.dice for c in cases]), np.array([float(c.true > 0) for c in cases])
    rows = np.array_split(weights, range(_ROWS_AT_ONCE, len(weights), _ROWS_AT_ONCE))
    absent, present = histograms[:, 0], histograms[:, 1]
    return {
        "pixel_auroc": np.concatenate([auroc(row @ present, row @ absent) for row in rows]),
        "pixel_accuracy": (voxels - true - marked + 2 * common) / voxels,
        # where nothing is sought these would be 0 whatever is marked
        "pixel_precision": np.where(true > 0, ratio(common, marked), np.nan),
        "pixel_recall": ratio(common, true),
        "pixel_dice": np.where(true > 0, ratio(2 * common, true + marked), np.nan),
        "case_dice": (of_case @ dice) / of_case.sum(axis=1),
        "case_dice_with_finding": ratio(of_case @ (dice * sick), of_case @ sick),
    }


def baselines(cases: Sequence[PixelTally]) -> dict[str, float]:
    """What is had without looking: by marking nothing, and the precision of marking at random, the prevalence."""
    prevalence = sum(c.true for c in cases) / sum(c.voxels for c in cases)
    return {
        "pixel_accuracy_all_negative": 1.0 - prevalence,
        "pixel_prevalence": prevalence,
        "case_dice_all_negative": sum(not c.true for c in cases) / len(cases),
    }
