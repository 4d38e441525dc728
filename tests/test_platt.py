"""Platt scaling gives back the probability that a distorted score came from, and is never endlessly sure."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from export_onnx.training.platt import platt


def test_a_distorted_score_is_straightened() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(0.0, 2.0, 20_000)
    truth = rng.random(20_000) < 1.0 / (1.0 + np.exp(-logit))
    said = 1.0 / (1.0 + np.exp(-(3.0 * logit - 1.0)))
    found = platt(said.astype(np.float32), truth)
    assert found.slope == pytest.approx(1.0 / 3.0, rel=0.06)
    assert found.intercept == pytest.approx(1.0 / 3.0, abs=0.06)


def test_scores_that_part_the_classes_stay_below_certainty() -> None:
    truth = np.arange(40) >= 20
    found = platt(np.where(truth, 0.9, 0.1).astype(np.float32), truth)
    logit = np.log(9.0)
    highest = 1.0 / (1.0 + np.exp(-(found.slope * logit + found.intercept)))
    assert highest == pytest.approx(21.0 / 22.0, abs=0.01)
