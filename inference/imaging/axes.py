"""The longest axis of a region on one slice and its longest perpendicular, to the outer edges of the pixels, in mm."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
_Values = NDArray[np.float64]

_RIGHT, _DOWN = np.array([0, 1]), np.array([1, 0])
_SAME = 1e-9  # of a length by which it may differ from another and be the same but for rounding


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight line on a slice.

    Attributes
    ----------
    start, end
        (row, column); the first pixel reaches from 0.0 to 1.0, its centre is (0.5, 0.5) (PS3.3 C.18.6.1.2, which has
        the column first).
    length_mm
        Its length.
    """

    start: Point
    end: Point
    length_mm: float


@dataclass(frozen=True, kw_only=True)
class Axes:
    """How far a region reaches on a slice.

    Attributes
    ----------
    long
        Between the two points of the region that lie farthest apart.
    short
        Perpendicular to it, in mm: of all lines across the long axis, the one on which two points of the region lie
        farthest apart. Of several as long, the one nearest to the middle of the long axis.
    """

    long: Line
    short: Line


def largest_slice(areas: NDArray[np.int64]) -> int:
    """Index of the slice on which a region is measured and shown: that of most pixels, the middle one of several.

    Parameters
    ----------
    areas
        (slice,): pixels of the region on each slice.
    """
    largest = np.flatnonzero(areas == areas.max())
    return int(largest[len(largest) // 2])


def axes(plane: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> Axes:
    """Measure a region on one slice.

    Pixels are rectangles, so that one pixel is as long as its diagonal. Both lines end on the region's outline and may
    cross what is not of it: a gap, or the hollow of a crescent. Of several longest axes, the one with the longest
    perpendicular counts, so that turning or mirroring the slice changes no length.

    Parameters
    ----------
    plane
        (row, column), bool, not empty; in one part or several.
    spacing_mm
        Pixel Spacing (0028,0030): between rows, between columns.
    """
    edges, spacing = _edges(plane), np.array(spacing_mm)
    found = [_measured(start, end, edges * spacing, spacing) for start, end in _farthest(_hull(edges) * spacing)]
    return max(found, key=lambda a: round(a.short.length_mm, 9))


def _edges(plane: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixel edges between inside and outside, (edge, end, (row, column)), counted at the pixels' corners."""
    inside = np.pad(plane, 1)
    level = np.argwhere(inside[1:, 1:-1] != inside[:-1, 1:-1])
    upright = np.argwhere(inside[1:-1, 1:] != inside[1:-1, :-1])
    return np.concatenate([np.stack([level, level + _RIGHT], axis=1), np.stack([upright, upright + _DOWN], axis=1)])


def _hull(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Corners of the region's convex hull, (corner, 2), by Andrew's monotone chain over the ends of each row."""
    corners = edges.reshape(-1, 2)
    rows, row_of = np.unique(corners[:, 0], return_inverse=True)
    first, last = np.full(len(rows), corners[:, 1].max()), np.full(len(rows), corners[:, 1].min())
    np.minimum.at(first, row_of, corners[:, 1])
    np.maximum.at(last, row_of, corners[:, 1])
    left = _chain(list(zip(rows.tolist(), first.tolist(), strict=True)))
    right = _chain(list(zip(rows[::-1].tolist(), last[::-1].tolist(), strict=True)))
    return np.array([*left, *right])


def _chain(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the points that the hull turns at, all to the same side."""
    kept: list[tuple[int, int]] = []
    for row, column in points:
        while len(kept) > 1:
            (r0, c0), (r1, c1) = kept[-2:]
            if (r1 - r0) * (column - c0) - (c1 - c0) * (row - r0) > 0:
                break
            kept.pop()
        kept.append((row, column))
    return kept


def _farthest(corners: _Values) -> Iterator[tuple[_Values, _Values]]:
    """Every two of the corners (corner, 2), mm, between which it is farthest."""
    apart = np.triu(np.linalg.norm(corners[:, None] - corners, axis=2))
    for one, other in np.argwhere(apart >= apart.max() * (1.0 - _SAME)):
        yield corners[one], corners[other]


def _measured(start: _Values, end: _Values, edges: _Values, spacing: _Values) -> Axes:
    """The axes of edges (edge, end, 2), mm, whose long axis is known."""
    length = float(np.linalg.norm(end - start))
    ahead = (end - start) / length
    aside = np.array([-ahead[1], ahead[0]])
    at, low, high = _widest((edges - start) @ ahead, (edges - start) @ aside, length)

    def line(one: _Values, other: _Values, length_mm: float) -> Line:
        (r0, c0), (r1, c1) = (one / spacing).tolist(), (other / spacing).tolist()
        return Line(start=(r0, c0), end=(r1, c1), length_mm=length_mm)

    foot = start + at * ahead
    return Axes(long=line(start, end, length), short=line(foot + low * aside, foot + high * aside, high - low))


def _widest(along: _Values, across: _Values, length: float) -> tuple[float, float, float]:
    """Where along the axis edges (edge, end) lie farthest apart across it, and their lowest and highest place there.

    Strips across the axis are looked at, the widest first, until none that is left can hold a longer line.
    """
    near = _SAME * length
    step = float(np.ptp(along, axis=1).max()) + 4.0 * near  # so that no edge touches more than two strips
    first = np.maximum(np.floor((along.min(axis=1) - near) / step), 0).astype(np.int64)
    last = np.floor((along.max(axis=1) + near) / step).astype(np.int64)
    top, bottom = np.full(last.max() + 1, -np.inf), np.full(last.max() + 1, np.inf)
    for strip in (first, last):
        np.maximum.at(top, strip, across.max(axis=1))
        np.minimum.at(bottom, strip, across.min(axis=1))
    best, at_best = (-np.inf, 0.0), (0.0, 0.0, 0.0)
    for strip in np.argsort(bottom - top, kind="stable"):
        if top[strip] - bottom[strip] < best[0] - near:
            break
        touching = (first == strip) | (last == strip)
        at, low, high = _widest_of(along[touching], across[touching], length / 2.0, near)
        rank = (round(high - low, 9), -round(abs(at - length / 2.0), 9))
        if rank > best:
            best, at_best = rank, (at, low, high)
    return at_best


def _widest_of(along: _Values, across: _Values, middle: float, near: float) -> tuple[float, float, float]:
    """The same of a few edges.

    Between two ends of edges both sides are straight, so no other place than an end can be the widest; the middle of
    the axis may be as wide.
    """
    at = np.unique(np.append(along, middle))
    run = along[:, 1] - along[:, 0]
    share = (at[:, None] - along[:, 0]) / np.where(np.abs(run) > near, run, np.inf)  # along which an edge is crossed
    there = (at[:, None] >= along.min(axis=1) - near) & (at[:, None] <= along.max(axis=1) + near)
    crossed = across[:, 0] + np.clip(share, 0.0, 1.0) * (across[:, 1] - across[:, 0])
    high = np.where(there, crossed, -np.inf).max(axis=1)
    low = np.where(there, crossed, np.inf).min(axis=1)
    wide = np.flatnonzero(high - low >= (high - low).max() - near)
    best = wide[np.abs(at[wide] - middle).argmin()]
    return float(at[best]), float(low[best]), float(high[best])
