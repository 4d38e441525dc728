"""Figures of voxels are those that one counts by hand, and the histogram loses nothing that matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from inference.evaluation.pixels import BINS, PixelTally, baselines, binned, figures, histogram, tally

ONE = np.ones((1, 1))


def expected_auroc(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    positive, negative = scores[truth], scores[~truth]
    u = mannwhitneyu(positive, negative, method="asymptotic").statistic
    return float(u / (len(positive) * len(negative)))


@pytest.mark.parametrize("logit_scale", [0.02, 1.0, 5.0])
def test_auroc_from_the_histogram_is_that_of_the_voxels(logit_scale: float) -> None:
    """Crowded about 0.5, spread, and crowded at 0 and 1: 256 levels would lose the first and the last."""
    rng = np.random.default_rng(0)
    truth = rng.random((2, 50, 60)) < 0.1
    logits = logit_scale * (rng.normal(size=truth.shape) + truth)
    probability = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
    case = tally(probability >= 0.5, truth)
    found = figures(ONE, np.zeros(1, np.int64), [case], histogram(probability, truth)[None])["pixel_auroc"]
    assert found[0] == pytest.approx(expected_auroc(probability, truth), abs=1e-3)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=40))
def test_bins_keep_the_order_of_scores(values: list[float]) -> None:
    bins = binned(np.sort(np.array(values, dtype=np.float32)))
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < BINS


def test_the_ends_have_bins_of_their_own() -> None:
    p = np.array([0.0, 1e-6, 0.5 - 3e-4, 0.5 + 3e-4, 1 - 1e-6, 1.0], dtype=np.float32)
    assert len(set(binned(p))) == 6
    assert (binned(p)[0], binned(p)[-1]) == (0, BINS - 1)


def test_counts_by_hand() -> None:
    truth = np.array([[[True, True, False, False, False]]])
    marked = np.array([[[True, False, True, True, False]]])
    case = tally(marked, truth)
    assert case == PixelTally(common=1, marked=3, true=2, voxels=5)
    assert case.dice == pytest.approx(2 / 5)
    assert case.accuracy == pytest.approx(2 / 5)


def test_figures_by_hand_over_two_patients() -> None:
    cases = [
        PixelTally(common=3, marked=4, true=6, voxels=20),
        PixelTally(common=0, marked=0, true=0, voxels=20),
        PixelTally(common=0, marked=5, true=0, voxels=20),
    ]
    empty = np.zeros((2, 2, BINS))
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    found = figures(weights, np.array([0, 0, 1]), cases, empty)
    np.testing.assert_allclose(found["pixel_precision"], [3 / 9, 3 / 4, np.nan])
    np.testing.assert_allclose(found["pixel_recall"], [0.5, 0.5, np.nan])
    np.testing.assert_allclose(found["pixel_dice"], [6 / 15, 6 / 10, np.nan])
    np.testing.assert_allclose(found["pixel_accuracy"], [51 / 60, 36 / 40, 15 / 20])
    np.testing.assert_allclose(found["case_dice"], [(0.6 + 1 + 0) / 3, 0.8, 0])
    np.testing.assert_allclose(found["case_dice_with_finding"], [0.6, 0.6, np.nan])
    assert np.isnan(found["pixel_auroc"]).all()
    assert baselines(cases) == {
        "pixel_accuracy_all_negative": 54 / 60,
        "pixel_prevalence": pytest.approx(0.1),
        "case_dice_all_negative": pytest.approx(2 / 3),
    }


def test_many_replicates_are_taken_in_parts() -> None:
    rng = np.random.default_rng(5)
    histograms = rng.integers(0, 9, size=(3, 2, BINS)).astype(np.float64)
    weights = rng.integers(0, 4, size=(200, 3)).astype(np.float64) + 1
    case = PixelTally(common=1, marked=1, true=1, voxels=2)
    found = figures(weights, np.arange(3), [case] * 3, histograms)["pixel_auroc"]
    alone = figures(weights[150:151], np.arange(3), [case] * 3, histograms)["pixel_auroc"]
    assert found.shape == (200,)
    assert found[150] == pytest.approx(alone[0])
