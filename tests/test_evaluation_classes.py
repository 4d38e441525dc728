"""Patient-wise figures of classes by hand."""

import numpy as np
import pytest

from inference.evaluation.classes import ClassTable, baselines, figures, table


def test_a_patient_is_the_geometric_mean_of_the_cases() -> None:
    told = [{"b": 0.9, "a": 0.1}, {"b": 0.001, "a": 0.999}, {"b": 0.2, "a": 0.8}]
    lines = table([4, 4, 1], ["b", "b", "a"], told)
    assert lines.patient.tolist() == [1, 4]
    assert lines.truth.tolist() == [0, 1]
    a, b = (0.1 * 0.999) ** 0.5, (0.9 * 0.001) ** 0.5
    np.testing.assert_allclose(lines.probability, [[0.8, 0.2], [a / (a + b), b / (a + b)]])
    assert lines.named.tolist() == [0, 0]  # two votes of three would have said b for the second


def test_a_probability_of_nothing_does_not_decide_alone() -> None:
    lines = table([0, 0, 0, 0], ["a"] * 4, [{"a": 0.0, "b": 1.0}] + [{"a": 1.0, "b": 1e-7}] * 3)
    assert lines.named.tolist() == [0]


def test_a_patient_with_two_classes_has_two_lines() -> None:
    lines = table([0, 0], ["a", "b"], [{"a": 0.9, "b": 0.1}, {"a": 0.3, "b": 0.7}])
    assert lines.patient.tolist() == [0, 0]
    assert figures(np.ones((1, 1)), lines)["class_accuracy"][0] == 1.0


def lines(truth: list[int], probability: list[list[float]]) -> ClassTable:
    return ClassTable(
        patient=np.arange(len(truth)), truth=np.array(truth, dtype=np.int64), probability=np.array(probability)
    )


def test_figures_by_hand() -> None:
    made = lines([0, 0, 1, 2], [[0.82, 0.1, 0.08], [0.2, 0.74, 0.06], [0.14, 0.75, 0.11], [0.5, 0.1, 0.4]])
    found = {name: values[0] for name, values in figures(np.ones((1, 4)), made).items()}
    assert found["class_accuracy"] == 0.5
    # class 0: one right of two, one named wrongly; class 1: right, one named wrongly; class 2: never named
    assert found["f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)
    # class 0: 0.82 above 0.14 and 0.5, 0.2 above 0.14; class 1: 0.75 above all; class 2: 0.4 above all
    assert found["auc"] == pytest.approx((3 / 4 + 1 + 1) / 3)
    # bins: 0.82 right; 0.74 wrong with 0.75 right; 0.5 wrong
    assert found["ece"] == pytest.approx((0.18 + abs(1 - 0.74 - 0.75) + 0.5) / 4)
    assert baselines(made) == {"class_majority": 0.5}


def test_a_class_that_nobody_has_or_is_called_is_passed_over() -> None:
    made = lines([0, 1], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    found = figures(np.array([[1.0, 1.0], [2.0, 0.0]]), made)
    np.testing.assert_array_equal(found["f1"], [1.0, 1.0])
    np.testing.assert_array_equal(found["auc"], [1.0, np.nan])


def test_a_certainty_of_1_falls_into_the_last_bin() -> None:
    found = figures(np.ones((1, 2)), lines([0, 0], [[1.0, 0.0], [0.0, 1.0]]))
    assert found["ece"][0] == pytest.approx(0.5)  # right once in two at a certainty of 1


def test_calibration_is_of_the_class_that_is_named() -> None:
    found = figures(np.ones((1, 4)), lines([0, 0, 0, 1], [[0.75, 0.25]] * 4))
    assert found["ece"][0] == pytest.approx(0.0)
