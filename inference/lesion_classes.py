"""From a graph's logits of slices to the probability of a candidate and of a patient; numbers only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the classifier says of one candidate.

    Attributes
    ----------
    slices
        (slice index, probability of the second class), for each slice that the candidate touches.
    probability
        Of the second class, for the candidate as a whole.
    """

    slices: tuple[tuple[int, float], ...]
    probability: float


def told(logits: Values, slices: Sequence[int], areas: Values, temperature: float) -> Told:
    """One candidate.

    Parameters
    ----------
    logits
        (slice, 2): of both classes.
    slices
        Index of each slice in the volume.
    areas
        (slice,): voxels of the candidate, the slices' weights in its mean log-odds.
    temperature
        The logits are divided by it.
    """
    odds = (logits[:, 1] - logits[:, 0]) / temperature
    return Told(
        slices=tuple((int(k), float(p)) for k, p in zip(slices, _probability(odds), strict=True)),
        probability=float(_probability(np.array([np.average(odds, weights=areas)]))[0]),
    )


def of_patient(probabilities: Sequence[float], rule: Literal["max", "noisy-or"]) -> float:
    """Probability of the second class in a patient with these candidates.

    Raises
    ------
    ValueError
        If there is no candidate.
    """
    if not probabilities:
        raise ValueError("a patient without candidate has no probability")
    if rule == "max":
        return max(probabilities)
    return 1.0 - float(np.prod([1.0 - p for p in probabilities]))


def scaled_size(size_mm: Values, lower_mm: float, upper_mm: float) -> NDArray[np.float32]:
    """Logarithm of sizes (lesion,), mm, so that `lower_mm` is 0 and `upper_mm` 1; cut off beyond; (lesion, 1)."""
    share = np.log(np.maximum(size_mm, 1e-6) / lower_mm) / np.log(upper_mm / lower_mm)
    scaled: NDArray[np.float32] = np.clip(share, 0.0, 1.0).astype(np.float32)[:, None]
    return scaled


def _probability(odds: Values) -> Values:
    probability: Values = 0.5 + 0.5 * np.tanh(0.5 * odds)
    return probability
