"""Lesions, false positives and slices counted by hand on maps that one can draw."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.algorithms import Scores
from inference.evaluation.detection import DetectionTally, by_source, figures, slice_figures, tally

ONE = np.ones((1, 1))


def drawn(*rows: str) -> NDArray[np.float32]:
    """One slice; a digit d stands for a score of d tenths."""
    return np.array([[[int(c) / 10 for c in row] for row in rows]], dtype=np.float32)


def scores(values: NDArray[np.float32]) -> Scores:
    return Scores(probability=values, marked=values >= 0.5, slices=values.max(axis=(1, 2)), classes={})


def case(
    lesions: list[float], false: list[float], slices: list[float] | None = None, truth: list[bool] | None = None
) -> DetectionTally:
    return DetectionTally(
        lesions=np.array(lesions),
        overlaps=np.array([float(s >= 0) for s in lesions]),
        false_positives=np.array(false),
        slice_scores=np.array(slices or [0.0]),
        slice_truth=np.array(truth or [False]),
    )


def test_a_case_counted_by_hand() -> None:
    truth = drawn("110000000000", "110000000001", "000000000000", "111100000000") > 0
    found = tally(scores(drawn("060000007000", "000000007000", "000000000000", "009999999990")), truth)
    # the square is touched by one voxel of four, the line of four by a region of nine in two, the dot by none
    np.testing.assert_allclose(found.lesions, [0.6, -1.0, 0.9], atol=1e-6)
    np.testing.assert_allclose(found.overlaps, [1 / 4, 0.0, 2 / 11])
    np.testing.assert_allclose(found.false_positives, [0.7], atol=1e-6)
    np.testing.assert_allclose(found.slice_scores, [0.9], atol=1e-6)
    assert found.slice_truth.tolist() == [True]


def test_corners_touch_as_in_the_findings_of_a_reading() -> None:
    found = tally(scores(drawn("0000", "0000")), drawn("1000", "0100") > 0)
    assert len(found.lesions) == 1


def test_nothing_marked_and_nothing_there() -> None:
    found = tally(scores(drawn("000")), drawn("000") > 0)
    assert (len(found.lesions), len(found.false_positives)) == (0, 0)
    figure = figures(ONE, np.zeros(1, np.int64), [found])
    assert np.isnan(figure["lesion_sensitivity"][0])
    assert np.isnan(figure["froc_sensitivity_1fp"][0])
    assert figure["false_positives_per_scan"][0] == 0.0


def test_froc_by_hand() -> None:
    """Two scans: two false positives are allowed, so what is no surer than the third does not count."""
    cases = [case([0.95, 0.6, -1.0], [0.9, 0.7]), case([0.65], [0.65, 0.3])]
    patient = np.array([0, 1])
    found = figures(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]]), patient, cases)
    # first row: 0.9 and 0.7 are allowed, 0.65 is cut together with the lesion that ties with it; then each scan twice
    np.testing.assert_allclose(found["froc_sensitivity_1fp"], [1 / 4, 1 / 3, 1.0])
    np.testing.assert_allclose(found["lesion_sensitivity"], [3 / 4, 2 / 3, 1.0])
    np.testing.assert_allclose(found["lesion_sensitivity_iou10"], [3 / 4, 2 / 3, 1.0])
    np.testing.assert_allclose(found["false_positives_per_scan"], [2.0, 2.0, 2.0])


def test_froc_with_few_false_positives_is_the_sensitivity_of_everything_marked() -> None:
    found = figures(ONE, np.zeros(2, np.int64), [case([0.6, -1.0], [0.9]), case([], [0.8])])
    assert found["froc_sensitivity_1fp"][0] == found["lesion_sensitivity"][0] == 0.5


def test_slices_are_ranked_over_cases() -> None:
    cases = [case([], [], [0.1, 0.8, 0.4], [False, True, True]), case([], [], [0.4, 0.0], [False, False])]
    found = slice_figures(np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([0, 1]), cases)
    # positives 0.8 and 0.4 against 0.1, 0.4 and 0: of six pairs five are right and one ties
    np.testing.assert_allclose(found["image_auroc"], [5.5 / 6, 1.0])
    np.testing.assert_allclose(found["image_ap"], [(1 + 2 / 3) / 2, 1.0])


def test_slices_of_one_kind_have_no_figure() -> None:
    assert slice_figures(ONE, np.zeros(1, np.int64), [case([], [], [0.1, 0.9], [True, True])]) == {}


def test_sources_alone_can_tell_slices_apart() -> None:
    sick, well = case([], [], [0.1, 0.2], [True, True]), case([], [], [0.9, 0.9], [False, False])
    mixed = case([], [], [0.5, 0.5], [True, False])
    assert by_source([0, 1], [sick, well]) == 1.0
    assert by_source([0, 0], [sick, well]) == 0.5
    assert by_source([0, 1], [mixed, mixed]) == 0.5
    assert by_source([0, 1], [sick, mixed]) == pytest.approx((2 * 1 + 0.5) / 3)
