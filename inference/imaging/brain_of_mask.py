"""What is known of a brain from its mask alone: tissue's brightness, where the standard brain lies, what is cut off."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.findings import Mask
from inference.image import Image
from inference.imaging import grid
from inference.imaging.brain import Brain, check_volume
from inference.imaging.shading import Shading, even, fitted
from inference.imaging.standard_head import standard

_STEP_MM = 3.0  # of the grid on which the brain is held against the standard one
_MARGIN_MM = 30.0
_CORE_MM = -4.0  # from here inwards: tissue, without the liquor around it
_ROUNDS = 40
_STRIDE = 3  # of the standard brain's border, every so many voxels are compared
_FAR_MM = 15.0  # what lies further apart says nothing of the fit

Points = NDArray[np.float64]


def brain_of(mask: Mask, image: Image) -> Brain:
    """All about a brain whose mask is known.

    Parameters
    ----------
    mask
        (slice, row, column), bool, on the grid of the image.
    image
        Which shows it.

    Raises
    ------
    UnsuitableImageError
        If no brain has the volume of the mask.
    """
    volume = image.volume
    volume_ml = image.volume_mm3(mask.sum(axis=(1, 2))) / 1000.0
    check_volume(volume_ml)
    upright = grid.upright(
        volume.with_array(mask.astype(np.float32)), _STEP_MM, margin_mm=_MARGIN_MM, outside=float("nan")
    )
    share = sitk.GetArrayFromImage(upright)
    seen = ~np.isnan(share)
    placement = _placed(upright, (share > 0.5) & seen, seen)
    missing_ml = _missing_mm3(upright, seen, placement) / 1000.0
    return Brain(
        mask=mask,
        whole_ml=volume_ml + missing_ml,
        shading=_shading(mask, image),
        from_standard=placement,
    )


def _shading(mask: Mask, image: Image) -> Shading:
    if image.modality == "CT":
        return even()
    depth = sitk.GetArrayFromImage(_distance(grid.to_image(mask.astype(np.uint8), image.volume.affine)))
    core = depth < _CORE_MM
    points = np.argwhere(core) @ image.volume.affine[:3, :3].T + image.volume.affine[:3, 3]
    return fitted(image.volume.array[core], points)


def _placed(upright: sitk.Image, brain: Mask, seen: Mask) -> NDArray[np.float64]:
    """(4, 4): points of the standard head to the patient, LPS, mm; the affine map that lays border on border.

    Each round asks where the border of the mask lies from each point of the standard border, and fits anew (Besl and
    McKay, A method for registration of 3-D shapes, IEEE TPAMI 1992). Points outside the volume do not count, nor such
    as lie nearer to its end than to the border: there the mask ends with the image.
    """
    distance = _distance(grid.to_image(brain.astype(np.uint8), grid.affine_of(upright)))
    along = [sitk.GetArrayFromImage(part) for part in _parts(sitk.Gradient(distance))]
    away = sitk.GetArrayFromImage(distance)
    to_end = sitk.GetArrayFromImage(_distance(grid.to_image((~seen).astype(np.uint8), grid.affine_of(upright))))
    origin = np.array(upright.GetOrigin())
    border = _standard_border()
    inside = np.argwhere(brain)[:, ::-1] * _STEP_MM + origin
    placement = _first(border, inside)
    for _ in range(_ROUNDS):
        points = border @ placement[:3, :3].T + placement[:3, 3]
        index = _index(points, origin, away.shape)
        gap = away[index]
        near = (np.abs(gap) < _FAR_MM) & (np.abs(gap) < to_end[index] - _STEP_MM)
        slope = np.stack([part[index] for part in along], axis=1)
        slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
        onto = points - gap[:, None] * slope
        terms = np.linalg.lstsq(np.column_stack([border, np.ones(len(border))])[near], onto[near], rcond=None)[0]
        placement[:3] = terms.T
    return placement


def _first(border: Points, inside: Points) -> NDArray[np.float64]:
    """Top on top, middle on middle, and as wide, deep and high as what the volume shows."""
    low, high = np.percentile(inside, [1.0, 99.0], axis=0)
    from_low, from_high = np.percentile(border, [1.0, 99.0], axis=0)
    scale = np.clip((high - low) / (from_high - from_low), 0.75, 1.2)
    placement = np.diag([*scale, 1.0])
    placement[:2, 3] = ((low + high) / 2.0 - scale * (from_low + from_high) / 2.0)[:2]
    placement[2, 3] = high[2] - scale[2] * from_high[2]
    return placement


def _missing_mm3(upright: sitk.Image, seen: Mask, placement: NDArray[np.float64]) -> float:
    """Volume of the standard brain, as it was laid over the brain, outside the volume."""
    back = np.linalg.inv(placement)
    transform = sitk.AffineTransform(back[:3, :3].ravel().tolist(), back[:3, 3].tolist())
    depth = sitk.GetArrayFromImage(sitk.Resample(standard().distance, upright, transform, sitk.sitkLinear, 100.0))
    return float(((depth <= 0.0) & ~seen).sum()) * _STEP_MM**3


def _standard_border() -> Points:
    distance = sitk.GetArrayFromImage(standard().distance)
    border = np.argwhere(np.abs(distance) < 1.0)[::_STRIDE]
    points: Points = border[:, ::-1] * np.array(standard().distance.GetSpacing()) + standard().distance.GetOrigin()
    return points


def _index(points: Points, origin: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
    """Index (slice, row, column) of the nearest voxel of each point (x, y, z)."""
    steps = np.rint((points - origin) / _STEP_MM).astype(np.intp)
    return tuple(np.clip(steps[:, 2 - axis], 0, n - 1) for axis, n in enumerate(shape))


def _distance(mask: sitk.Image) -> sitk.Image:
    """Signed distance to the border, mm, negative within."""
    distance: sitk.Image = sitk.SignedMaurerDistanceMap(mask > 0, squaredDistance=False, useImageSpacing=True)
    return distance


def _parts(vectors: sitk.Image) -> list[sitk.Image]:
    return [sitk.VectorIndexSelectionCast(vectors, axis) for axis in range(3)]
