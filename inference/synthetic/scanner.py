"""What the scanner does to a made-up head: where its voxels lie, uneven coils, noise; knows no tissue."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.synthetic.template import Template

FIELD_OF_VIEW_MM = (188.0, 240.0, 200.0)
"""Extent along (slice, row, column) where no shape is given."""

_LESS_NECK_MM = np.array([0.0, 0.0, 8.0])  # the field of view is set a little higher than the drawn body


def covering(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Voxels along (slice, row, column) that cover `FIELD_OF_VIEW_MM`."""
    rows = [round(extent / step) for extent, step in zip(FIELD_OF_VIEW_MM, spacing_mm, strict=True)]
    return rows[0], rows[1], rows[2]


def placed(base: Template, spacing_mm: tuple[float, float, float], shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Index (slice, row, column) to LPS: slices to the head (+z), rows to the back (+y), columns to the left (+x)."""
    size = np.array(base.brain.shape[::-1])
    middle = np.array(base.origin_mm) + base.spacing_mm * (size - 1) / 2.0 + _LESS_NECK_MM
    between_slices, between_rows, between_columns = spacing_mm
    affine = np.eye(4)
    affine[:3, :3] = [[0.0, 0.0, between_columns], [0.0, between_rows, 0.0], [between_slices, 0.0, 0.0]]
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2.0)
    return affine


def grid_of(affine: NDArray[np.float64], shape: tuple[int, int, int]) -> sitk.Image:
    """The same grid for SimpleITK, which counts columns first."""
    grid = sitk.Image([shape[2], shape[1], shape[0]], sitk.sitkUInt8)
    grid.SetOrigin([float(v) for v in affine[:3, 3]])
    grid.SetSpacing([float(affine[0, 2]), float(affine[1, 1]), float(affine[2, 0])])
    return grid


def acquired(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What the scanner adds: uneven coils, noise (Rician: the magnitude of a noisy complex number), whole numbers."""
    bias = np.ones(picture.shape, dtype=np.float32)
    for axis, count in enumerate(picture.shape):
        along = np.linspace(-1.0, 1.0, count, dtype=np.float32)
        slope, curve = (float(v) for v in rng.uniform(-0.12, 0.12, 2))
        line = 1.0 + slope * along + curve * (along**2 - 1.0 / 3.0)
        bias *= np.expand_dims(line, tuple(a for a in range(3) if a != axis)).astype(np.float32)
    sigma = np.float32(rng.uniform(8.0, 25.0))
    real = picture * bias + sigma * rng.standard_normal(picture.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(picture.shape, dtype=np.float32)
    magnitude: NDArray[np.float32] = np.rint(np.hypot(real, imaginary)).astype(np.float32)
    return magnitude
