import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.imaging.intensity import clip, foreground_mask, minmax, window, window_percentile, zscore

RAMP = np.arange(0, 101, dtype=np.float32).reshape(1, 1, 101)
arrays = hnp.arrays(np.float32, (3, 4, 5), elements=st.floats(-2000, 4000, width=32))


def head() -> np.ndarray:
    """Bright 60 to 159 in a tenth of the voxels, 0 elsewhere."""
    array = np.zeros(1000, dtype=np.float32)
    array[:100] = np.arange(60, 160)
    return array


def test_a_window_is_linear_between_its_ends_and_flat_beyond() -> None:
    shown = window(RAMP, 40.0, 20.0)[0, 0]
    assert shown[:31].tolist() == [0.0] * 31
    assert shown[40] == pytest.approx(0.5)
    assert shown[45] == pytest.approx(0.75)
    assert shown[50:].tolist() == [1.0] * 51


def test_percentiles_bound_the_window() -> None:
    shown = window_percentile(RAMP, 10.0, 90.0, foreground=False)[0, 0]
    assert shown[10] == pytest.approx(0.0, abs=1e-6)
    assert shown[50] == pytest.approx(0.5)
    assert shown[90] == pytest.approx(1.0)


def test_air_does_not_move_a_window_over_the_foreground() -> None:
    around = np.concatenate([head(), np.zeros(9000, dtype=np.float32)])
    inside = window_percentile(head(), 5.0, 95.0, foreground=True)
    assert np.array_equal(window_percentile(around, 5.0, 95.0, foreground=True)[:1000], inside)
    assert not np.array_equal(window_percentile(around, 5.0, 95.0, foreground=False)[:1000], inside)


def test_clip_keeps_the_unit() -> None:
    assert clip(RAMP, 20.0, 30.0)[0, 0, [0, 25, 100]].tolist() == [20.0, 25.0, 30.0]


def test_minmax_spans_0_to_1() -> None:
    assert minmax(RAMP - 50.0)[0, 0, [0, 25, 100]].tolist() == [0.0, 0.25, 1.0]


def test_zscore_of_all_and_of_the_foreground() -> None:
    assert zscore(head(), foreground=False).mean() == pytest.approx(0.0, abs=1e-6)
    over = zscore(head(), foreground=True)
    assert over[:100].mean() == pytest.approx(0.0, abs=1e-5)
    assert over[:100].std() == pytest.approx(1.0, abs=1e-5)
    assert over[500] == pytest.approx(-109.5 / np.arange(60, 160).std(), rel=1e-5)


def test_the_foreground_is_brighter_than_the_mean_and_never_empty() -> None:
    assert foreground_mask(head()).sum() == 100
    assert foreground_mask(np.full(7, 3.0, dtype=np.float32)).all()


@pytest.mark.parametrize(
    "operation",
    [
        lambda a: window_percentile(a, 1, 99, foreground=True),
        lambda a: minmax(a),
        lambda a: zscore(a, foreground=False),
    ],
)
def test_an_image_of_one_value_becomes_0(operation: object) -> None:
    assert callable(operation)
    assert not operation(np.full((2, 3, 4), 7.0, dtype=np.float32)).any()


def test_values_that_differ_by_next_to_nothing_overflow_nothing() -> None:
    array = np.full((2, 3, 4), 1.1754944e-38, dtype=np.float32)
    array[0, 0, 0], array[0, 0, 1] = -2.0, 0.0
    assert window_percentile(array, 1, 99, foreground=True).max() <= 1.0
    assert np.isfinite(zscore(array, foreground=True)).all()
    assert np.isfinite(zscore(array, foreground=False)).all()


@given(array=arrays)
def test_shape_type_and_the_array_itself_are_kept(array: np.ndarray) -> None:
    before = array.copy()
    for result in (
        window(array, 40, 80),
        window_percentile(array, 1, 99, foreground=True),
        clip(array, -100, 100),
        minmax(array),
        zscore(array, foreground=True),
    ):
        assert result.dtype == np.float32
        assert result.shape == array.shape
        assert np.isfinite(result).all()
    assert np.array_equal(array, before)


@given(array=arrays)
def test_windows_lie_within_0_and_1(array: np.ndarray) -> None:
    for result in (window(array, 40, 80), window_percentile(array, 1, 99, foreground=False), minmax(array)):
        assert result.min() >= 0.0
        assert result.max() <= 1.0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="0 <= lower < upper <= 100"):
        window_percentile(RAMP, 99, 1, foreground=False)
    with pytest.raises(ValueError, match="above 0"):
        window(RAMP, 40, 0)
    with pytest.raises(ValueError, match="lower < upper"):
        clip(RAMP, 5, 5)
