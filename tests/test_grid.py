import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from highdicom import Volume
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.imaging.grid import affine_of, onto, regridded, to_image, to_volume, upright

CODES = ["".join(sides) for axes in itertools.permutations(("LR", "AP", "HF")) for sides in itertools.product(*axes)]
"""All 48 ways in which three axes can lie in a patient."""


def tilted(shape: tuple[int, int, int] = (5, 6, 7), degrees: float = 20.0, seed: int = 0) -> Volume:
    """Noise on a grid turned about x, with three spacings."""
    turn = np.deg2rad(degrees)
    axes = np.array([[0, 0, 1], [-np.sin(turn), np.cos(turn), 0], [np.cos(turn), np.sin(turn), 0]])
    affine = np.eye(4)
    affine[:3, :3] = axes * [4.0, 1.5, 0.8]
    affine[:3, 3] = [-31.0, 12.5, 7.25]
    array = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return Volume(array, affine, coordinate_system="PATIENT")


def place(volume: Volume, index: tuple[int, int, int]) -> np.ndarray:
    return (volume.affine @ [*index, 1.0])[:3]


def test_an_image_has_each_voxel_where_the_volume_has_it() -> None:
    volume = tilted()
    image = to_image(volume.array, volume.affine)
    for s, r, c in [(0, 0, 0), (4, 0, 0), (0, 5, 0), (0, 0, 6), (2, 3, 4)]:
        assert image.TransformIndexToPhysicalPoint((c, r, s)) == pytest.approx(tuple(place(volume, (s, r, c))))
        assert image[c, r, s] == volume.array[s, r, c]


def test_to_simpleitk_and_back_changes_nothing() -> None:
    volume = tilted()
    back = to_volume(to_image(volume.array, volume.affine), "1.2.3")
    assert np.array_equal(back.array, volume.array)
    assert np.allclose(back.affine, volume.affine, atol=1e-12)
    assert back.frame_of_reference_uid == "1.2.3"


def test_there_are_48_orientations() -> None:
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("code", CODES)
def test_every_orientation_comes_back_voxel_for_voxel(code: str) -> None:
    volume = tilted()
    turned = volume.to_patient_orientation(code)
    assert np.array_equal(onto(turned.array, turned, volume), volume.array)
    assert np.array_equal(onto(volume.array, volume, turned), turned.array)


@settings(max_examples=50, deadline=None)
@given(
    code=st.sampled_from(CODES),
    shape=st.tuples(st.integers(2, 6), st.integers(2, 6), st.integers(2, 6)),
    degrees=st.floats(-40, 40),
    seed=st.integers(0, 99),
)
def test_a_mask_keeps_its_voxels_whatever_the_grid(
    code: str, shape: tuple[int, int, int], degrees: float, seed: int
) -> None:
    volume = tilted(shape, degrees, seed)
    mask = volume.with_array((volume.array > 0).astype(np.float32))
    turned = mask.to_patient_orientation(code)
    assert np.array_equal(onto(turned.array, turned, volume), mask.array)


def test_a_part_comes_back_to_its_place_and_0_around() -> None:
    volume = tilted()
    affine = volume.affine.copy()
    affine[:3, 3] = place(volume, (1, 2, 0))
    part = Volume(volume.array[1:4, 2:6, 0:5], affine, coordinate_system="PATIENT")
    back = onto(part.array, part, volume)
    assert np.array_equal(back[1:4, 2:6, 0:5], volume.array[1:4, 2:6, 0:5])
    assert back.sum() == pytest.approx(part.array.sum(), rel=1e-5)


def test_a_ball_through_1_mm_and_back_stays_where_it_was() -> None:
    """Voxels at its edge change: results are drawn on the source grid where they can be."""
    volume = tilted((24, 60, 110), degrees=10.0)
    index = np.stack(np.meshgrid(*map(np.arange, volume.spatial_shape), indexing="ij"), axis=-1)
    points = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    ball = np.linalg.norm(points - place(volume, (12, 30, 55)), axis=-1) < 20.0
    shape = [round(n * s) for n, s in zip(volume.spatial_shape, volume.spacing, strict=True)]
    fine = regridded(volume.with_array(ball.astype(np.float32)), [1.0] * 3, shape, antialias=False)
    back = onto(fine.array, fine, volume) >= 0.5
    assert 2 * (back & ball).sum() / (back.sum() + ball.sum()) > 0.97
    assert np.allclose(np.argwhere(back).mean(axis=0), np.argwhere(ball).mean(axis=0), atol=0.05)


def test_regridding_keeps_the_middle_and_the_extent() -> None:
    volume = tilted((10, 12, 14))
    half = regridded(volume, [s / 2 for s in volume.spacing], [20, 24, 28], antialias=True)
    assert np.allclose(half.center_position, volume.center_position)
    assert np.allclose(half.physical_extent, volume.physical_extent)


def test_upright_shows_the_same_point_at_the_same_place() -> None:
    volume = tilted((30, 60, 90))
    ramp = volume.with_array(
        np.fromfunction(lambda s, r, c: 2.0 * s + r + 0.5 * c, volume.spatial_shape).astype(np.float32)
    )
    image = upright(ramp, 1.0, margin_mm=10.0, outside=float("nan"))
    assert np.allclose(np.array(image.GetDirection()).reshape(3, 3), np.eye(3))
    for index in [(10, 20, 30), (15, 40, 60), (20, 30, 45)]:
        at = image.TransformPhysicalPointToContinuousIndex([float(v) for v in place(volume, index)])
        seen = image.EvaluateAtContinuousIndex(at, sitk.sitkLinear)
        assert seen == pytest.approx(float(ramp.array[index]), abs=0.05)
    corner = sitk.GetArrayFromImage(image)[0, 0, 0]
    assert np.isnan(corner)


def test_upright_holds_the_whole_volume_and_the_margin() -> None:
    volume = tilted((30, 60, 90))
    image = upright(volume, 2.0, margin_mm=10.0)
    low = np.array(image.GetOrigin()) - 1.0
    high = low + 2.0 * np.array(image.GetSize())
    corners = np.array([place(volume, (s, r, c)) for s in (0, 29) for r in (0, 59) for c in (0, 89)])
    assert (corners.min(axis=0) - 10.0 >= low - 1e-6).all()
    assert (corners.max(axis=0) + 10.0 <= high + 1e-6).all()
    assert np.allclose(affine_of(image)[:3, 3], image.GetOrigin())
