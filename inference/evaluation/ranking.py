"""Area under the ROC curve and average precision from counts by rising score; knows no image and no patient."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def auroc(positive: Values, negative: Values) -> Values:
    """Probability that a positive scores higher than a negative, ties counted half (Mann-Whitney).

    Parameters
    ----------
    positive, negative
        (..., score): how many, or how much weight, have each score; scores rise along the last axis.

    Returns
    -------
    ndarray
        (...,), float64; NaN where there is no positive or no negative.
    """
    below = np.cumsum(negative, axis=-1) - 0.5 * negative
    return ratio((positive * below).sum(axis=-1), positive.sum(axis=-1) * negative.sum(axis=-1))


def average_precision(positive: Values, negative: Values) -> Values:
    """Mean over the positives of the precision at their score; equal scores are taken together.

    Parameters and result as in `auroc`; NaN where there is no positive.
    """
    hits = np.cumsum(positive[..., ::-1], axis=-1)
    taken = hits + np.cumsum(negative[..., ::-1], axis=-1)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    return ratio((positive[..., ::-1] * precision).sum(axis=-1), positive.sum(axis=-1))


def ratio(above: Values, below: Values) -> Values:
    """`above / below`, NaN where below is 0."""
    divided: Values = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)
    return divided
