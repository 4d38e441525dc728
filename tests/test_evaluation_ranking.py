"""AUROC is Mann-Whitney's U, average precision the mean precision at the positives, on anything hypothesis finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from inference.evaluation.ranking import auroc, average_precision, ratio

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=30)


def counts(scores: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.bincount(scores, minlength=7).astype(np.float64)


@given(SCORES, SCORES)
def test_auroc_is_mann_whitney_with_ties(positive: list[int], negative: list[int]) -> None:
    expected = mannwhitneyu(positive, negative, method="asymptotic", alternative="greater").statistic
    found = auroc(counts(positive), counts(negative))
    np.testing.assert_allclose(found, expected / (len(positive) * len(negative)))


@given(SCORES, SCORES)
def test_average_precision_is_the_precision_at_each_positive(positive: list[int], negative: list[int]) -> None:
    at = [sum(p >= s for p in positive) / sum(x >= s for x in positive + negative) for s in positive]
    np.testing.assert_allclose(average_precision(counts(positive), counts(negative)), np.mean(at))


def test_rows_are_taken_one_by_one_and_what_is_undefined_is_no_number() -> None:
    positive, negative = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0], [3.0, 1.0]])
    np.testing.assert_array_equal(auroc(positive, negative), [1.0, 0.5, np.nan])
    np.testing.assert_array_equal(average_precision(positive, negative), [1.0, 0.5, np.nan])
    np.testing.assert_array_equal(ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])), [0.5, np.nan])
