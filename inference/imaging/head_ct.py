"""What a CT of a head shows by its numbers alone: the head without the table, soft parts, bone and air."""

import numpy as np
import SimpleITK as sitk
from highdicom import Volume
from numpy.typing import NDArray

from inference.findings import Mask
from inference.imaging import grid
from inference.imaging.components import largest

SOFT_HU = (0.0, 120.0)
"""Liquor, brain and blood; what is denser is bone, what is less dense fat or air."""

_AIR_HU, _BODY_HU, _FAT_HU, _BONE_HU = -1000.0, -200.0, -30.0, 150.0


def soft_parts(hounsfield: NDArray[np.float32]) -> NDArray[np.float32]:
    """HU of soft parts, 0 elsewhere, so that bone is as dark as it is in MR; any shape, float32."""
    low, high = SOFT_HU
    return np.where((hounsfield > low) & (hounsfield < high), hounsfield, np.float32(0.0))


def head_alone(volume: Volume, spacing_mm: float) -> sitk.Image:
    """The head on a grid along the patient's axes, without table and cushions: 0 for air, bone brightest.

    Parameters
    ----------
    volume
        (slice, row, column), float32, HU.
    spacing_mm
        Of the grid, as in `grid.upright`.
    """
    image = grid.upright(volume, spacing_mm, outside=_AIR_HU)
    array = sitk.GetArrayFromImage(image)
    body = sitk.GetImageFromArray((array > _BODY_HU).astype(np.uint8))
    head = largest(sitk.GetArrayFromImage(sitk.BinaryMorphologicalOpening(body, [2, 2, 2])) > 0)
    alone = sitk.GetImageFromArray(np.where(head, np.clip(array, 0.0, _BONE_HU), 0.0).astype(np.float32))
    alone.CopyInformation(image)
    return alone


def without_bone_and_air(mask: Mask, hounsfield: NDArray[np.float32]) -> Mask:
    """A mask less the bone and the air at its edge; what it encloses, a calcification or a drain, stays.

    Parameters
    ----------
    mask, hounsfield
        (slice, row, column), bool and float32, on one grid.
    """
    soft = mask & (hounsfield > _FAT_HU) & (hounsfield < _BONE_HU)
    whole: Mask = sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(soft.astype(np.uint8)))) > 0
    return whole
