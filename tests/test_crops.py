"""A crop lies where it is asked for, at its own spacing, whichever way the slices are stored."""

import numpy as np
import pytest
from highdicom import Volume

from inference.errors import UnsuitableImageError
from inference.imaging.crops import axial, crops, scaled
from tests.phantoms import ORIENTATIONS


def ramp(direction: str = "axial") -> Volume:
    """Brightness is x + 2 y + 4 z, LPS, mm, so that any interpolated value is known."""
    affine = np.eye(4)
    affine[:3, :3] = ORIENTATIONS[direction] * np.array([3.0, 1.0, 1.0])
    shape = (20, 60, 50)
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = indices @ affine[:3, :3].T + affine[:3, 3]
    return Volume((points @ [1.0, 2.0, 4.0]).astype(np.float32), affine, coordinate_system="PATIENT")


@pytest.mark.parametrize("direction", ["axial", "axial, towards the feet"])
def test_a_crop_holds_what_lies_around_its_center(direction: str) -> None:
    volume = axial(ramp(direction), (3.0, 1.0, 1.0))
    z = 30.0 if direction == "axial" else -30.0
    (piece,) = crops(volume, np.array([[25.0, 30.0, z]]), (3.0, 1.0, 1.0), 8, 1)
    assert piece.shape == (3, 8, 8)
    assert piece.mean() == pytest.approx(25.0 + 60.0 + 4.0 * z, abs=1e-3)
    np.testing.assert_allclose(np.diff(piece, axis=0), 12.0, atol=1e-3)  # to the head
    np.testing.assert_allclose(np.diff(piece, axis=1), 2.0, atol=1e-3)  # to the back
    np.testing.assert_allclose(np.diff(piece, axis=2), 1.0, atol=1e-3)  # to the left


def test_outside_there_is_nothing() -> None:
    volume = axial(ramp(), (3.0, 1.0, 1.0))
    (piece,) = crops(volume, np.array([[500.0, 0.0, 0.0]]), (3.0, 1.0, 1.0), 8, 1)
    assert not piece.any()


def test_slices_along_another_axis_are_refused() -> None:
    with pytest.raises(UnsuitableImageError, match="the bundle reads slices along H"):
        axial(ramp("coronal"), (3.0, 1.0, 1.0))


def test_the_brain_s_median_becomes_the_declared_share() -> None:
    volume = ramp()
    brain = np.zeros(volume.array.shape, dtype=np.bool_)
    brain[5:8, 20:30, 20:30] = True
    median = float(np.median(volume.array[brain]))
    made = scaled(volume, brain, 2.5).array
    assert made.max() <= 1.0
    assert float(np.median(made[brain])) == pytest.approx(0.4)
    assert median > 0.0
    with pytest.raises(UnsuitableImageError, match="must be above 0"):
        scaled(volume, np.zeros_like(brain), 2.5)
