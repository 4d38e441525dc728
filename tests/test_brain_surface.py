import numpy as np
import pytest

from inference.imaging.brain_surface import Surroundings, edge_share, grown, outside_volume
from inference.imaging.surface import Surface, sphere

SPACING = 2.0
SIZE = 90
"""Voxels along each side; the grid's middle is at 0 mm."""


def distance_mm() -> np.ndarray:
    along = SPACING * (np.arange(SIZE) - (SIZE - 1) / 2)
    z, y, x = np.meshgrid(along, along, along, indexing="ij")
    far: np.ndarray = np.sqrt(x**2 + y**2 + z**2)
    return far


def surroundings(radius_mm: float, *, believed_mm: float | None = None) -> Surroundings:
    """A ball of tissue, brightness 1, in the dark; the standard brain as a ball too."""
    far = distance_mm()
    noise = np.random.default_rng(0).normal(0.0, 0.03, far.shape)
    return Surroundings(
        brightness=(np.where(far < radius_mm, 1.0, 0.05) + noise).astype(np.float32),
        distance_mm=(far - (believed_mm or radius_mm)).astype(np.float32),
        origin_mm=np.full(3, -SPACING * (SIZE - 1) / 2),
        spacing_mm=SPACING,
        dark=0.1,
        tissue=1.0,
    )


def start(radius_mm: float) -> Surface:
    ball = sphere(4)
    return ball.moved(ball.vertices * radius_mm)


@pytest.mark.parametrize("believed_mm", [60.0, 68.0, 74.0])
def test_it_grows_to_the_edge_whatever_the_standard_brain_says(believed_mm: float) -> None:
    around = surroundings(68.0, believed_mm=believed_mm)
    surface = grown(start(55.0), around)
    radii = np.linalg.norm(surface.vertices, axis=1)
    assert radii.mean() == pytest.approx(68.0, abs=1.5)
    assert radii.std() < 1.0
    assert edge_share(surface, around) > 0.99


def test_a_gap_in_the_skull_is_not_gone_through() -> None:
    """A neck of tissue 24 mm wide leads out of the ball."""
    around = surroundings(66.0)
    along = SPACING * (np.arange(SIZE) - (SIZE - 1) / 2)
    z, y, x = np.meshgrid(along, along, along, indexing="ij")
    neck = (np.hypot(x, y) < 12.0) & (z < 0.0)
    around.brightness[neck] = 0.9
    radii = np.linalg.norm(grown(start(55.0), around).vertices, axis=1)
    assert radii.max() < 66.0 + 12.0


def test_beyond_the_volume_it_follows_the_standard_brain() -> None:
    around = surroundings(66.0)
    around.brightness[:, :, : SIZE // 2 - 15] = np.nan
    surface = grown(start(55.0), around)
    beyond = outside_volume(surface, around)
    assert 0.1 < beyond.mean() < 0.5
    assert np.linalg.norm(surface.vertices[beyond], axis=1).mean() == pytest.approx(66.0, abs=3.0)


def test_noise_has_no_edge() -> None:
    around = surroundings(66.0)
    around.brightness[:] = np.random.default_rng(1).normal(1.0, 0.1, around.brightness.shape)
    assert edge_share(start(60.0), around) < 0.05
