"""Intervals by resampling patients, and paired tests on per-patient differences; knows no image and no metric."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import wilcoxon

from inference.errors import DataError
from inference.evaluation.ranking import ratio

REPLICATES = 1000
"""Bootstrap samples of patients; the interval is their 2.5 and 97.5 percentiles."""

SEED = 20260101
"""Of the bootstrap: the same cases give the same interval."""

Values = NDArray[np.float64]
Figure = dict[str, float | list[float] | None]


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Differences of one figure between two readers over the same patients.

    Attributes
    ----------
    n
        Patients.
    mean
        Of the differences.
    t
        mean / (s / sqrt(n)), s with n - 1 degrees of freedom; None where all differences are the same and not 0.
    p
        Two-tailed, Student's t with n - 1 degrees of freedom.
    wilcoxon_p
        Two-tailed, signed ranks; patients without a difference are left out.
    """

    n: int
    mean: float
    t: float | None
    p: float
    wilcoxon_p: float


def samples(patients: int) -> NDArray[np.int64]:
    """Indices of the patients in each bootstrap sample, (replicate, patient), drawn with replacement, seeded.

    Raises
    ------
    ValueError
        If there is no patient.
    """
    return np.random.default_rng(SEED).integers(patients, size=(REPLICATES, patients))


def weights(patients: int) -> Values:
    """How often each patient counts, (1 + replicate, patient): once each in the first row, then as drawn.

    A figure that is a function of sums over patients is the same function of `weights @ sums`, row by row.
    """
    drawn = [np.bincount(sample, minlength=patients) for sample in samples(patients)]
    return np.vstack([np.ones(patients), *drawn]).astype(np.float64)


def percentiles(drawn: Values) -> list[float]:
    """Ends of the 95 % interval of the values of the replicates; those that are no number are passed over.

    A sample without a single lesion, for example, has no sensitivity. Without any number the ends are NaN.
    """
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return [float("nan"), float("nan")]
    low, high = np.percentile(known, [2.5, 97.5])
    return [float(low), float(high)]


def interval(values: Values, patients: int) -> Figure | None:
    """A figure and its 95 % interval.

    Parameters
    ----------
    values
        (1 + replicate,): on the rows of `weights`.
    patients
        How many were resampled.

    Returns
    -------
    dict or None
        {"value", "ci95": [low, high]}, the interval None where there is one patient, of whom no sample differs; None
        where these cases do not define the figure.
    """
    if not np.isfinite(values[0]):
        return None
    ends = percentiles(values[1:]) if patients > 1 else None
    return {"value": float(values[0]), "ci95": ends if ends and np.isfinite(ends).all() else None}


def summed(units: NDArray[np.int64], values: Values, count: int) -> Values:
    """(unit, ...): values of cases, (case, ...), added up over the cases of each of `count` units."""
    sums = np.zeros((count, *values.shape[1:]))
    np.add.at(sums, units, values)
    return sums


def means(rows: Values, units: NDArray[np.int64], values: Values) -> Values:
    """Mean over cases of values, (case,), on each row of `weights`, (row, unit); NaN where a row has no case."""
    count = rows.shape[1]
    return ratio(rows @ summed(units, values, count), rows @ summed(units, np.ones(len(values)), count))


def gain(sums: Values, counts: Values) -> dict[str, float | list[float] | None]:
    """How much better a reader is than a baseline over the same cases, patients resampled in pairs.

    Parameters
    ----------
    sums, counts
        (patient,): sum over the patient's cases of figure minus baseline, and how many cases; 1 or more.

    Returns
    -------
    dict
        {"n", "mean", "ci95": [low, high], "bootstrap_p", "t", "p", "wilcoxon_p"}: patients, the mean difference of a
        case with its interval, the two-tailed share of replicates on the other side of 0, (1 + less) / (1 + all) x 2,
        and `paired` of the patients' means.

    Raises
    ------
    DataError
        If there are fewer than 2 patients.
    """
    tests = paired(sums / counts)
    rows = weights(len(sums))
    drawn = (rows @ sums) / (rows @ counts)
    beyond = min(int((drawn[1:] <= 0).sum()), int((drawn[1:] >= 0).sum()))
    return {
        "n": tests.n,
        "mean": float(drawn[0]),
        "ci95": percentiles(drawn[1:]),
        "bootstrap_p": min(1.0, 2.0 * (1 + beyond) / (1 + REPLICATES)),
        "t": tests.t,
        "p": tests.p,
        "wilcoxon_p": tests.wilcoxon_p,
    }


def paired(differences: Values) -> PairedTest:
    """Two-tailed tests of whether the differences of patients are 0 on average.

    Parameters
    ----------
    differences
        (patient,).

    Raises
    ------
    DataError
        If there are fewer than 2 patients.
    """
    n = len(differences)
    if n < 2:
        raise DataError(f"a paired test needs 2 patients or more that both bundles read, got {n}")
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    signed = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    if np.ptp(differences) == 0.0:
        same = mean == 0.0
        return PairedTest(n=n, mean=mean, t=0.0 if same else None, p=float(same), wilcoxon_p=signed)
    t = mean / (spread / n**0.5)
    return PairedTest(n=n, mean=mean, t=t, p=float(2.0 * stdtr(n - 1, -abs(t))), wilcoxon_p=signed)
