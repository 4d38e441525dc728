"""The outline of a region on a slice, as a closed polyline on the edges of its pixels, and the pixels in an outline."""

import numpy as np
from numpy.typing import NDArray

Vertex = tuple[int, int]


def outline(plane: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The outer edge of the largest part of a plane's region.

    Parameters
    ----------
    plane
        (row, column), bool, not empty. Parts that touch at a corner only count as separate.

    Returns
    -------
    ndarray
        (vertex, 2), column and row as SCOORD counts them: the first pixel reaches from 0.0 to 1.0 (PS3.3 C.18.6.1.2),
        so the polygon's area is the number of its pixels. Corners only; the last vertex repeats the first.
    """
    loops = _loops(_edges(plane))
    outer = max(loops, key=_signed_area)  # holes run the other way round and have negative area
    return np.array([*outer, outer[0]], dtype=np.float64)


def filled(line: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centre lies within an outline: what `outline` was drawn around, without its holes.

    Parameters
    ----------
    line
        (vertex, 2), column and row as `outline` gives them; closed, whether or not the last vertex repeats the first.
    shape
        Rows and columns of the plane.
    """
    inside = np.zeros(shape, dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(line, np.roll(line, -1, axis=0), strict=True):
        low, high = sorted((y0, y1))
        for row in range(max(0, int(np.ceil(low - 0.5))), min(shape[0], int(np.ceil(high - 0.5)))):
            x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            inside[row, max(0, int(np.ceil(x - 0.5))) :] ^= True  # even-odd: one more edge lies to the left
    return inside


def _edges(plane: NDArray[np.bool_]) -> dict[Vertex, list[Vertex]]:
    """Pixel edges between inside and outside as start -> ends, (column, row), with the inside on the right."""
    inside = np.pad(plane, 1)
    top = np.argwhere(inside & ~np.roll(inside, 1, axis=0)) - 1
    bottom = np.argwhere(inside & ~np.roll(inside, -1, axis=0)) - 1
    left = np.argwhere(inside & ~np.roll(inside, 1, axis=1)) - 1
    right = np.argwhere(inside & ~np.roll(inside, -1, axis=1)) - 1
    edges: dict[Vertex, list[Vertex]] = {}
    for pixels, start, end in (
        (top, (0, 0), (1, 0)),
        (right, (1, 0), (1, 1)),
        (bottom, (1, 1), (0, 1)),
        (left, (0, 1), (0, 0)),
    ):
        for row, column in pixels.tolist():
            edges.setdefault((column + start[0], row + start[1]), []).append((column + end[0], row + end[1]))
    return edges


def _loops(edges: dict[Vertex, list[Vertex]]) -> list[list[Vertex]]:
    """Closed chains of edges, each as its corners."""
    loops = []
    while edges:
        first = next(iter(edges))
        loop, here, direction = [first], first, (0, 0)
        while len(loop) == 1 or not _closed(edges, loop, direction):
            here, direction = _step(edges, here, direction)
            loop.append(here)
        loops.append(_corners(loop[:-1]))
    return loops


def _closed(edges: dict[Vertex, list[Vertex]], loop: list[Vertex], direction: Vertex) -> bool:
    """Whether the chain is back at its first edge; where a part touches itself it may pass its first vertex before."""
    return loop[-1] == loop[0] and (loop[0] not in edges or _right(loop[0], direction) == loop[1])


def _step(edges: dict[Vertex, list[Vertex]], here: Vertex, direction: Vertex) -> tuple[Vertex, Vertex]:
    """Take the edge that leaves `here`; where two parts touch at a corner, turn right and so stay on the same part."""
    ends = edges[here]
    there = _right(here, direction) if _right(here, direction) in ends else ends[0]
    ends.remove(there)
    if not ends:
        del edges[here]
    return there, (there[0] - here[0], there[1] - here[1])


def _right(here: Vertex, direction: Vertex) -> Vertex:
    return here[0] - direction[1], here[1] + direction[0]  # rows run down, so a right turn of (1, 0) is (0, 1)


def _corners(loop: list[Vertex]) -> list[Vertex]:
    around = zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True)
    return [
        here
        for before, here, after in around
        if (here[0] - before[0], here[1] - before[1]) != (after[0] - here[0], after[1] - here[1])
    ]


def _signed_area(loop: list[Vertex]) -> float:
    x, y = np.array(loop, dtype=np.float64).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
