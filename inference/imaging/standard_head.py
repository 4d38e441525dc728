"""Lays the standard head over a head in a volume, by mutual information; knows no surface and no tissue.

Mutual information asks only that tissues differ, not which one is brighter, so T1, T2, FLAIR and CT are fitted alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.errors import UnsuitableImageError
from inference.synthetic.template import template

_REACH_MM = 18.0  # from the brain: skull and scalp are compared, neck and face are not
_FIRST_SCALE = 0.9  # rather small: what starts too large takes the scalp for the brain's edge, and stays there
_CROWN_MM = 12.0  # from brain to skin at the top of the standard head
_UPPER_HEAD_MM = 140.0  # below the crown: what lies lower is neck, in children more so
_LEAST_AREA_MM2 = 1000.0  # of the topmost slice of a head
_LEAST_HEAD_ML = 500.0
_NECK_BELOW_MM = -25.0  # z in the standard head: below it no skull is drawn
_SHELLS_MM = [0.0, 1.0, 2.0, 8.0, 9.0, 14.0, 15.0]
_SHELL_TONES = [0.1, 0.1, 0.05, 0.05, 1.3, 1.3, 0.0]  # liquor, skull, scalp, air
_MUSCLE, _NECK_MM, _TISSUE = 0.6, 40.0, 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Standard:
    """What a head is held against; LPS, mm.

    Attributes
    ----------
    head
        Brain, skull and scalp as a T1-weighted image shows them.
    compared
        Voxels that count in the fit.
    distance
        To the brain without the cord, mm; negative within.
    center
        Of the brain.
    crown_mm
        z of the topmost skin.
    """

    head: sitk.Image
    compared: sitk.Image
    distance: sitk.Image
    center: NDArray[np.float64]
    crown_mm: float


@cache
def standard() -> Standard:
    """The standard head, drawn once."""
    base = template()
    tones = np.interp(base.outside_mm, _SHELLS_MM, _SHELL_TONES).astype(np.float32)
    low = (base.outside_mm > _SHELLS_MM[-3]) & (base.positions_mm()[2] < _NECK_BELOW_MM)
    tones[low] = np.where(base.outside_mm[low] < _NECK_MM, _MUSCLE, 0.0)
    tissue = base.brain & (base.detail > 0.0)
    tones[tissue] = base.detail[tissue] + _TISSUE
    distance = sitk.SignedMaurerDistanceMap(
        base.image(base.brain.astype(np.uint8)) > 0, squaredDistance=False, useImageSpacing=True
    )
    inside = np.argwhere(base.brain)
    origin = np.array(base.origin_mm)
    return Standard(
        head=base.image(tones),
        compared=distance < _REACH_MM,
        distance=distance,
        center=origin + base.spacing_mm * inside.mean(axis=0)[::-1],
        crown_mm=float(origin[2] + base.spacing_mm * inside[:, 0].max() + _CROWN_MM),
    )


def fit(image: sitk.Image) -> sitk.AffineTransform:
    """Where each point of the standard head lies in the patient, but for what shape and size set them apart.

    Parameters
    ----------
    image
        float32, on a grid along the patient's axes (`grid.upright`); air dark.

    Returns
    -------
    SimpleITK.AffineTransform
        Of points of the standard head, LPS, mm: turned, moved and scaled alike in all directions.

    Raises
    ------
    UnsuitableImageError
        If nothing of the size of a head lies in the image.
    """
    shift, brightest = _roughly(image)
    center = standard().center
    shift[2] += (1.0 - _FIRST_SCALE) * (standard().crown_mm - center[2])
    placed = sitk.Similarity3DTransform()
    placed.SetCenter(center.tolist())
    placed.SetScale(_FIRST_SCALE)
    placed.SetTranslation(shift.tolist())
    _refine(placed, sitk.Clamp(image, sitk.sitkFloat32, 0.0, brightest))
    affine = sitk.AffineTransform(3)
    affine.SetCenter(placed.GetCenter())
    affine.SetMatrix(placed.GetMatrix())
    affine.SetTranslation(placed.GetTranslation())
    return affine


def _roughly(image: sitk.Image) -> tuple[NDArray[np.float64], float]:
    """Shift that lays crown on crown and middle on middle, mm, and the brightness of the bright soft parts."""
    array = sitk.GetArrayFromImage(image)
    step = image.GetSpacing()[0]
    bright = array[array > array.mean(dtype=np.float64)]
    head = array > 0.15 * np.percentile(bright, 90) if bright.size else array > 0
    opened = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray(head.astype(np.uint8)), [1, 1, 1])
    head = sitk.GetArrayFromImage(opened) > 0
    slices = np.flatnonzero(head.sum(axis=(1, 2)) * step**2 > _LEAST_AREA_MM2)
    if head.sum() * step**3 < 1000.0 * _LEAST_HEAD_ML or not slices.size:
        raise UnsuitableImageError(
            f"{head.sum() * step**3 / 1000.0:.0f} mL of the volume are brighter than air, "
            f"a head has {_LEAST_HEAD_ML:.0f} mL"
        )
    brightest = float(np.percentile(array[head], 98))
    crown = image.GetOrigin()[2] + step * slices[-1]
    head[: max(0, int(slices[-1] - _UPPER_HEAD_MM / step))] = False
    middle = np.array(image.GetOrigin()) + step * np.argwhere(head).mean(axis=0)[::-1]
    shift: NDArray[np.float64] = middle - standard().center
    shift[2] = crown - standard().crown_mm
    return shift, brightest


def _refine(transform: sitk.Transform, moving: sitk.Image) -> None:
    """Improve a transform in place."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(standard().compared)
    method.SetMetricSamplingStrategy(method.NONE)  # every voxel: samples are drawn anew by the time of day
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0, minStep=0.05, numberOfIterations=100, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([3])
    method.SetSmoothingSigmasPerLevel([4.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(transform, inPlace=True)
    with _one_thread():
        method.Execute(standard().head, moving)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sum in one order, so that the same head gives the same fit, to the last bit, each time and on every machine.

    The method's own `SetNumberOfThreads` does not reach its metric.
    """
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
