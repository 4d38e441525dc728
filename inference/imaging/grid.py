"""From one grid to another and back: volumes as SimpleITK images, other spacings, masks on their source; knows no
intensity.

SimpleITK counts columns first, a volume slices first; both are LPS in mm. Whatever only permutes and flips goes
through no interpolation, so that every voxel comes back as it was.
"""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from highdicom import Volume, VolumeGeometry
from numpy.typing import NDArray

_FWHM = 2.354820045  # of a Gaussian, in standard deviations
_EXACT = 1e-4  # voxels: grids whose points coincide within this need no interpolation

Array = NDArray[np.float32]


def to_image(array: NDArray[np.generic], affine: NDArray[np.float64]) -> sitk.Image:
    """An array for SimpleITK.

    Parameters
    ----------
    array
        (slice, row, column), any number type; copied.
    affine
        (4, 4): index (slice, row, column) to LPS, mm.
    """
    image = sitk.GetImageFromArray(array)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing([float(s) for s in spacing[::-1]])
    image.SetOrigin([float(p) for p in affine[:3, 3]])
    image.SetDirection([float(v) for v in (affine[:3, :3] / spacing)[:, ::-1].ravel()])
    return image


def to_volume(image: sitk.Image, frame_of_reference_uid: str | None = None) -> Volume:
    """A SimpleITK image of one channel as a volume (slice, row, column); the way back from `to_image`."""
    return Volume(
        sitk.GetArrayFromImage(image),
        affine_of(image),
        coordinate_system="PATIENT",
        frame_of_reference_uid=frame_of_reference_uid,
    )


def affine_of(image: sitk.Image) -> NDArray[np.float64]:
    """(4, 4): index (slice, row, column) of a SimpleITK image to LPS, mm."""
    affine = np.eye(4)
    affine[:3, :3] = (np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing()))[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return affine


def regridded(volume: Volume, spacing_mm: Sequence[float], shape: Sequence[int], *, antialias: bool) -> Volume:
    """Another number of voxels of another size along the same axes, about the same middle.

    Parameters
    ----------
    volume
        (slice, row, column), float32.
    spacing_mm, shape
        Of the new grid, along (slice, row, column).
    antialias
        Smooth first along axes that get coarser.

    Returns
    -------
    Volume
        float32, interpolated linearly; 0 outside what there was.
    """
    affine = volume.affine.copy()
    affine[:3, :3] *= np.array(spacing_mm) / np.array(volume.spacing)
    middle = (volume.affine @ [*((np.array(volume.spatial_shape) - 1) / 2.0), 1.0])[:3]
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2.0)
    image = to_image(volume.array, volume.affine)
    if antialias:
        image = _smoothed(image, volume.spacing, spacing_mm)
    grid = to_image(np.zeros(shape, dtype=np.uint8), affine)
    moved = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    return to_volume(moved, volume.frame_of_reference_uid)


def upright(volume: Volume, spacing_mm: float, *, margin_mm: float = 0.0, outside: float = 0.0) -> sitk.Image:
    """The volume on cubes whose axes are the patient's, over the box that holds it all.

    Parameters
    ----------
    volume
        (slice, row, column), float32.
    spacing_mm
        Edge of a cube.
    margin_mm
        Added to the box on every side.
    outside
        Value of the cubes that lie outside the volume.

    Returns
    -------
    SimpleITK.Image
        float32, direction 1: x to the left, y to posterior, z to the head; interpolated linearly.
    """
    reach = np.array([[-0.5, n - 0.5] for n in volume.spatial_shape])
    corners = np.array(np.meshgrid(*reach, indexing="ij")).reshape(3, -1)
    points = volume.affine[:3, :3] @ corners + volume.affine[:3, 3:]
    low, high = points.min(axis=1) - margin_mm, points.max(axis=1) + margin_mm
    size = np.maximum(np.ceil((high - low) / spacing_mm - _EXACT).astype(int), 1)
    origin = (low + high) / 2.0 - spacing_mm * (size - 1) / 2.0
    return sitk.Resample(
        _smoothed(to_image(volume.array, volume.affine), volume.spacing, [spacing_mm] * 3),
        [int(n) for n in size],
        sitk.Transform(),
        sitk.sitkLinear,
        [float(p) for p in origin],
        [spacing_mm] * 3,
        np.eye(3).ravel().tolist(),
        outside,
        sitk.sitkFloat32,
    )


def onto(values: Array, grid: VolumeGeometry | Volume, target: VolumeGeometry | Volume) -> Array:
    """Values of one grid on another.

    Parameters
    ----------
    values
        (slice, row, column), float32, on `grid`.
    grid, target
        Both grids, LPS, mm.

    Returns
    -------
    ndarray
        (slice, row, column), float32, on `target`: the very values where the grids coincide, else interpolated
        linearly; 0 outside `grid`.
    """
    steps = np.linalg.inv(grid.affine) @ target.affine  # index of `target` to index of `values`
    turned, start = np.rint(steps[:3, :3]), np.rint(steps[:3, 3])
    farthest = np.array(target.spatial_shape, dtype=np.float64)
    off_grid = np.abs(steps[:3, :3] - turned) @ farthest + np.abs(steps[:3, 3] - start)
    if off_grid.max() < _EXACT and (np.abs(turned).sum(axis=0) == 1).all():
        return _gathered(values, turned.astype(int), start.astype(int), target.spatial_shape)
    reference = to_image(np.zeros(target.spatial_shape, dtype=np.uint8), target.affine)
    moved = sitk.Resample(to_image(values, grid.affine), reference, sitk.Transform(), sitk.sitkLinear, 0.0)
    array: Array = sitk.GetArrayFromImage(moved)
    return array


def _gathered(values: Array, turned: NDArray[np.int_], start: NDArray[np.int_], shape: Sequence[int]) -> Array:
    """`values` at turned @ index + start, 0 outside; `turned` permutes and flips."""
    axes = np.abs(turned).argmax(axis=0)  # axis of `values` that runs along each axis of the target
    indices, outside = [], []
    for target_axis, axis in enumerate(axes):
        along = turned[axis, target_axis] * np.arange(shape[target_axis]) + start[axis]
        outside.append((along < 0) | (along >= values.shape[axis]))
        indices.append(np.clip(along, 0, values.shape[axis] - 1))
    gathered: Array = values.transpose(*axes)[np.ix_(*indices)].copy()
    gathered[outside[0]] = 0.0
    gathered[:, outside[1]] = 0.0
    gathered[:, :, outside[2]] = 0.0
    return gathered


def _smoothed(image: sitk.Image, old: Sequence[float], new: Sequence[float]) -> sitk.Image:
    """Along axes that get coarser, a Gaussian that makes a voxel's profile of the old width one of the new width."""
    for axis, (before, after) in enumerate(zip(old, new, strict=True)):
        direction = 2 - axis
        if after > before * 1.01 and image.GetSize()[direction] >= 4:  # the recursive filter needs four samples
            sigma = float(np.sqrt(after**2 - before**2) / _FWHM)
            image = sitk.RecursiveGaussian(image, sigma=sigma, direction=direction)
    return image
