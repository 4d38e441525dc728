"""A synthetic head in patient geometry, with lesions whose place and size are known; no real person's.

The brain is the ICBM 2009a mean, deformed at random, and differs left from right as brains do; skull and soft parts are
drawn around it, and a vitamin E capsule lies at the right temple, as staff put it there to mark the side.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.findings import Mask
from inference.image import Image
from inference.synthetic.anatomy import Tones, draw
from inference.synthetic.lesion import Kind, Plan, plan
from inference.synthetic.scanner import acquired, covering, grid_of, placed
from inference.synthetic.template import template
from inference.synthetic.warp import warp

_BORDER_MM = 2.0  # over which a lesion passes into its surroundings: a voxel of the template


@dataclass(frozen=True, kw_only=True, eq=False)
class PlantedLesion:
    """One lesion and the truth about it.

    Attributes
    ----------
    mask
        (slice, row, column), bool, on the grid of the head.
    centre_mm
        Mean of its voxel centers, LPS, mm.
    volume_ml
        Of its voxels.
    kind
        Its contrast.
    standard_mm
        (voxel, 3), float32: where the centers of its voxels lie in the standard head, LPS, mm.
    """

    mask: Mask
    centre_mm: tuple[float, float, float]
    volume_ml: float
    kind: Kind
    standard_mm: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticHead:
    """A head and the truth about it; every mask lies on the grid of `image`."""

    image: Image
    brain: Mask
    lesions: tuple[PlantedLesion, ...]


def synthetic_head(
    seed: int,
    *,
    lesions: int = 2,
    weighting: Literal["T1"] = "T1",
    spacing_mm: tuple[float, float, float] = (2.0, 1.0, 1.0),
    shape: tuple[int, int, int] | None = None,
) -> SyntheticHead:
    """Make a head.

    Parameters
    ----------
    seed
        Names the made-up patient: the same seed and arguments give the same head. No global random state is used.
    lesions
        How many to plant, 0 for a healthy head.
    weighting
        Contrast of the image.
    spacing_mm
        Distance of voxel centers along (slice, row, column).
    shape
        Voxels along (slice, row, column); default: what covers `FIELD_OF_VIEW_MM`.

    Returns
    -------
    SyntheticHead
        Axial slices, ascending to the head, rows to posterior, columns to the left; whole numbers of 0 to about 1000.

    Raises
    ------
    ValueError
        If there is no room for so many lesions.
    """
    rng = np.random.default_rng([seed, lesions])
    shape = shape or covering(spacing_mm)
    base = template()
    plans = plan(base, lesions, rng)
    head, tones = draw(base, rng)
    affine = placed(base, spacing_mm, shape)
    where = [np.broadcast_to(axis, base.brain.shape) for axis in base.positions_mm()]
    layers = np.stack([head, base.brain.astype(np.float32), *where, *(p.depth_mm for p in plans)], axis=-1)
    warped = warp(base, layers, grid_of(affine, shape), rng)
    brain = warped[..., 1] > 0.5
    picture = np.maximum(warped[..., 0], 0.0)
    masks = []
    for index, planned in enumerate(plans):
        depth = warped[..., 5 + index]
        picture = _painted(picture, depth, planned, tones, rng)
        masks.append((depth > 0.0) & brain)
    picture = acquired(picture, rng)
    volume = Volume(picture, affine, coordinate_system="PATIENT")
    there = warped[..., 2:5]
    found = tuple(_truth(mask, planned.kind, affine, there) for mask, planned in zip(masks, plans, strict=True))
    return SyntheticHead(
        image=Image(volume=volume, modality="MR", weighting=weighting),
        brain=brain,
        lesions=tuple(lesion for lesion in found if lesion is not None),
    )


def _painted(
    picture: NDArray[np.float32], depth: NDArray[np.float32], planned: Plan, tones: Tones, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The picture with one lesion in it; its border is as wide as a voxel of the template."""
    bright = tones.white * float(rng.uniform(1.30, 1.55))
    dark = tones.liquor + (tones.grey - tones.liquor) * float(rng.uniform(0.10, 0.45))
    if planned.kind == "ring":
        rim = np.clip((planned.rim_mm - depth) / 1.5 + 0.5, 0.0, 1.0)
        value = dark + (bright - dark) * rim
    else:
        value = np.full_like(depth, bright if planned.kind == "hyperintense" else dark)
    share = np.clip(depth / _BORDER_MM + 0.5, 0.0, 1.0)
    painted: NDArray[np.float32] = picture + share * (value - picture)
    return painted


def _truth(mask: Mask, kind: Kind, affine: NDArray[np.float64], there: NDArray[np.float32]) -> PlantedLesion | None:
    indices = np.argwhere(mask)
    if not len(indices):
        return None
    x, y, z = affine[:3, :3] @ indices.mean(axis=0) + affine[:3, 3]
    volume = len(indices) * abs(float(np.linalg.det(affine[:3, :3]))) / 1000.0
    return PlantedLesion(
        mask=mask, centre_mm=(float(x), float(y), float(z)), volume_ml=volume, kind=kind, standard_mm=there[mask]
    )
