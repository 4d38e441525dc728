"""The standard brain that synthetic heads grow from, on a 2 mm grid with room for skull, scalp and neck; knows no seed.

Everything is (slice, row, column) in LPS, slices ascending to the head, rows to posterior, columns to the left.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.findings import Mask

ASSET = Path(__file__).parent.parent / "assets" / "head.npz"
"""ICBM 2009a nonlinear symmetric, reduced to 2 mm; licence in NOTICE."""

_BEFORE, _AFTER = (22, 14, 12), (12, 12, 12)  # voxels added: below, in front, right; above, behind, left
_CORD_SLICE = 2  # of the asset: those below show the cord in part
_T1_LIQUOR, _T1_WHITE = 76.0, 224.0  # grey values of liquor and white matter in the mean of the 152 heads


@dataclass(frozen=True, kw_only=True, eq=False)
class Template:
    """The padded maps.

    Attributes
    ----------
    detail
        T1-weighted mean, float32, 0 for liquor and 1 for white matter.
    grey, white
        Probabilities, float32.
    brain
        bool: parenchyma with ventricles and the liquor between the convolutions; ends at the foramen magnum.
    outside_mm
        float32: distance to the brain (the cord counts as brain here), negative within.
    origin_mm, spacing_mm
        LPS position of the first voxel's center, and edge of a voxel.
    """

    detail: NDArray[np.float32]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    brain: Mask
    outside_mm: NDArray[np.float32]
    origin_mm: tuple[float, float, float]
    spacing_mm: float

    def image(self, array: NDArray[np.generic]) -> sitk.Image:
        """An array on this grid, (slice, row, column) or with components last, as a SimpleITK image in LPS."""
        image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
        image.SetOrigin(self.origin_mm)
        image.SetSpacing((self.spacing_mm,) * 3)
        return image

    def positions_mm(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """LPS coordinates x, y, z of the voxel centers, shaped to broadcast over (slice, row, column)."""
        x0, y0, z0 = self.origin_mm
        nz, ny, nx = self.brain.shape
        step = self.spacing_mm
        x = (x0 + step * np.arange(nx, dtype=np.float32))[None, None, :]
        y = (y0 + step * np.arange(ny, dtype=np.float32))[None, :, None]
        z = (z0 + step * np.arange(nz, dtype=np.float32))[:, None, None]
        return x, y, z


@cache
def template() -> Template:
    """Read the asset once; the arrays are not to be written into."""
    with np.load(ASSET, allow_pickle=False) as asset:
        t1, grey, white = (_padded(asset[name]) for name in ("t1", "gm", "wm"))
        affine = asset["affine"]
    spacing = float(affine[0, 2])
    with_cord = t1 > 0
    brain = with_cord.copy()
    brain[: _BEFORE[0]] = False
    origin = affine[:3, 3] - spacing * np.array(_BEFORE[::-1])
    made = Template(
        detail=np.clip((t1 - _T1_LIQUOR) / (_T1_WHITE - _T1_LIQUOR), 0.0, 1.1).astype(np.float32),
        grey=grey / np.float32(255.0),
        white=white / np.float32(255.0),
        brain=brain,
        outside_mm=_outside(with_cord, spacing),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        spacing_mm=spacing,
    )
    for array in (made.detail, made.grey, made.white, made.brain, made.outside_mm):
        array.setflags(write=False)
    return made


def _padded(array: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Zeros around, but downwards the lowest whole slice repeated: it shows the cord, which goes on into the neck."""
    wide = np.pad(array, list(zip(_BEFORE, _AFTER, strict=True)))
    lowest = _BEFORE[0] + _CORD_SLICE
    wide[:lowest] = wide[lowest]
    return wide.astype(np.float32)


def _outside(mask: Mask, spacing_mm: float) -> NDArray[np.float32]:
    """Distance to the rounded mask: skull and scalp do not follow the convolutions."""
    image = sitk.GetImageFromArray(mask.astype(np.float32))
    image.SetSpacing((spacing_mm,) * 3)
    rounded = sitk.SmoothingRecursiveGaussian(image, 3.0) > 0.5
    distance = sitk.SignedMaurerDistanceMap(rounded, squaredDistance=False, useImageSpacing=True)
    array: NDArray[np.float32] = sitk.GetArrayFromImage(distance).astype(np.float32)
    return array
