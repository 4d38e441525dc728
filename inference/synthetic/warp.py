"""From the template to one made-up patient's place in the scanner: position, size, shape; knows no intensity."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.synthetic.template import Template

OUTSIDE = -1000.0
"""Value of every layer beyond the template: no tissue, no brain, and far from any lesion."""

_SIZE = (0.86, 0.93)  # heads are smaller than the template: the space of ICBM is about 1.2 times a mean brain's volume
_CONTROL_POINTS = (6, 7, 6)  # of the random deformation, along (slice, row, column)
_SHIFT_MM = 2.5  # standard deviation of a control point's shift
_FIELD_STEP_MM = 8.0
_TORQUE_MM = (
    2.5  # the right frontal and the left occipital lobe reach further: https://en.wikipedia.org/wiki/Yakovlevian_torque
)


def warp(
    base: Template, layers: NDArray[np.float32], grid: sitk.Image, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw layers of the template on another grid, through one random transformation.

    Parameters
    ----------
    base
        The template, which gives the geometry of `layers`.
    layers
        (slice, row, column, layer), float32, on the template.
    grid
        The grid to draw on, LPS; its voxels are not read.
    rng
        Source of the transformation.

    Returns
    -------
    ndarray
        (slice, row, column, layer), float32, on `grid`; `OUTSIDE` where the template does not reach.
    """
    # a composite applies the last one first: patient to template's place, then the deformation there
    transform = sitk.CompositeTransform([_deformation(base, rng), _placement(base, rng)])
    moved = sitk.Resample(base.image(layers), grid, transform, sitk.sitkLinear, OUTSIDE, sitk.sitkVectorFloat32)
    array: NDArray[np.float32] = sitk.GetArrayFromImage(moved)
    return array


def _placement(base: Template, rng: np.random.Generator) -> sitk.AffineTransform:
    """A turned head of another size; maps the patient's position to the template's."""
    overall = float(rng.uniform(*_SIZE))
    scale = overall * rng.uniform(0.97, 1.03, 3)
    pitch, roll, yaw = np.radians(rng.normal(0.0, (5.0, 2.5, 3.0)))
    turn = sitk.Euler3DTransform()
    turn.SetRotation(float(pitch), float(roll), float(yaw))
    matrix = np.diag(1.0 / scale) @ np.array(turn.GetMatrix()).reshape(3, 3)
    size = np.array(base.brain.shape[::-1]) * base.spacing_mm
    affine = sitk.AffineTransform(3)
    affine.SetMatrix([float(v) for v in matrix.ravel()])
    affine.SetCenter([float(v) for v in np.array(base.origin_mm) + size / 2.0])
    affine.SetTranslation([float(v) for v in rng.normal(0.0, 3.0, 3)])
    return affine


def _deformation(base: Template, rng: np.random.Generator) -> sitk.DisplacementFieldTransform:
    """Random smooth shifts plus the torque that heads have; maps the template's place to where its value is taken."""
    size = np.array(base.brain.shape[::-1]) * base.spacing_mm
    shape = np.ceil(size / _FIELD_STEP_MM).astype(int) + 1
    field = sitk.Image([int(n) for n in shape], sitk.sitkVectorFloat64, 3)
    field.SetOrigin(base.origin_mm)
    field.SetSpacing((_FIELD_STEP_MM,) * 3)
    points = sitk.GetImageFromArray(rng.normal(0.0, _SHIFT_MM, (*_CONTROL_POINTS, 3)), isVector=True)
    points.SetOrigin(base.origin_mm)
    points.SetSpacing([float(s) for s in size / (np.array(_CONTROL_POINTS[::-1]) - 1)])
    parts = [
        sitk.Resample(sitk.VectorIndexSelectionCast(points, axis), field, sitk.Transform(), sitk.sitkBSpline, 0.0)
        for axis in range(3)
    ]
    shifts = sitk.GetArrayFromImage(sitk.Compose(*parts)).astype(np.float64)
    x = base.origin_mm[0] + _FIELD_STEP_MM * np.arange(shape[0])
    shifts[..., 1] -= _TORQUE_MM * np.tanh(
        x / 35.0
    )  # left (x > 0): taken from further in front, so it lies further back
    array = sitk.GetImageFromArray(shifts, isVector=True)
    array.CopyInformation(field)
    return sitk.DisplacementFieldTransform(array)
