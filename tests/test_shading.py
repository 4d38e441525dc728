import numpy as np
import pytest
from numpy.typing import NDArray

from inference.imaging.shading import even, fitted

AFFINE = np.array([[0, 0, 4.0, -60.0], [0, 3.0, 0, -50.0], [5.0, 0, 0, -40.0], [0, 0, 0, 1.0]])
SHAPE = (18, 30, 26)


def places() -> NDArray[np.float64]:
    index = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    points: NDArray[np.float64] = index @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return points


def field() -> NDArray[np.float64]:
    x, y, z = np.moveaxis(places(), -1, 0) / 60.0
    brightness: NDArray[np.float64] = 400.0 * np.exp(0.3 * x - 0.2 * y + 0.15 * z * z)
    return brightness


def test_a_smooth_field_is_found_through_noise_and_lesions() -> None:
    rng = np.random.default_rng(0)
    image = field() * rng.normal(1.0, 0.03, SHAPE)
    image[rng.random(SHAPE) < 0.05] *= 3.0
    shading = fitted(image.astype(np.float32).ravel(), places().reshape(-1, 3))
    assert np.abs(shading.over(AFFINE, SHAPE) / field() - 1.0).max() < 0.03


def test_the_field_is_one_of_places_not_of_voxels() -> None:
    shading = fitted(field().astype(np.float32).ravel(), places().reshape(-1, 3))
    flipped = AFFINE.copy()
    flipped[:3, 3] += AFFINE[:3, 0] * (SHAPE[0] - 1)
    flipped[:3, 0] *= -1
    assert np.allclose(shading.over(flipped, SHAPE)[::-1], shading.over(AFFINE, SHAPE), rtol=1e-4)


def test_far_outside_it_does_not_run_away() -> None:
    shading = fitted(field().astype(np.float32).ravel(), places().reshape(-1, 3))
    far = AFFINE.copy()
    far[:3, 3] += 1000.0
    values = shading.over(far, SHAPE)
    assert field().min() / 1.5 < values.min() <= values.max() < field().max() * 1.5


def test_even_is_1_everywhere() -> None:
    assert np.array_equal(even().over(AFFINE, SHAPE), np.ones(SHAPE, dtype=np.float32))


def test_what_is_not_above_0_does_not_count() -> None:
    image = field()
    image[::2] = 0.0
    shading = fitted(image.astype(np.float32).ravel(), places().reshape(-1, 3))
    assert shading.over(AFFINE, SHAPE) == pytest.approx(field(), rel=0.02)
