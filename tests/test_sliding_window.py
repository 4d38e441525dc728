"""Windows cover every voxel, weights add up to one, and the way a volume is cut up does not show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.graph import Slices, Whole, Windows
from inference.imaging.sliding_window import by_slices, by_windows, predict_volume, starts, window_weights

Array = NDArray[np.float32]


def _twice(batch: Array) -> Array:
    """Two classes: the value itself, and its negative."""
    return np.concatenate([batch[:, :1], -batch[:, :1]], axis=1)


def _random(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(5).random(shape, dtype=np.float32)


def test_the_worked_example_holds() -> None:
    assert starts(110, 64, 0.5) == (0, 23, 46)


@given(st.integers(1, 300), st.integers(1, 96), st.floats(0.0, 0.95))
def test_windows_cover_the_axis_and_end_with_it(length: int, window: int, overlap: float) -> None:
    found = starts(length, window, overlap)
    assert found[0] == 0
    if window >= length:
        assert found == (0,)
        return
    assert found[-1] == length - window
    steps = np.diff(found)
    assert (steps >= 1).all()
    assert (steps <= window).all()
    assert steps.max() <= max(1, int(window * (1.0 - overlap))) + 1


@pytest.mark.parametrize("kind", ["gaussian", "constant"])
def test_weights_are_symmetric_and_never_vanish(kind: str) -> None:
    weights = window_weights((8, 9, 16), kind)
    assert weights.max() == 1.0
    assert weights.min() >= 1e-3
    np.testing.assert_allclose(weights, weights[::-1, ::-1, ::-1])
    assert kind == "constant" or weights[4, 4, 8] > 2.0 * weights[4, 4, 2]


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([0.0, 0.25, 0.5, 0.8]),
    st.sampled_from(["gaussian", "constant"]),
    st.integers(1, 5),
)
def test_a_graph_that_gives_back_what_it_takes_leaves_no_seam(
    shape: tuple[int, int, int], window: tuple[int, int, int], overlap: float, weights: str, batch: int
) -> None:
    volume = _random(shape)
    tiling = Windows.model_validate({"shape": window, "overlap": overlap, "weights": weights, "batch": batch})
    values = by_windows(volume, tiling, _twice)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, np.stack([volume, -volume]), rtol=0, atol=2e-6)


def test_a_volume_smaller_than_the_window_is_filled_with_its_least_value() -> None:
    seen: list[Array] = []

    def predict(batch: Array) -> Array:
        seen.append(batch)
        return batch

    volume = _random((3, 4, 5)) + 7.0
    by_windows(volume, Windows(shape=(4, 8, 8)), predict)
    assert [s.shape for s in seen] == [(1, 1, 4, 8, 8)]
    assert np.isclose(seen[0].min(), volume.min())
    np.testing.assert_array_equal(seen[0][0, 0, 0:3, 2:6, 1:6], volume)


def test_windows_of_equal_weight_are_averaged() -> None:
    count = iter(range(100))

    def predict(batch: Array) -> Array:
        return np.stack([np.full(one.shape, float(next(count)), dtype=np.float32) for one in batch])

    values = by_windows(_random((6, 1, 1)), Windows(shape=(4, 1, 1), overlap=0.5, weights="constant"), predict)
    np.testing.assert_array_equal(values[0, :, 0, 0], [0.0, 0.0, 0.5, 0.5, 1.0, 1.0])


def test_neighbours_come_in_order_with_the_slice_in_the_middle() -> None:
    volume = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((4, 2, 2), dtype=np.float32)
    seen: list[Array] = []

    def predict(batch: Array) -> Array:
        seen.append(batch[:, :, 0, 0])
        return batch[:, 2:3]

    values = by_slices(volume, Slices(neighbours=2, batch=3), predict)
    np.testing.assert_array_equal(values[0], volume)
    np.testing.assert_array_equal(
        np.concatenate(seen), [[0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [1, 2, 3, 3, 3]]
    )
    seen.clear()
    by_slices(volume + 1.0, Slices(neighbours=1, edge="zero", replicate=2, batch=8), lambda b: predict(b)[:, :1])
    np.testing.assert_array_equal(seen[0][[0, 3]], [[0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 0, 0]])


def test_every_tiling_gives_class_slice_row_column() -> None:
    volume = _random((5, 6, 7))
    for tiling in (Slices(batch=2), Windows(shape=(4, 4, 4)), Whole()):
        values = predict_volume(volume, tiling, _twice)
        np.testing.assert_allclose(values, np.stack([volume, -volume]), atol=1e-6)
