"""BLEU-1 to BLEU-4 of texts against one reference each, with brevity penalty: of a corpus as counts, of one sentence.

Papineni et al., BLEU (ACL 2002), section 2.3: of n-grams up to N, the geometric mean of the precisions, each n-gram
counted at most as often as the reference has it, times exp(1 - r / c) where the text (c words) is shorter than the
reference (r words).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ORDERS = 4
"""Longest n-gram, in words."""

Values = NDArray[np.float64]


def counts(candidate: Sequence[str], reference: Sequence[str]) -> Values:
    """What BLEU of a corpus needs of one text: adds up over texts.

    Returns
    -------
    ndarray
        (2 + 2 x ORDERS,): words of the candidate, words of the reference, then for each order the n-grams of the
        candidate that the reference has, then for each order the n-grams of the candidate.
    """
    shared, whole = [], []
    for order in range(1, ORDERS + 1):
        found, wanted = n_grams(candidate, order), n_grams(reference, order)
        shared.append((found & wanted).total())
        whole.append(found.total())
    return np.array([len(candidate), len(reference), *shared, *whole], dtype=np.float64)


def corpus(sums: Values) -> Values:
    """BLEU-1 to BLEU-4 of corpora, unsmoothed: 0 where an order has no n-gram in common, NaN where there is no word.

    Parameters
    ----------
    sums
        (row, 2 + 2 x ORDERS): sums of `counts` over the texts of each row.

    Returns
    -------
    ndarray
        (row, ORDERS), float64, within [0, 1].
    """
    shared, whole = sums[:, 2 : 2 + ORDERS], sums[:, 2 + ORDERS :]
    return _bleu(sums[:, 0], sums[:, 1], np.where(whole > 0, shared / np.maximum(whole, 1), 0.0))


def sentence(candidate: Sequence[str], reference: Sequence[str]) -> Values:
    """BLEU-1 to BLEU-4 of one text, (ORDERS,); 1 of a text against itself, NaN where neither has a word.

    From the second order on, 1 is added to both counts of n-grams, so that a short text without a common n-gram is not
    0: Lin and Och, ORANGE (COLING 2004).
    """
    told = counts(candidate, reference)
    shared, whole = told[2 : 2 + ORDERS], told[2 + ORDERS :]
    plus = np.array([0.0] + [1.0] * (ORDERS - 1))
    precision = np.where(whole + plus > 0, (shared + plus) / np.maximum(whole + plus, 1), 0.0)
    result: Values = _bleu(told[:1], told[1:2], precision[None])[0]
    return result


def n_grams(text: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """Runs of `order` words and how often each occurs."""
    return Counter(tuple(text[start : start + order]) for start in range(len(text) - order + 1))


def _bleu(candidate: Values, reference: Values, precision: Values) -> Values:
    """(row,), (row,) words and (row, ORDERS) precisions to (row, ORDERS)."""
    with np.errstate(divide="ignore"):
        logs = np.cumsum(np.log(precision), axis=1) / np.arange(1, ORDERS + 1)
    ratio = np.divide(reference, candidate, out=np.full(candidate.shape, np.inf), where=candidate > 0)
    brevity = np.exp(np.minimum(0.0, 1.0 - ratio))
    scores: Values = np.exp(logs) * brevity[:, None]
    return np.where((candidate + reference > 0)[:, None], scores, np.nan)
