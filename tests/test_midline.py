"""The patient's left is found from geometry, however the volume lies in memory."""

import numpy as np
import pytest
from highdicom import Volume
from numpy.typing import NDArray

from inference.imaging.midline import CLEARANCE_MM, Midline, midline, side
from inference.synthetic.head import SyntheticHead, synthetic_head


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return synthetic_head(11, lesions=0, spacing_mm=(3.0, 2.0, 2.0))


def _points(mask: NDArray[np.bool_], volume: Volume) -> NDArray[np.float64]:
    points: NDArray[np.float64] = np.argwhere(mask) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return points


def _found(volume: Volume) -> Midline:
    plane = midline(volume)
    assert plane is not None
    return plane


def test_the_plane_divides_the_brain_into_halves() -> None:
    for seed in range(20, 24):
        made = synthetic_head(seed, lesions=0, spacing_mm=(3.0, 2.0, 2.0))
        left = _found(made.image.volume).left_of(_points(made.brain, made.image.volume))
        assert (left > 0).mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("code", ["HPL", "FAR", "LPH", "RAF", "AHL", "PFR"])
def test_the_plane_does_not_depend_on_how_the_volume_is_stored(head: SyntheticHead, code: str) -> None:
    straight, turned = _found(head.image.volume), _found(head.image.volume.to_patient_orientation(code))
    probe = np.array([[0.0, 0.0, 0.0], [40.0, 20.0, 30.0]])
    np.testing.assert_allclose(turned.left_of(probe), straight.left_of(probe), atol=1e-6)


def test_a_mirrored_patient_has_the_other_side(head: SyntheticHead) -> None:
    volume = head.image.volume
    mirrored = volume.with_array(volume.array[:, :, ::-1])
    region = np.zeros(volume.shape, dtype=np.bool_)
    region[40:44, 60:64, 25:30] = True  # low columns: the patient's right
    assert side(_points(region, volume), _found(volume)) == "right"
    assert side(_points(region[:, :, ::-1], mirrored), _found(mirrored)) == "left"


def test_near_the_plane_there_is_no_side() -> None:
    plane = Midline(at=2.0, by_y=0.0, by_z=0.0)
    clear = 2.0 + CLEARANCE_MM
    assert side(np.array([[clear, 0.0, 0.0], [clear + 9.0, 5.0, 5.0]]), plane) == "left"
    assert side(np.array([[clear - 0.1, 0.0, 0.0], [clear + 9.0, 5.0, 5.0]]), plane) is None
    assert side(np.array([[2.0 - CLEARANCE_MM, 0.0, 0.0]]), plane) == "right"
    assert side(np.array([[-30.0, 0.0, 0.0], [30.0, 0.0, 0.0]]), plane) is None


def test_what_is_no_head_has_no_midline(head: SyntheticHead) -> None:
    rng = np.random.default_rng(0)
    flat = Volume(np.ones((20, 30, 30), dtype=np.float32), np.eye(4), coordinate_system="PATIENT")
    assert midline(flat) is None  # it touches both sides of the volume
    small = flat.with_array(rng.random((20, 30, 30), dtype=np.float32))
    assert midline(small) is None
    volume = head.image.volume
    half = Volume(volume.array[:, :, :50], volume.affine, coordinate_system="PATIENT")
    assert midline(half) is None
