"""Long and short axis of regions with known axes, and of any region however the slice is turned."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.imaging.axes import Axes, Line, axes, largest_slice
from tests.phantoms import box

SPACINGS = st.sampled_from([(1.0, 1.0), (0.9, 1.1), (0.4883, 0.4883), (2.5, 0.5)])


def planes(most: int = 9) -> st.SearchStrategy[np.ndarray]:
    sides = st.tuples(st.integers(1, most), st.integers(1, most))
    return arrays(np.bool_, sides).filter(lambda plane: bool(plane.any()))


def lengths(found: Axes) -> tuple[float, float]:
    return found.long.length_mm, found.short.length_mm


def on_outline(point: tuple[float, float], plane: np.ndarray) -> bool:
    """Whether a point lies on an edge between a pixel of the region and what is not of it."""
    around = np.pad(plane, 1)
    row, column = (round(x) if abs(x - round(x)) < 1e-6 else x for x in point)
    rows, columns = ({int(np.floor(x)), int(np.ceil(x)) - 1} for x in (row, column))
    pixels = {bool(around[r + 1, c + 1]) for r, c in itertools.product(rows, columns)}
    return pixels == {True, False}


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 4), (1, 7), (20, 2)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.9, 1.1), (2.5, 0.5)])
def test_a_rectangle_is_as_long_as_its_diagonal(rows: int, columns: int, spacing: tuple[float, float]) -> None:
    found = axes(box((25, 12), (2, 2 + rows), (3, 3 + columns)), spacing)
    height, width = rows * spacing[0], columns * spacing[1]
    diagonal = float(np.hypot(height, width))
    across = min(height, width) * diagonal / max(height, width)  # between the two longer sides
    assert lengths(found) == pytest.approx((diagonal, across))
    assert {found.long.start, found.long.end} in (
        {(2, 3), (2 + rows, 3 + columns)},
        {(2 + rows, 3), (2, 3 + columns)},
    )


def test_one_pixel_has_its_two_diagonals() -> None:
    found = axes(np.ones((1, 1), dtype=np.bool_), (1.0, 1.0))
    assert lengths(found) == pytest.approx((2**0.5, 2**0.5))
    ends = np.array([found.long.start, found.long.end, found.short.start, found.short.end])
    assert sorted(np.round(ends, 9).tolist()) == [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 71.0, 90.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.6, 1.2)])
def test_an_ellipse_has_its_axes_within_a_pixel(angle: float, spacing: tuple[float, float]) -> None:
    rows, columns = np.indices((140, 140), dtype=float)
    down, right = (rows - 70.2) * spacing[0], (columns - 69.6) * spacing[1]
    turn = np.radians(angle)
    ahead, aside = right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)
    found = axes((ahead / 30.0) ** 2 + (aside / 14.0) ** 2 <= 1.0, spacing)
    pixel = float(np.hypot(*spacing))
    assert lengths(found) == pytest.approx((60.0, 28.0), abs=pixel)
    drawn = np.subtract(found.long.end, found.long.start) * spacing
    off = np.degrees(np.arctan2(drawn[0], drawn[1])) - angle
    assert (off + 90.0) % 180.0 - 90.0 == pytest.approx(0.0, abs=6.0)


def test_across_a_gap_and_a_hollow_it_goes_from_outer_edge_to_outer_edge() -> None:
    two = box((9, 20), (4, 5), (1, 4)) | box((9, 20), (4, 5), (12, 18))
    assert axes(two, (1.0, 1.0)).long.length_mm == pytest.approx(np.hypot(17, 1))
    bow = box((21, 30), (0, 3), (0, 30)) | box((21, 30), (0, 12), (0, 3)) | box((21, 30), (0, 12), (27, 30))
    found = axes(bow, (1.0, 1.0))
    assert found.long.length_mm == pytest.approx(np.hypot(12, 30))
    assert all(on_outline(end, bow) for end in (found.short.start, found.short.end))


def test_the_perpendicular_of_a_corner_shape_does_not_end_in_the_air() -> None:
    corner = box((20, 20), (0, 20), (0, 3)) | box((20, 20), (17, 20), (0, 20))
    found = axes(corner, (1.0, 1.0))
    assert found.long.length_mm == pytest.approx(20 * 2**0.5)
    assert found.short.length_mm == pytest.approx(3 * 2**0.5)  # the hull would say 14: half of the square's diagonal


def by_definition(plane: np.ndarray, spacing: tuple[float, float]) -> tuple[float, float]:
    """Both lengths from every two pixel corners, and from every line across at one of them."""
    pixels = np.argwhere(plane)
    outlines = np.stack([pixels + around for around in ([0, 0], [0, 1], [1, 1], [1, 0])], axis=1) * np.array(spacing)
    corners = outlines.reshape(-1, 2)
    apart = np.linalg.norm(corners[:, None] - corners, axis=2)
    shorts = []
    for one, other in np.argwhere(apart > apart.max() - 1e-7):
        ahead = (corners[other] - corners[one]) / apart.max()
        along, across = outlines @ ahead, outlines @ [-ahead[1], ahead[0]]
        shorts += [_extent(along, across, at) for at in along.ravel()]
    return float(apart.max()), max(shorts)


def _extent(along: np.ndarray, across: np.ndarray, at: float) -> float:
    """Between the outermost points at `at` of any side of any pixel."""
    points = []
    for (a0, a1), (c0, c1) in zip(
        np.stack([along, np.roll(along, -1, axis=1)], axis=-1).reshape(-1, 2),
        np.stack([across, np.roll(across, -1, axis=1)], axis=-1).reshape(-1, 2),
        strict=True,
    ):
        if min(a0, a1) - 1e-9 <= at <= max(a0, a1) + 1e-9:
            flat = abs(a1 - a0) < 1e-9
            points += [c0, c1] if flat else [c0 + np.clip((at - a0) / (a1 - a0), 0.0, 1.0) * (c1 - c0)]
    return float(np.ptp(points))


@settings(max_examples=40, deadline=None)
@given(planes(5), SPACINGS)
def test_the_lengths_are_those_of_the_definition(plane: np.ndarray, spacing: tuple[float, float]) -> None:
    assert lengths(axes(plane, spacing)) == pytest.approx(by_definition(plane, spacing), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(planes(), SPACINGS)
def test_lines_are_as_long_as_said_and_end_on_the_outline(plane: np.ndarray, spacing: tuple[float, float]) -> None:
    found = axes(plane, spacing)
    assert found.long.length_mm >= found.short.length_mm - 1e-9
    for line in (found.long, found.short):
        assert np.linalg.norm(_vector(line, spacing)) == pytest.approx(line.length_mm)
        assert on_outline(line.start, plane)
        assert on_outline(line.end, plane)
    assert _vector(found.long, spacing) @ _vector(found.short, spacing) == pytest.approx(0.0, abs=1e-6)


def _vector(line: Line, spacing: tuple[float, float]) -> np.ndarray:
    vector: np.ndarray = np.subtract(line.end, line.start) * np.array(spacing)
    return vector


TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "upside down": np.flipud,
    "mirrored": np.fliplr,
    "turned": lambda plane: np.rot90(plane, 2),
    "by a quarter": np.rot90,
    "transposed": np.transpose,
    "in a larger field": lambda plane: np.pad(plane, ((3, 1), (0, 2))),
}


@settings(max_examples=60, deadline=None)
@given(planes(), SPACINGS, st.sampled_from(sorted(TURNS)))
def test_turning_and_mirroring_change_no_length(plane: np.ndarray, spacing: tuple[float, float], turn: str) -> None:
    swapped = turn in {"by a quarter", "transposed"}
    other = axes(TURNS[turn](plane), spacing[::-1] if swapped else spacing)
    assert lengths(other) == pytest.approx(lengths(axes(plane, spacing)))


def test_a_region_as_ragged_as_noise_is_measured_too() -> None:
    noise = np.random.default_rng(0).random((200, 200)) < 0.4
    long, short = lengths(axes(noise, (1.0, 1.0)))
    assert 270.0 < short <= long < 283.0


def test_the_largest_slice_is_the_middle_one_of_equals() -> None:
    assert largest_slice(np.array([0, 0, 4, 4, 4, 4, 4, 0])) == 4
    assert largest_slice(np.array([0, 0, 4, 4, 4, 4, 25, 0])) == 6
    assert largest_slice(np.array([3])) == 0
