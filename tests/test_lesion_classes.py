"""Slices to candidate to patient, by rules that the manifest names."""

import numpy as np
import pytest

from inference.lesion_classes import of_patient, scaled_size, told


def test_a_candidate_is_the_area_weighted_mean_of_its_slices_log_odds() -> None:
    logits = np.array([[0.0, 2.0], [0.0, -1.0]])
    said = told(logits, (4, 5), np.array([3.0, 1.0]), 1.0)
    assert said.probability == pytest.approx(1.0 / (1.0 + np.exp(-1.25)))
    assert [k for k, _ in said.slices] == [4, 5]
    assert said.slices[0][1] == pytest.approx(1.0 / (1.0 + np.exp(-2.0)))
    softer = told(logits, (4, 5), np.array([3.0, 1.0]), 2.0)
    assert softer.probability == pytest.approx(1.0 / (1.0 + np.exp(-0.625)))


def test_the_patient_rules() -> None:
    assert of_patient([0.2, 0.7, 0.1], "max") == 0.7
    assert of_patient([0.5, 0.5], "noisy-or") == pytest.approx(0.75)
    with pytest.raises(ValueError, match="no probability"):
        of_patient([], "max")


def test_sizes_are_scaled_by_their_logarithm_and_cut_off() -> None:
    scaled = scaled_size(np.array([1.0, 2.0, np.sqrt(120.0), 60.0, 100.0]), 2.0, 60.0)
    assert scaled.shape == (5, 1)
    np.testing.assert_allclose(scaled[:, 0], [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-6)
