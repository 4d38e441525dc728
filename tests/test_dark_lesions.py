"""Dark balls, and dark rims with bright insides, are one region each; a sheet and a healthy brain are none."""

import numpy as np
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging.dark_lesions import dark_lesions
from tests.test_candidates import AFFINE, SHAPE, points


def head(seed: int) -> tuple[NDArray[np.float32], Mask]:
    """An ellipsoid of two tissues with noise, as T2 shows them, evened out."""
    place = points()
    brain = ((place / [45.0, 55.0, 52.0]) ** 2).sum(axis=-1) < 1.0
    white = ((place / [30.0, 38.0, 36.0]) ** 2).sum(axis=-1) < 1.0
    noise = np.random.default_rng(seed).normal(0, 0.04, SHAPE)
    values = np.where(white, 0.8, np.where(brain, 1.15, 2.0)) + noise
    return values.astype(np.float32), brain


def test_a_healthy_brain_has_none() -> None:
    for seed in range(3):
        assert dark_lesions(*head(seed), AFFINE) == ()


def test_no_brain_no_candidates() -> None:
    values, brain = head(0)
    assert dark_lesions(values, np.zeros_like(brain), AFFINE) == ()


def test_a_dark_rim_with_a_bright_inside_is_one_region_with_its_inside() -> None:
    values, brain = head(1)
    away = np.linalg.norm(points() - [10.0, 5.0, -8.0], axis=-1)
    values[away < 8.0] = 1.6
    values[(away < 8.0) & (away > 5.5)] = 0.1
    (one,) = dark_lesions(values, brain, AFFINE)
    assert np.allclose(one.part.centroid_mm, [10.0, 5.0, -8.0], atol=2.0)
    assert abs(one.part.longest_axis_mm - 16.0) < 5.0
    assert one.part.region[away < 4.0].mean() > 0.8


def test_a_dark_ball_is_found_and_a_dark_sheet_is_not() -> None:
    values, brain = head(2)
    place = points()
    values[np.linalg.norm(place - [-12.0, 0.0, 4.0], axis=-1) < 5.0] = 0.2
    values[(np.abs(place[..., 0] - 18.0) < 1.6) & (np.hypot(place[..., 1], place[..., 2]) < 24.0)] = 0.2
    found = dark_lesions(values, brain, AFFINE)
    assert any(np.allclose(c.part.centroid_mm, [-12.0, 0.0, 4.0], atol=2.0) for c in found)
    assert not any(c.part.centroid_mm[0] > 14.0 and c.blobness > 0.75 for c in found)
    assert all(0.0 <= c.score <= 1.0 for c in found)
