"""The figures of the card are what their names say, on cases small enough to count by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from export_onnx.training.lesion_scores import CaseScore, interval, score, subset


def _mask(*voxels: int) -> NDArray[np.bool_]:
    mask = np.zeros((2, 5, 2), dtype=np.bool_)
    mask.ravel()[list(voxels)] = True
    return mask


def test_a_case_counted_by_hand() -> None:
    lesions = [_mask(0, 1, 2, 3), _mask(8, 9), _mask(19)]
    regions = [_mask(2, 3, 4), _mask(9, 10, 11, 12, 13, 14, 15, 16, 17, 18), _mask(6)]
    found = score(lesions, regions, 20)
    assert found == CaseScore(
        lesions=3,
        touched=2,
        hit=1,  # the first: 2 of 5; the second: 1 of 11 is below a tenth
        false_positives=1,
        true_voxels=7,
        marked_voxels=14,
        common_voxels=3,
        voxels=20,
    )
    assert found.dice == pytest.approx(6 / 21)


def test_nothing_where_nothing_is_has_dice_1_and_something_has_0() -> None:
    assert score([], [], 20).dice == 1.0
    assert score([], [_mask(1)], 20).dice == 0.0
    assert score([_mask(1)], [], 20).dice == 0.0


def test_a_subset_names_its_metrics_and_its_baselines() -> None:
    sick = score([_mask(0, 1)], [_mask(1, 2)], 20)
    well = score([], [], 20)
    part = subset("all", [sick, well])
    assert (part["n_patients"], part["n_lesions"]) == (2, 1)
    metrics, baselines = part["metrics"], part["baselines"]
    assert isinstance(metrics, dict)
    assert {name: figure["value"] for name, figure in metrics.items()} == {
        "case_dice": 0.75,
        "false_positives_per_scan": 0.0,
        "pixel_accuracy": 38 / 40,
        "lesion_sensitivity": 1.0,
        "lesion_sensitivity_iou10": 1.0,
        "pixel_dice": 0.5,
        "pixel_precision": 0.5,
        "pixel_recall": 0.5,
        "empty_when_healthy": 1.0,
    }
    assert baselines == {"pixel_accuracy_all_negative": 38 / 40, "case_dice_all_negative": 0.5}
    healthy = subset("healthy", [well])["metrics"]
    assert isinstance(healthy, dict)
    assert "lesion_sensitivity" not in healthy
    assert healthy["empty_when_healthy"] == {"value": 1.0, "ci95": [1.0, 1.0]}


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Patients who have their one lesion found with probability 0.8; the nominal coverage is 95 %."""
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(60):
        scores = [score([_mask(0)], [_mask(0)] if rng.random() < 0.8 else [], 20) for _ in range(40)]
        ends = interval(scores, lambda s: sum(c.touched for c in s) / sum(c.lesions for c in s))["ci95"]
        assert isinstance(ends, list)
        covered += ends[0] <= 0.8 <= ends[1]
    assert 0.85 <= covered / 60 <= 1.0
