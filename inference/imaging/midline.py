"""The mid-sagittal plane of a head, and on which side of it a region lies; silent where the head does not show it.

The side is the patient's, from the geometry of the series: it does not depend on how the slices are cut or shown.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging.components import largest
from inference.imaging.intensity import foreground_mask

CLEARANCE_MM = 3.0
"""A region nearer to the plane than this, or across it, has no side."""

_LONG_ENOUGH = 0.6  # of the widest line of a slice: ears, nose and neck are left out
_ROUNDS = 5  # of fitting without the lines that lie farthest off
_WORST_SPREAD_MM = 6.0  # of the middles about the plane: above it, what was found is no plane of symmetry
_FEWEST_LINES = 100
_MOST_CUT = 0.2  # of the long lines that the edge of the volume may cut off
_NARROWEST_MM = 80.0  # a newborn's head is wider


@dataclass(frozen=True, kw_only=True)
class Midline:
    """The plane x = at + by_y * y + by_z * z, LPS, mm: x above it is the patient's left."""

    at: float
    by_y: float
    by_z: float

    def left_of(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far points (n, 3), LPS, mm, lie to the left of the plane, mm; below 0 is right."""
        slope = float(np.sqrt(1.0 + self.by_y**2 + self.by_z**2))
        beyond: NDArray[np.float64] = (
            points[:, 0] - self.at - self.by_y * points[:, 1] - self.by_z * points[:, 2]
        ) / slope
        return beyond


def midline(volume: Volume) -> Midline | None:
    """Find the plane midway between the two sides of the head.

    Parameters
    ----------
    volume
        (slice, row, column), float32, LPS, mm; a head, brighter than what surrounds it.

    Returns
    -------
    Midline or None
        None where too little of the head lies inside the volume, or its sides do not lie about a plane.
    """
    axial = volume.to_patient_orientation("HPL")
    middles = _middles(largest(foreground_mask(axial.array)), _NARROWEST_MM / axial.spacing[2])
    points = middles @ axial.affine[:3, :3].T + axial.affine[:3, 3]
    plane, off = np.zeros(3), np.full(1, np.inf)
    for _ in range(_ROUNDS):
        if len(points) < _FEWEST_LINES:
            return None
        terms = np.column_stack([np.ones(len(points)), points[:, 1], points[:, 2]])
        plane = np.linalg.lstsq(terms, points[:, 0], rcond=None)[0]
        off = np.abs(points[:, 0] - terms @ plane)
        points = points[off <= max(float(np.quantile(off, 0.9)), 1.0)]
    if float(off.std()) > _WORST_SPREAD_MM:
        return None
    return Midline(at=float(plane[0]), by_y=float(plane[1]), by_z=float(plane[2]))


def side(points: NDArray[np.float64], plane: Midline) -> Literal["left", "right"] | None:
    """The patient's side where every one of the points (n, 3), LPS, mm, lies clear of the plane, else None."""
    left = plane.left_of(points)
    if left.min() >= CLEARANCE_MM:
        return "left"
    return "right" if left.max() <= -CLEARANCE_MM else None


def _middles(head: Mask, narrowest: float) -> NDArray[np.float64]:
    """Index (slice, row, column) of the middle of each long line from side to side that lies wholly in the volume.

    None where no line is as long as `narrowest` voxels, or where the volume cuts off more than a few.
    """
    any_there = head.any(axis=2)
    first = head.argmax(axis=2)
    last = head.shape[2] - 1 - head[:, :, ::-1].argmax(axis=2)
    width = np.where(any_there, last - first + 1, 0)
    long = any_there & (width >= _LONG_ENOUGH * width.max(axis=1, keepdims=True))
    whole = long & (first > 0) & (last < head.shape[2] - 1)
    if width.max(initial=0) < narrowest or whole.sum() < (1.0 - _MOST_CUT) * long.sum():
        return np.empty((0, 3))
    slices, rows = np.nonzero(whole)
    return np.column_stack([slices, rows, (first[whole] + last[whole]) / 2.0]).astype(np.float64)
