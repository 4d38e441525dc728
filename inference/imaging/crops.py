"""Small 2.5-D pieces around points of a volume, at one spacing, scaled to the brain's brightness; knows no lesion."""

from collections.abc import Sequence

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.errors import UnsuitableImageError
from inference.findings import Mask
from inference.imaging.grid import onto, regridded

Array = NDArray[np.float32]


def scaled(volume: Volume, brain: Mask, upper: float) -> Volume:
    """The volume with the brain's median at 1 / upper, and 1 where it is `upper` times that or more.

    Parameters
    ----------
    volume
        (slice, row, column), float32.
    brain
        (slice, row, column), bool.
    upper
        Brightness, in medians of the brain, that becomes 1.

    Raises
    ------
    UnsuitableImageError
        If the brain's median is not above 0.
    """
    median = float(np.median(volume.array[brain])) if brain.any() else 0.0
    if median <= 0.0:
        raise UnsuitableImageError(f"the median of the brain is {median:.3g}; it must be above 0")
    return volume.with_array(np.clip(volume.array / np.float32(median * upper), 0.0, 1.0).astype(np.float32))


def axial(volume: Volume, spacing_mm: Sequence[float]) -> Volume:
    """The volume with slices rising to the head, rows to posterior, columns to the left, and a spacing within slices.

    Parameters
    ----------
    volume
        (slice, row, column), float32.
    spacing_mm
        Along (slice, row, column); the first is left as it is in the volume.

    Raises
    ------
    UnsuitableImageError
        If the slices do not run from foot to head.
    """
    along = volume.get_closest_patient_orientation()[0].value
    if along not in "HF":
        raise UnsuitableImageError(f"slices run along {along}, the bundle reads slices along H")
    turned = volume.to_patient_orientation("HPL")
    spacing = (turned.spacing[0], spacing_mm[1], spacing_mm[2])
    shape = [
        max(1, round(n * old / new)) for n, old, new in zip(turned.spatial_shape, turned.spacing, spacing, strict=True)
    ]
    return regridded(turned, spacing, shape, antialias=True)


def crops(
    volume: Volume, centers_mm: NDArray[np.float64], spacing_mm: Sequence[float], side: int, neighbours: int
) -> Array:
    """Pieces of a volume.

    Parameters
    ----------
    volume
        As `axial` gives it.
    centers_mm
        (piece, 3): middles, LPS, mm.
    spacing_mm
        Of a piece along (slice, row, column).
    side
        Rows and columns of a piece.
    neighbours
        Slices on each side of the middle one.

    Returns
    -------
    ndarray
        (piece, slice, row, column), float32, interpolated linearly; 0 outside the volume.
    """
    depth = 2 * neighbours + 1
    shape = np.array([depth, side, side])
    directions = volume.affine[:3, :3] / np.array(volume.spacing)
    steps = directions * np.array(spacing_mm)
    geometry = volume.get_geometry()
    pieces = np.zeros((len(centers_mm), depth, side, side), dtype=np.float32)
    for number, center in enumerate(centers_mm):
        affine = np.eye(4)
        affine[:3, :3] = steps
        affine[:3, 3] = center - steps @ ((shape - 1) / 2.0)
        grid = Volume(np.zeros(shape, dtype=np.uint8), affine, coordinate_system="PATIENT")
        pieces[number] = onto(volume.array, geometry, grid)
    return pieces
