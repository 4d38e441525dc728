import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.imaging.components import Component, components, largest, voxel_volume_mm3

CUBES = np.eye(4)
SAGITTAL = np.array([[4.8, 0, 0, -80.0], [0, 0, 1.0, -100.0], [0, -1.0, 0, 120.0], [0, 0, 0, 1.0]])
"""Slices 4.8 mm apart run to the left, rows 1 mm to the feet, columns 1 mm to posterior."""


def grid(shape: tuple[int, int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)


def ball(center: tuple[float, float, float], radius: float, shape: tuple[int, int, int] = (40, 40, 40)) -> np.ndarray:
    inside: np.ndarray = np.linalg.norm(grid(shape) - np.array(center), axis=-1) <= radius
    return inside


def test_a_ball_has_the_volume_the_centroid_and_the_axis_of_a_ball() -> None:
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = [10.0, -20.0, 30.0]
    (one,) = components(ball((20, 19, 18), 14.0), affine)
    assert one.volume_mm3 == pytest.approx(4 / 3 * np.pi * 7.0**3, rel=0.01)
    assert one.centroid_mm == pytest.approx((20.0, -10.5, 39.0))
    assert one.longest_axis_mm == pytest.approx(14.0, abs=0.75)
    assert one.slices == tuple(range(6, 35))


def test_millimetres_come_from_the_affine() -> None:
    mask = np.zeros((4, 6, 8), dtype=np.bool_)
    mask[2, 1:4, 5] = True
    (one,) = components(mask, SAGITTAL)
    assert one.volume_mm3 == pytest.approx(3 * 4.8)
    assert one.centroid_mm == pytest.approx((-80 + 2 * 4.8, -100 + 5, 120 - 2))
    assert one.longest_axis_mm == pytest.approx(3.0)


@pytest.mark.parametrize(("end", "length"), [((0, 0, 9), 10.0), ((0, 9, 0), 10.0), ((7, 0, 0), 8 * 4.8)])
def test_a_straight_run_is_as_long_as_its_voxels(end: tuple[int, int, int], length: float) -> None:
    mask = np.zeros((10, 10, 10), dtype=np.bool_)
    mask[: end[0] + 1, : end[1] + 1, : end[2] + 1] = True
    assert components(mask, SAGITTAL)[0].longest_axis_mm == pytest.approx(length)


def test_one_voxel_is_as_long_as_its_longest_edge() -> None:
    mask = np.zeros((3, 3, 3), dtype=np.bool_)
    mask[1, 1, 1] = True
    assert components(mask, SAGITTAL)[0].longest_axis_mm == pytest.approx(4.8)


def test_largest_first_and_of_the_same_size_the_first() -> None:
    mask = ball((10, 10, 10), 5) | ball((30, 30, 30), 8)
    mask[0, 39, 0] = mask[39, 0, 0] = True
    found = components(mask, CUBES)
    assert [len(f.indices) for f in found] == sorted((len(f.indices) for f in found), reverse=True)
    assert [f.indices[0].tolist() for f in found[2:]] == [[0, 39, 0], [39, 0, 0]]


def test_corners_touch_or_not() -> None:
    mask = np.zeros((2, 2, 2), dtype=np.bool_)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert len(components(mask, CUBES)) == 1
    assert len(components(mask, CUBES, touching="faces")) == 2


def test_an_empty_mask_has_none() -> None:
    empty = np.zeros((3, 3, 3), dtype=np.bool_)
    assert components(empty, CUBES) == ()
    assert not largest(empty).any()


def test_the_largest_is_kept_alone() -> None:
    small, big = ball((8, 8, 8), 3), ball((28, 28, 28), 7)
    assert np.array_equal(largest(small | big), big)


@settings(max_examples=60, deadline=None)
@given(mask=hnp.arrays(np.bool_, (4, 5, 6)))
def test_components_part_the_mask(mask: np.ndarray) -> None:
    found = components(mask, SAGITTAL, touching="faces")
    together = np.zeros(mask.shape, dtype=int)
    for one in found:
        together += one.region
    assert np.array_equal(together, mask.astype(int))


@settings(max_examples=60, deadline=None)
@given(mask=hnp.arrays(np.bool_, (4, 5, 6)), flips=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_size_and_place_do_not_depend_on_how_the_volume_is_listed(
    mask: np.ndarray, flips: tuple[bool, bool, bool]
) -> None:
    mask[0, 0, 0] = True
    affine = SAGITTAL.copy()
    listed = mask
    for axis, flip in enumerate(flips):
        if flip:
            listed = np.flip(listed, axis)
            affine[:3, 3] += affine[:3, axis] * (mask.shape[axis] - 1)
            affine[:3, axis] *= -1
    one = components(mask, SAGITTAL)
    other = components(np.ascontiguousarray(listed), affine)
    assert sorted(f.volume_mm3 for f in one) == pytest.approx(sorted(f.volume_mm3 for f in other))
    centroids = [np.array(sorted(f.centroid_mm for f in found)) for found in (one, other)]
    assert np.allclose(centroids[0], centroids[1], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(mask=hnp.arrays(np.bool_, (4, 4, 4)))
def test_the_longest_axis_joins_the_two_voxels_farthest_apart(mask: np.ndarray) -> None:
    mask[1, 1, 1] = True
    one = Component(indices=np.argwhere(mask), affine=SAGITTAL, shape=(4, 4, 4))
    points = np.argwhere(mask) @ SAGITTAL[:3, :3].T
    farthest = float(np.linalg.norm(points[:, None] - points, axis=-1).max())
    assert farthest <= one.longest_axis_mm <= max(2 * farthest, 4.8) + 1e-9


def test_a_sheared_grid_keeps_its_volume() -> None:
    sheared = np.array([[1.0, 0, 0, 0], [0.3, 2.0, 0, 0], [0, 0, 3.0, 0], [0, 0, 0, 1.0]])
    assert voxel_volume_mm3(sheared) == pytest.approx(6.0)


def test_a_component_without_voxels_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Component(indices=np.empty((0, 3), dtype=np.int64), affine=CUBES, shape=(3, 3, 3))
