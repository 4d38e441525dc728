"""What goes through preprocessing comes back to the source voxel it came from."""

from itertools import permutations, product

import numpy as np
import pytest
from highdicom import Volume
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter

from inference import operations as ops
from inference.errors import UnsuitableImageError
from inference.imaging.grid import onto
from inference.imaging.preprocess import prepare

ORDERS = [(order, signs) for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
"""Every way to lay the three axes of an array along those of the patient."""

AXIAL = ops.Orient(code="HPL", reformat=True)


def _volume(
    array: NDArray[np.float32], order: tuple[int, ...] = (2, 1, 0), signs: tuple[float, ...] = (1, 1, 1)
) -> Volume:
    """Spacing 3, 1.5 and 2 mm along the array's axes."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * np.array(signs) * np.array([3.0, 1.5, 2.0])
    affine[:3, 3] = [5.3, -7.1, 2.0]
    return Volume(array, affine, coordinate_system="PATIENT")


def _random(shape: tuple[int, int, int] = (7, 9, 11)) -> NDArray[np.float32]:
    return np.random.default_rng(3).random(shape, dtype=np.float32) + 1.0


def test_an_operation_for_one_modality_is_skipped_for_the_other() -> None:
    source = _volume(_random())
    clip = ops.Clip(lower=0.0, upper=1.2, modality="CT")
    assert prepare(source, [clip], "CT").array.max() == np.float32(1.2)
    assert prepare(source, [clip], "MR").array is source.array
    assert prepare(source, [clip.model_copy(update={"modality": None})], "MR").array.max() == np.float32(1.2)


def _position_map(volume: Volume) -> NDArray[np.float32]:
    """x + 10 y + 100 z of every voxel, LPS, mm: linear in space, so linear interpolation keeps it."""
    indices = np.indices(volume.shape).reshape(3, -1)
    points = volume.affine[:3, :3] @ indices + volume.affine[:3, 3:]
    mapped: NDArray[np.float32] = (np.array([1.0, 10.0, 100.0]) @ points).reshape(volume.shape).astype(np.float32)
    return mapped


@pytest.mark.parametrize(("order", "signs"), ORDERS)
def test_every_axis_order_and_flip_comes_back_voxel_for_voxel(order: tuple[int, ...], signs: tuple[float, ...]) -> None:
    source = _volume(_random(), order, signs)
    steps: list[ops.Operation] = [AXIAL, ops.PadMultiple(of=(4, 16, 16), value=0.0), ops.PadSquare(value=0.0)]
    prepared = prepare(source, steps)
    assert "".join(letter.value for letter in prepared.get_closest_patient_orientation()) == "HPL"
    back = onto(prepared.array, prepared.get_geometry(), source.get_geometry())
    np.testing.assert_array_equal(back, source.array)


@pytest.mark.parametrize(("order", "signs"), ORDERS)
def test_a_voxel_keeps_its_place_in_the_patient_through_resampling(
    order: tuple[int, ...], signs: tuple[float, ...]
) -> None:
    source = _volume(_random(), order, signs)
    source = source.with_array(_position_map(source))
    prepared = prepare(source, [AXIAL, ops.Resample(spacing_mm=(1.0, 1.25, None), antialias=False)])
    assert prepared.spacing[:2] == pytest.approx((1.0, 1.25))
    # off the outermost voxels, which lie half a source voxel out and take the border's value
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(prepared.array[inner], _position_map(prepared)[inner], atol=2e-2)
    back = onto(prepared.array, prepared.get_geometry(), source.get_geometry())
    np.testing.assert_allclose(back[1:-1, 1:-1, 1:-1], source.array[1:-1, 1:-1, 1:-1], atol=2e-2)


def test_an_oblique_volume_comes_back_voxel_for_voxel() -> None:
    turn = np.radians(20.0)
    affine = np.eye(4)
    tilt = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine[:3, :3] = tilt @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * np.array([4.0, 1.0, 1.0])
    source = Volume(_random(), affine, coordinate_system="PATIENT")
    prepared = prepare(source, [ops.Orient(code="FAR", reformat=True), ops.PadMultiple(of=(8, 8, 8), value=0.0)])
    back = onto(prepared.array, prepared.get_geometry(), source.get_geometry())
    np.testing.assert_array_equal(back, source.array)


def test_what_was_cut_away_comes_back_as_nothing() -> None:
    array = np.zeros((8, 12, 14), dtype=np.float32)
    array[2:5, 3:9, 4:10] = _random((3, 6, 6))
    source = _volume(array)
    prepared = prepare(source, [ops.Orient(code="RAF", reformat=True), ops.CropForeground(margin_mm=0.0)])
    assert sorted(prepared.shape) == [3, 6, 6]
    back = onto(prepared.array, prepared.get_geometry(), source.get_geometry())
    np.testing.assert_array_equal(back, array)
    wide = prepare(source, [ops.CropForeground(margin_mm=3.0)])
    assert wide.shape == (5, 10, 10)  # 3, 1.5 and 2 mm: a margin of 1, 2 and 2 voxels on each side


def test_resizing_keeps_the_extent() -> None:
    source = _volume(_random((4, 10, 20)))
    prepared = prepare(source, [ops.Resize(shape=(None, 16, 16), antialias=True)])
    assert prepared.shape == (4, 16, 16)
    assert prepared.physical_extent == pytest.approx(source.physical_extent)
    middle = (source.affine @ [1.5, 4.5, 9.5, 1.0])[:3]
    assert (prepared.affine @ [1.5, 7.5, 7.5, 1.0])[:3] == pytest.approx(middle)


def test_a_stripe_finer_than_the_new_grid_is_smoothed_and_not_folded() -> None:
    stripes = np.tile(np.array([0.0, 1.0], dtype=np.float32), (8, 16, 16)).reshape(8, 16, 32)
    source = Volume(stripes, np.diag([1.0, 1.0, 1.0, 1.0]), coordinate_system="PATIENT")
    kept = [
        prepare(source, [ops.Resample(spacing_mm=(1.0, 1.0, 2.6), antialias=antialias)]).array[4, 8, 2:-2]
        for antialias in (False, True)
    ]
    assert kept[0].std() > 0.2
    assert kept[1].std() < 0.06
    assert kept[1].mean() == pytest.approx(0.5, abs=0.05)


def test_slices_along_another_axis_are_refused_where_the_bundle_does_not_reformat() -> None:
    strict = ops.Orient(code="HPL", reformat=False)
    sagittal = _volume(_random(), order=(0, 1, 2))
    with pytest.raises(UnsuitableImageError, match="slices run along L, the bundle reads slices along H"):
        prepare(sagittal, [strict])
    upside_down = _volume(_random(), signs=(-1, 1, 1))
    assert prepare(upside_down, [strict]).shape == (7, 9, 11)


@pytest.mark.parametrize("scope", ["slice", "volume"])
def test_a_statistic_is_taken_over_its_scope(scope: ops.Scope) -> None:
    array = np.stack([_random((1, 9, 11))[0] * factor for factor in (1.0, 10.0)])
    found = prepare(_volume(array), [ops.MinMax(scope=scope)]).array
    assert (found[0].max() == 1.0) == (scope == "slice")
    assert found[1].max() == 1.0
    scored = prepare(_volume(array), [ops.ZScore(scope=scope, foreground=False)]).array
    assert (abs(scored[0].mean()) < 1e-4) == (scope == "slice")
    windowed = prepare(_volume(array), [ops.WindowPercentile(lower=0, upper=100, scope=scope, foreground=False)]).array
    assert (windowed[0].max() == 1.0) == (scope == "slice")


def test_values_are_changed_as_declared() -> None:
    array = np.array([-1000.0, 0.0, 40.0, 80.0, 3000.0], dtype=np.float32).reshape(1, 1, 5)
    volume = _volume(array)
    for step, expected in (
        (ops.Window(center=40.0, width=80.0), [0.0, 0.0, 0.5, 1.0, 1.0]),
        (ops.Clip(lower=0.0, upper=80.0), [0.0, 0.0, 40.0, 80.0, 80.0]),
        (ops.Normalize(mean=40.0, std=20.0), [-52.0, -2.0, 0.0, 2.0, 148.0]),
    ):
        np.testing.assert_allclose(prepare(volume, [step]).array.ravel(), expected, atol=1e-5)
    assert prepare(volume, []).array is array


@pytest.mark.parametrize(
    ("has", "shown"), [("FAR", "HPL"), ("HPL", "HPL"), ("AHL", "PFL"), ("RFA", "LFP"), ("LHP", "LFP")]
)
def test_a_plane_is_turned_as_it_is_looked_at(has: str, shown: str) -> None:
    turned = prepare(_volume(_random()).to_patient_orientation(has), [ops.Display()])
    assert "".join(letter.value for letter in turned.get_closest_patient_orientation()) == shown


def test_every_declared_operation_is_carried_out() -> None:
    union = TypeAdapter(ops.Operation).json_schema()["discriminator"]["mapping"]
    examples: dict[str, ops.Operation] = {
        step.op: step
        for step in (
            AXIAL,
            ops.Display(),
            ops.Resample(spacing_mm=(2.0, 2.0, 2.0), antialias=True),
            ops.Resize(shape=(4, 4, 4), antialias=False),
            ops.PadSquare(value=0.0),
            ops.PadMultiple(of=(2, 2, 2), value=0.0),
            ops.CropForeground(margin_mm=1.0),
            ops.Window(center=1.0, width=1.0),
            ops.WindowPercentile(lower=1, upper=99, scope="volume", foreground=True),
            ops.Clip(lower=0.0, upper=1.0),
            ops.MinMax(scope="slice"),
            ops.ZScore(scope="volume", foreground=True),
            ops.Normalize(mean=0.0, std=1.0),
        )
    }
    assert set(examples) == set(union)
    for step in examples.values():
        prepared = prepare(_volume(_random()), [step])
        assert prepared.array.dtype == np.float32
        assert np.isfinite(prepared.array).all()


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(ORDERS),
    st.sampled_from(["HPL", "FAR", "LPH", "RAH", "AHL"]),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
)
def test_any_shape_and_order_comes_back(
    shape: tuple[int, int, int],
    order: tuple[tuple[int, ...], tuple[float, ...]],
    code: str,
    of: tuple[int, int, int],
) -> None:
    source = _volume(_random(shape), *order)
    prepared = prepare(source, [ops.Orient(code=code, reformat=True), ops.PadMultiple(of=of, value=-1.0)])
    assert all(length % multiple == 0 for length, multiple in zip(prepared.shape, of, strict=True))
    back = onto(prepared.array, prepared.get_geometry(), source.get_geometry())
    np.testing.assert_array_equal(back, source.array)
