"""A closed surface of triangles: made, measured, and turned into a mask on any grid; knows no image.

Vertices are points (n, 3) in any one frame: LPS in mm while a surface moves, index (slice, row, column) when it is
filled.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference.findings import Mask

Points = NDArray[np.float64]
_Crossing = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int32]]

_GOLDEN = (1.0 + 5.0**0.5) / 2.0
_CORNERS = [(0, i, j * _GOLDEN) for i in (-1, 1) for j in (-1, 1)]
_OFF_THE_LATTICE = np.array([1.3e-7, 2.7e-7, 0.0])  # voxels: no edge of a triangle then runs through a voxel center


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """Triangles that enclose a body.

    Attributes
    ----------
    vertices
        (n, 3), float64.
    faces
        (m, 3), int64: three vertices each, counterclockwise as seen from outside.
    """

    vertices: Points
    faces: NDArray[np.int64]

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Neighbours of each vertex, (n, most), and which of them are there; the others name the vertex itself."""
        start = self.faces[:, [0, 1, 2]].T.ravel()  # a closed surface has each edge once in either direction
        end = self.faces[:, [1, 2, 0]].T.ravel()
        order = np.lexsort((end, start))
        start, end = start[order], end[order]
        count = np.bincount(start, minlength=len(self.vertices))
        place = np.arange(len(start)) - np.repeat(np.cumsum(count) - count, count)
        neighbours = np.repeat(np.arange(len(self.vertices))[:, None], count.max(), axis=1)
        there = np.zeros(neighbours.shape, dtype=np.bool_)
        neighbours[start, place] = end
        there[start, place] = True
        return neighbours, there

    @property
    def normals(self) -> Points:
        """(n, 3): direction outwards at each vertex, length 1."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        summed = np.stack(
            [
                sum(np.bincount(self.faces[:, k], across[:, axis], len(self.vertices)) for k in range(3))
                for axis in range(3)
            ],
            axis=1,
        )
        unit: Points = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)
        return unit

    @property
    def volume(self) -> float:
        """Of the body within, in the cubed unit of the vertices."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return float(abs((a * np.cross(b, c)).sum()) / 6.0)

    def moved(self, vertices: Points) -> "Surface":
        """The same triangles with other vertices."""
        moved = replace(self, vertices=vertices)
        moved.__dict__["edges"] = self.edges  # who is whose neighbour stays
        return moved


def sphere(divisions: int) -> Surface:
    """Radius 1 about 0: an icosahedron, each triangle parted in four as often as said (4: 2562 vertices)."""
    vertices = np.array([np.roll(corner, turn) for turn in range(3) for corner in _CORNERS], dtype=np.float64)
    near = np.linalg.norm(vertices[:, None] - vertices, axis=2) < 2.01
    faces = [
        (a, b, c) for a in range(12) for b in range(a) for c in range(b) if near[a, b] and near[b, c] and near[a, c]
    ]
    made = np.array(faces, dtype=np.int64)
    inwards = np.einsum("ij,ij->i", np.cross(vertices[made[:, 0]], vertices[made[:, 1]]), vertices[made[:, 2]]) < 0
    made[inwards] = made[inwards][:, ::-1]
    for _ in range(divisions):
        vertices, made = _parted(vertices, made)
    return Surface(vertices=vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces=made)


def filled(surface: Surface, shape: tuple[int, int, int]) -> Mask:
    """Voxels whose center lies within the surface.

    Parameters
    ----------
    surface
        In voxels: index (slice, row, column). It may reach beyond the grid.
    shape
        Of the grid.

    Returns
    -------
    ndarray
        (slice, row, column), bool.
    """
    turns = np.zeros((shape[0], shape[1], shape[2] + 1), dtype=np.int32)
    for slices, rows, columns, sense in _crossings(surface, shape):
        first = np.clip(np.ceil(columns), 0, shape[2]).astype(np.int64)
        np.add.at(turns, (slices, rows, first), sense)
    within: Mask = np.cumsum(turns, axis=2)[:, :, :-1] != 0
    return within


def _parted(vertices: Points, faces: NDArray[np.int64]) -> tuple[Points, NDArray[np.int64]]:
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, which = np.unique(ends, axis=0, return_inverse=True)
    a, b, c = faces.T
    ab, bc, ca = which.reshape(3, -1) + len(vertices)
    parts = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    middles = vertices[edges].mean(axis=1)
    middles *= np.linalg.norm(vertices[0]) / np.linalg.norm(middles, axis=1, keepdims=True)
    return np.concatenate([vertices, middles]), np.concatenate([np.stack(part, axis=1) for part in parts])


def _crossings(surface: Surface, shape: tuple[int, int, int]) -> Iterator[_Crossing]:
    """Where each line of voxels along the columns crosses a triangle: slice, row, column and sense (+1 in, -1 out)."""
    corners = (surface.vertices + _OFF_THE_LATTICE)[surface.faces]
    low = np.ceil(corners[:, :, :2].min(axis=1)).astype(np.int64)
    high = np.floor(corners[:, :, :2].max(axis=1)).astype(np.int64)
    low, high = np.maximum(low, 0), np.minimum(high, np.array(shape[:2]) - 1)
    for offset in np.ndindex(*np.maximum((high - low).max(axis=0) + 1, 0)):
        line = low + np.array(offset)
        there = (line <= high).all(axis=1)
        a, b, c = corners[there].transpose(1, 0, 2)
        p = line[there]
        weights = np.stack([_turn(b, c, p), _turn(c, a, p), _turn(a, b, p)], axis=1)
        area = weights.sum(axis=1)
        hit = (weights > 0).all(axis=1) | (weights < 0).all(axis=1)
        depth = (weights * np.stack([a[:, 2], b[:, 2], c[:, 2]], axis=1)).sum(axis=1)
        yield p[hit, 0], p[hit, 1], depth[hit] / area[hit], np.sign(area[hit]).astype(np.int32)


def _turn(start: Points, end: Points, point: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the area of the triangle start, end, point as seen along the columns; its sign is the sense of turning."""
    ahead, aside = end[:, :2] - start[:, :2], point - start[:, :2]
    return ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]
