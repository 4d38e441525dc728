"""The bootstrap resamples patients and covers the truth as often as it says; paired tests are those of the textbook."""

import numpy as np
import pytest
from scipy import stats

from inference.errors import DataError
from inference.evaluation.statistics import REPLICATES, gain, interval, paired, percentiles, samples, weights


def test_weights_count_each_patient_once_and_then_as_drawn() -> None:
    rows = weights(7)
    assert rows.shape == (1 + REPLICATES, 7)
    assert (rows[0] == 1).all()
    assert (rows.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(rows[1], np.bincount(samples(7)[0], minlength=7))
    np.testing.assert_array_equal(rows, weights(7))


def test_an_interval_is_two_percentiles_of_the_defined_values() -> None:
    drawn = np.concatenate([np.arange(101.0), [np.nan, np.inf]])
    assert percentiles(drawn) == [2.5, 97.5]
    assert np.isnan(percentiles(np.array([np.nan]))).all()
    assert interval(np.concatenate([[50.0], drawn]), 9) == {"value": 50.0, "ci95": [2.5, 97.5]}
    assert interval(np.array([np.nan, 1.0]), 9) is None
    assert interval(np.array([1.0, 1.0]), 1) == {"value": 1.0, "ci95": None}


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Patients of 1 to 6 cases that share an effect: resampling cases would cover far less often."""
    rng = np.random.default_rng(11)
    covered = covered_by_cases = 0
    for _ in range(200):
        sizes = rng.integers(1, 7, size=40)
        cases = np.repeat(rng.normal(size=40), sizes) + rng.normal(scale=0.3, size=sizes.sum())
        sums = np.add.reduceat(cases, np.concatenate([[0], np.cumsum(sizes)[:-1]]))
        rows = weights(40)
        low, high = percentiles((rows @ sums / (rows @ sizes))[1:])
        covered += low <= 0.0 <= high
        low, high = percentiles(cases[samples(len(cases))].mean(axis=1))
        covered_by_cases += low <= 0.0 <= high
    assert 0.90 <= covered / 200 <= 0.98
    assert covered_by_cases / 200 < 0.85


def test_paired_tests_are_those_of_scipy() -> None:
    differences = np.random.default_rng(3).normal(0.2, 0.5, size=23)
    found, expected = paired(differences), stats.ttest_1samp(differences, 0.0)
    assert found.n == 23
    assert found.mean == pytest.approx(differences.mean())
    assert found.t == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(differences).pvalue)


def test_a_t_test_by_hand() -> None:
    found = paired(np.array([1.0, 2.0, 3.0]))
    assert found.t == pytest.approx(2 * 3**0.5)
    assert found.p == pytest.approx(0.0741799, abs=1e-7)


def test_differences_that_are_all_the_same_have_no_spread_to_test() -> None:
    none = paired(np.zeros(5))
    assert (none.t, none.p, none.wilcoxon_p) == (0.0, 1.0, 1.0)
    same = paired(np.full(6, 0.1))
    assert (same.t, same.p) == (None, 0.0)
    assert same.wilcoxon_p == pytest.approx(2 / 2**6)


@pytest.mark.parametrize("patients", [0, 1])
def test_one_patient_is_not_compared(patients: int) -> None:
    with pytest.raises(DataError, match=f"needs 2 patients or more that both bundles read, got {patients}"):
        paired(np.ones(patients))


def test_a_gain_over_a_baseline_is_that_of_its_patients() -> None:
    """Patients with 1 and 3 cases: the mean is over cases, the tests are over the patients' means."""
    told = gain(np.array([1.0, 0.0, 3.0]), np.array([1.0, 1.0, 3.0]))
    assert told["n"] == 3
    assert told["mean"] == pytest.approx(4 / 5)
    assert told["t"] == pytest.approx(stats.ttest_1samp([1.0, 0.0, 1.0], 0.0).statistic)
    assert told["ci95"] == [0.0, 1.0]


def test_the_p_of_a_gain_is_two_tailed_and_never_0() -> None:
    clear, none = gain(np.full(20, 0.5), np.ones(20)), gain(np.zeros(20), np.ones(20))
    assert clear["bootstrap_p"] == pytest.approx(2 / (1 + REPLICATES))
    assert none["bootstrap_p"] == 1.0
    differences = np.random.default_rng(5).normal(0.2, 1.0, size=60)
    forth, back = gain(differences, np.ones(60)), gain(-differences, np.ones(60))
    assert forth["bootstrap_p"] == back["bootstrap_p"]
    assert forth["bootstrap_p"] == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, abs=0.03)
