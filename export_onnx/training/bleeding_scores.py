"""How well malformations and haemorrhages are told apart, and found: over patients with intervals; knows no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.ranking import auroc, ratio
from inference.evaluation.statistics import interval, weights

_ECE_BINS = 10
_UNDECIDED = 0.5  # of a patient in whom nothing was found

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LesionScore:
    """One planted lesion.

    Attributes
    ----------
    placed
        Probability of haemorrhage with the lesion's true place and outline.
    read
        The same of the reader's candidate that covers most of it; None where it found none.
    ball
        Whether `inference/imaging/candidates` alone finds it.
    size_mm, brightness
        What the trivial baselines know: longest axis, and mean in medians of the brain.
    true_site, site
        Part of the brain by the true transformation and by the reader's, "" for none; None where not found.
    """

    placed: float
    read: float | None
    ball: bool
    size_mm: float
    brightness: float
    true_site: str
    site: str | None


@dataclass(frozen=True, kw_only=True)
class PatientScore:
    """One patient, all of whose lesions are of one kind; `read` is None where the reader found no candidate."""

    haemorrhage: bool
    lesions: tuple[LesionScore, ...]
    placed: float
    read: float | None
    false_candidates: int


def subsets(patients: Sequence[PatientScore]) -> list[dict[str, Any]]:
    """Figures as `metrics.json` has them: the classifier at the true places, and the chain as a node runs it."""
    some = [patient for patient in patients if patient.lesions]
    rows = weights(len(some))
    return [_subset("true-place", some, _placed(some, rows)), _subset("chain", some, _chain(some, rows))]


def _subset(name: str, some: Sequence[PatientScore], figures: dict[str, Values]) -> dict[str, Any]:
    told = {key: interval(values, len(some)) for key, values in figures.items()}
    truth = np.array([p.haemorrhage for p in some for _ in p.lesions])
    share = float(truth.mean())
    return {
        "name": name,
        "n_patients": len(some),
        "n_cases": len(some),
        "n_lesions": len(truth),
        "metrics": {key: value for key, value in told.items() if value is not None and value["ci95"] is not None},
        "baselines": {"lesion_accuracy_majority": max(share, 1.0 - share), **_trivial(some, truth)},
    }


def _trivial(some: Sequence[PatientScore], truth: Flags) -> dict[str, float]:
    """AUC of the size alone and of the mean brightness alone, whichever way round is better."""
    once = np.ones((1, len(truth)))
    size = np.array([lesion.size_mm for p in some for lesion in p.lesions])
    brightness = np.array([lesion.brightness for p in some for lesion in p.lesions])
    found = {"lesion_auc_size_only": size, "lesion_auc_intensity_only": brightness}
    areas = {name: float(area(once, values, truth)[0]) for name, values in found.items()}
    return {name: max(value, 1.0 - value) for name, value in areas.items() if np.isfinite(value)}


def _placed(some: Sequence[PatientScore], rows: Values) -> dict[str, Values]:
    patient, truth = _lines(some)
    score = np.array([lesion.placed for p in some for lesion in p.lesions])
    return {
        **_of_lines("lesion", rows[:, patient], score, truth),
        **_of_lines("patient", rows, np.array([p.placed for p in some]), np.array([p.haemorrhage for p in some])),
    }


def _chain(some: Sequence[PatientScore], rows: Values) -> dict[str, Values]:
    patient, truth = _lines(some)
    lesions = [lesion for p in some for lesion in p.lesions]
    of_line = rows[:, patient]
    found = np.array([lesion.read is not None for lesion in lesions])
    score = np.array([_UNDECIDED if lesion.read is None else lesion.read for lesion in lesions])
    whole = np.array([_UNDECIDED if p.read is None else p.read for p in some])
    given = np.array([bool(lesion.site) for lesion in lesions])
    agrees = np.array([bool(lesion.site) and lesion.site == lesion.true_site for lesion in lesions])
    both = np.array([bool(lesion.site) and bool(lesion.true_site) for lesion in lesions])
    total = of_line.sum(axis=1)
    return {
        "candidate_sensitivity": ratio(of_line @ found.astype(np.float64), total),
        "ball_candidate_sensitivity": ratio(of_line @ np.array([float(lesion.ball) for lesion in lesions]), total),
        "false_candidates_per_scan": ratio(
            rows @ np.array([float(p.false_candidates) for p in some]), rows.sum(axis=1)
        ),
        "found_lesion_auc": area(of_line[:, found], score[found], truth[found]),
        **_of_lines("patient", rows, whole, np.array([p.haemorrhage for p in some])),
        "site_given": ratio(of_line @ given.astype(np.float64), of_line @ found.astype(np.float64)),
        "site_agrees": ratio(of_line @ agrees.astype(np.float64), of_line @ both.astype(np.float64)),
    }


def _lines(some: Sequence[PatientScore]) -> tuple[NDArray[np.int64], Flags]:
    """Of each lesion: index of its patient, and whether it is a haemorrhage."""
    patient = np.array([index for index, p in enumerate(some) for _ in p.lesions])
    return patient, np.array([p.haemorrhage for p in some])[patient]


def _of_lines(name: str, rows: Values, score: Values, truth: Flags) -> dict[str, Values]:
    """Figures of probabilities (line,) on each row of weights (row, line)."""
    said, there = score >= 0.5, truth
    hits, wrong = rows @ (said & there).astype(np.float64), rows @ (said & ~there).astype(np.float64)
    missed = rows @ (~said & there).astype(np.float64)
    return {
        f"{name}_auc": area(rows, score, truth),
        f"{name}_f1": ratio(2.0 * hits, 2.0 * hits + wrong + missed),
        f"{name}_sensitivity": ratio(hits, hits + missed),
        f"{name}_specificity": ratio(rows @ (~said & ~there).astype(np.float64), rows @ (~there).astype(np.float64)),
        f"{name}_ece": _ece(rows, score, truth),
    }


def area(rows: Values, score: Values, truth: Flags) -> Values:
    """Area under the ROC curve of a score (line,) on each row of weights (row, line)."""
    levels, level = np.unique(score, return_inverse=True)
    at = np.eye(len(levels))[level]
    return auroc(rows @ (at * truth[:, None]), rows @ (at * ~truth[:, None]))


def _ece(rows: Values, score: Values, truth: Flags) -> Values:
    """Expected calibration error over ten bins of the probability of haemorrhage."""
    index = np.minimum((score * _ECE_BINS).astype(np.int64), _ECE_BINS - 1)
    gaps = rows @ (np.eye(_ECE_BINS)[index] * (truth - score)[:, None])
    return ratio(np.abs(gaps).sum(axis=1), rows.sum(axis=1))
