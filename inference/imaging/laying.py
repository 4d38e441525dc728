"""How the planes of a series are laid on the grid that is read, and a mask drawn there back on them: whole voxels only.

A model reads a rectangular, evenly spaced grid; a scanner may tilt its gantry or change the distance of its slices. No
voxel is made up in between: a tilted slice is shifted by whole pixels, and where slices lie wider apart than those of
the grid, one fills several. So each pixel of each plane has its place on the grid, and what is drawn there comes back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Cell = TypeVar("_Cell", np.bool_, np.uint8)


@dataclass(frozen=True, kw_only=True)
class Laying:
    """Planes on a grid.

    Attributes
    ----------
    shape
        Of the grid: (slice, row, column).
    matrix
        Rows and columns of every plane.
    plane_of
        Index of the plane that each slice of the grid shows; every plane is shown at least once.
    corners
        Row and column of the grid on which the first pixel of each plane lies.
    """

    shape: tuple[int, int, int]
    matrix: tuple[int, int]
    plane_of: tuple[int, ...]
    corners: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if set(self.plane_of) != set(range(len(self.corners))) or len(self.plane_of) != self.shape[0]:
            raise ValueError("every plane is laid on the grid, and every slice of the grid shows one")
        for row, column in self.corners:
            if min(row, column) < 0 or row + self.matrix[0] > self.shape[1] or column + self.matrix[1] > self.shape[2]:
                raise ValueError("a plane reaches outside the grid")

    @property
    def is_plain(self) -> bool:
        """Whether plane k is slice k of the grid, pixel for pixel."""
        return self.plane_of == tuple(range(len(self.corners))) and self.shape[1:] == self.matrix

    def on_grid(self, planes: NDArray[Any], beyond: float = 0.0) -> NDArray[Any]:
        """(plane, row, column) laid on the grid: (slice, row, column), with `beyond` where no plane lies."""
        if self.is_plain:
            return planes
        grid = np.full(self.shape, beyond, dtype=planes.dtype)
        for k, plane in enumerate(self.plane_of):
            grid[(k, *self._window(plane))] = planes[plane]
        return grid

    def shown(self, grid: NDArray[Any]) -> NDArray[Any]:
        """(slice, row, column) on the grid back to (plane, row, column): each plane's own pixels."""
        if self.is_plain:
            return grid
        slices = [self.plane_of.index(plane) for plane in range(len(self.corners))]
        return np.stack([grid[(k, *self._window(plane))] for plane, k in enumerate(slices)])

    def on_planes(self, drawn: NDArray[_Cell]) -> NDArray[_Cell]:
        """What is drawn on the grid as drawn on the planes; of several slices that show one plane, the highest value.

        Parameters
        ----------
        drawn
            (slice, row, column): a mask, or numbers from 0 on.
        """
        if self.is_plain:
            return drawn
        planes = np.zeros((len(self.corners), *self.matrix), dtype=drawn.dtype)
        for k, shown in enumerate(self.plane_of):
            rows, columns = self._window(shown)
            np.maximum(planes[shown], drawn[k, rows, columns], out=planes[shown])
        return planes

    def indices_on_planes(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same of single voxels: index (slice, row, column) on the grid to (plane, row, column), each once.

        What no plane shows is left out.
        """
        planes = np.array(self.plane_of)[indices[:, 0]]
        pixels = indices[:, 1:] - np.array(self.corners)[planes]
        inside = ((pixels >= 0) & (pixels < np.array(self.matrix))).all(axis=1)
        return np.unique(np.column_stack([planes, pixels])[inside], axis=0)

    def highest_on_planes(self, by_slice: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
        """(slice index, value) as (plane index, value), rising; of slices that show one plane the highest value."""
        highest: dict[int, float] = {}
        for k, value in by_slice:
            highest[self.plane_of[k]] = max(value, highest.get(self.plane_of[k], value))
        return tuple(sorted(highest.items()))

    def _window(self, plane: int) -> tuple[slice, slice]:
        row, column = self.corners[plane]
        return slice(row, row + self.matrix[0]), slice(column, column + self.matrix[1])
