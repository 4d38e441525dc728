"""Where one image or frame lies in the patient: a value that reading makes and results are drawn on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Where one image or frame lies.

    Attributes
    ----------
    position
        Image Position (Patient) (0020,0032): centre of the first voxel, LPS, mm.
    orientation
        Image Orientation (Patient) (0020,0037): direction along a row, then down a column.
    spacing
        Pixel Spacing (0028,0030): between rows, between columns, mm.
    matrix
        Rows, columns.
    thickness
        Distance of slices for a volume of one slice, mm; None where the header gives none.
    frame_of_reference_uid
        Frame of Reference UID (0020,0052), empty where absent.
    """

    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    spacing: tuple[float, float]
    matrix: tuple[int, int]
    thickness: float | None
    frame_of_reference_uid: str

    @cached_property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors along a row, down a column and their cross product (PS3.3 C.7.6.2.1.1), exactly perpendicular.

        Headers round direction cosines; whether they are perpendicular at all is for the reader of the header to check.
        """
        along_row, down_column = np.asarray(self.orientation[:3]), np.asarray(self.orientation[3:])
        along_row = along_row / np.linalg.norm(along_row)
        down_column = down_column - (down_column @ along_row) * along_row
        down_column = down_column / np.linalg.norm(down_column)
        return along_row, down_column, np.cross(along_row, down_column)


def distances(planes: tuple[Plane, ...]) -> Vector:
    """(plane,), mm: where parallel planes lie along the normal of the first, or against it where they run so."""
    along = np.array([plane.position for plane in planes]) @ planes[0].axes[2]
    return np.asarray(along if along[-1] >= along[0] else -along, dtype=np.float64)


def extents(along: Vector, lone: float) -> Vector:
    """How much of the normal each plane stands for, mm: half of the way to each neighbour, at the ends as much outside.

    Parameters
    ----------
    along
        (plane,), mm, ascending.
    lone
        Extent of a plane without neighbours, mm.
    """
    if len(along) == 1:
        return np.array([lone])
    steps = np.diff(along)
    return np.asarray((np.append(steps[0], steps) + np.append(steps, steps[-1])) / 2, dtype=np.float64)
