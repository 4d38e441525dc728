"""What is chosen on validation, never on test: threshold, least peak, temperature of the kinds; numpy and scipy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from inference.imaging.components import components

Array = NDArray[np.float32]

_THRESHOLDS = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))
_PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_AS_GOOD = 0.003  # of Dice, within which the more even precision and recall win


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How probabilities become marks.

    Attributes
    ----------
    threshold
        Of a pixel.
    least_peak
        Of a region.
    temperature
        Of the kinds.
    dice
        Over all pixels of the validation at that threshold and peak.
    """

    threshold: float
    least_peak: float
    temperature: float
    dice: float


def chosen(probability: Array, truth: NDArray[np.bool_], temperature: float) -> Choice:
    """Threshold and least peak with the best Dice over all pixels.

    Parameters
    ----------
    probability, truth
        (slice, row, column) of the validation.
    temperature
        As `fitted_temperature` gives it.
    """
    ranked = []
    for threshold in _THRESHOLDS:
        dice, evenness = _figures(probability >= threshold, truth)
        ranked.append((dice, evenness, threshold))
    best = max(ranked)[0]
    _, _, threshold = max((r for r in ranked if r[0] >= best - _AS_GOOD), key=lambda r: r[1])
    by_peak = [
        (_figures(_sure(probability, threshold, peak), truth)[0], peak)
        for peak in _PEAKS
        if peak == 0 or peak > threshold
    ]
    dice, peak = max(by_peak)
    return Choice(threshold=threshold, least_peak=peak, temperature=temperature, dice=dice)


def fitted_temperature(logs: NDArray[np.float64], wanted: NDArray[np.int_], patients: Sequence[str]) -> float:
    """Temperature of the least cross entropy, each patient with the same weight.

    Parameters
    ----------
    logs
        (slice, kind): mean logarithm of each kind's probability over the tumour of a slice.
    wanted
        (slice,): index of the true kind.
    patients
        Whose slice it is.
    """
    _, inverse, counts = np.unique(np.array(patients), return_inverse=True, return_counts=True)
    weights = 1.0 / counts[inverse]

    def entropy(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        scaled = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return float(-(weights * scaled[np.arange(len(wanted)), wanted]).sum() / weights.sum())

    found = minimize_scalar(entropy, bounds=(np.log(0.25), np.log(8.0)), method="bounded")
    return round(float(np.exp(found.x)), 3)


def mean_logs(probability: Array, kinds: Array) -> NDArray[np.float64]:
    """(slice, kind): mean logarithm of (slice, kind, row, column), weighted with the tumour's (slice, row, column)."""
    weight = probability[:, None].astype(np.float64)
    summed = (np.log(np.maximum(kinds, 1e-6)) * weight).sum(axis=(2, 3))
    means: NDArray[np.float64] = summed / np.maximum(weight.sum(axis=(2, 3)), 1e-12)
    return means


def _figures(marked: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Dice over all pixels, and the lesser of precision and recall."""
    common, drawn, true = int((marked & truth).sum()), int(marked.sum()), int(truth.sum())
    return 2.0 * common / max(drawn + true, 1), min(common / max(drawn, 1), common / max(true, 1))


def _sure(probability: Array, threshold: float, peak: float) -> NDArray[np.bool_]:
    """Marks without the regions whose surest pixel lies below `peak`."""
    marked = probability >= threshold
    if peak == 0.0:
        return marked
    kept = np.zeros_like(marked)
    for index in np.flatnonzero((probability >= peak).any(axis=(1, 2))):
        for part in components(marked[index : index + 1], np.eye(4)):
            values = probability[index][tuple(part.indices.T[1:])]
            if values.max() >= peak:
                kept[index][tuple(part.indices.T[1:])] = True
    return kept
