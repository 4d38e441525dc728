"""A synthetic T2-weighted head with cavernous malformations or acute haemorrhages, and the truth about each.

The head is drawn on the template and warped; the lesions are drawn after that, on the scan's own grid, because their
loculi and rims are finer than the template. No tissue is pushed aside: there is no mass effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.findings import Mask
from inference.image import Image
from inference.synthetic.anatomy import Tones, draw
from inference.synthetic.haemorrhage import Kind, Lesion, drawn
from inference.synthetic.scanner import acquired, covering, grid_of, placed
from inference.synthetic.template import template
from inference.synthetic.warp import warp

_GAP_MM = 4.0  # least distance between what two lesions reach
_RIM_MM = 5.0  # of brain that stays between a lesion without its oedema and the brain's edge
_TISSUE = 0.75  # share of the core that has to be tissue, not liquor
_TRIES = 60
_FINE_MM = 0.6  # lesions are drawn at least as finely as this and averaged over a voxel


@dataclass(frozen=True, kw_only=True, eq=False)
class BleedingLesion:
    """One planted lesion and the truth about it.

    Attributes
    ----------
    kind
        What it is.
    mask
        (slice, row, column), bool, on the grid of the head: without its oedema.
    centre_mm, standard_mm
        Its centre in the patient, and where that lies in the standard head; LPS, mm.
    diameter_mm
        Mean diameter without oedema.
    """

    kind: Kind
    mask: Mask
    centre_mm: tuple[float, float, float]
    standard_mm: tuple[float, float, float]
    diameter_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class BleedingHead:
    """A head and the truth about it; every mask lies on the grid of `image`."""

    image: Image
    brain: Mask
    lesions: tuple[BleedingLesion, ...]


def bleeding_head(
    seed: int, kinds: Sequence[Kind], *, spacing_mm: tuple[float, float, float] = (3.0, 1.0, 1.0)
) -> BleedingHead:
    """Make a head.

    Parameters
    ----------
    seed
        Names the made-up patient: the same arguments give the same head. No global random state is used.
    kinds
        What to plant; a lesion that finds no room in the brain is left out.
    spacing_mm
        Distance of voxel centers along (slice, row, column).

    Returns
    -------
    BleedingHead
        Axial slices, ascending to the head, rows to posterior, columns to the left; whole numbers of 0 to about 1000.
    """
    return next(bleeding_heads(seed, [kinds], spacing_mm=spacing_mm))


def bleeding_heads(
    seed: int, sets: Sequence[Sequence[Kind]], *, spacing_mm: tuple[float, float, float] = (3.0, 1.0, 1.0)
) -> Iterator[BleedingHead]:
    """One anatomy with one set of lesions after another, each as if scanned anew; the rest as in `bleeding_head`."""
    rng = np.random.default_rng([seed, 2])
    base, shape = template(), covering(spacing_mm)
    drawn_head, tones = draw(base, rng, Tones.drawn_t2(rng))
    affine = placed(base, spacing_mm, shape)
    tissue = np.minimum(base.grey + base.white, 1.0)
    where = [np.broadcast_to(axis, base.brain.shape) for axis in base.positions_mm()]
    layers = np.stack([drawn_head, base.brain.astype(np.float32), base.outside_mm, tissue, *where], axis=-1)
    warped = warp(base, layers.astype(np.float32), grid_of(affine, shape), rng)
    for kinds in sets:
        scan = _Scan(picture=np.maximum(warped[..., 0], 0.0), warped=warped, affine=affine, brain=warped[..., 1] > 0.5)
        lesions: list[_Taken] = []
        for kind in kinds:
            planted = _planted(scan, drawn(kind, tones, rng), lesions, rng)
            lesions += [planted] if planted else []
        volume = Volume(acquired(scan.picture, rng), affine, coordinate_system="PATIENT")
        image = Image(volume=volume, modality="MR", weighting="T2")
        yield BleedingHead(image=image, brain=scan.brain, lesions=tuple(lesion for lesion, _ in lesions))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scan:
    """The picture that lesions are drawn into, and what is known of each voxel."""

    picture: NDArray[np.float32]
    warped: NDArray[np.float32]
    affine: NDArray[np.float64]
    brain: Mask


_Taken = tuple[BleedingLesion, float]


def _planted(scan: _Scan, lesion: Lesion, taken: Sequence[_Taken], rng: np.random.Generator) -> _Taken | None:
    """Draw a lesion into the picture where there is room for it."""
    outside = scan.warped[..., 2]
    room = np.argwhere(scan.brain & (outside < -(lesion.radius_mm + _RIM_MM)) & (scan.warped[..., 3] > _TISSUE))
    for _ in range(_TRIES if len(room) else 0):
        index = room[int(rng.integers(len(room)))]
        center = scan.affine[:3, :3] @ index + scan.affine[:3, 3]
        apart = [np.linalg.norm(center - other.centre_mm) - reach for other, reach in taken]
        if min(apart, default=np.inf) < lesion.reach_mm + _GAP_MM:
            continue
        box, share, value = _rendered(scan, lesion, center)
        mask = np.zeros(scan.brain.shape, dtype=np.bool_)
        mask[box] = share > 0.5
        if not mask.any() or (mask & ~scan.brain).any() or scan.warped[..., 3][mask].mean() < _TISSUE:
            continue
        scan.picture[box] = value
        x, y, z = (float(v) for v in scan.warped[tuple(index)][4:7])
        truth = BleedingLesion(
            kind=lesion.kind,
            mask=mask,
            centre_mm=(float(center[0]), float(center[1]), float(center[2])),
            standard_mm=(x, y, z),
            diameter_mm=2.0 * lesion.radius_mm,
        )
        return truth, lesion.reach_mm
    return None


def _rendered(
    scan: _Scan, lesion: Lesion, center: NDArray[np.float64]
) -> tuple[tuple[slice, ...], NDArray[np.float32], NDArray[np.float32]]:
    """A box around the lesion, the lesion's share of each voxel in it, and the picture with the lesion in it."""
    steps = np.linalg.norm(scan.affine[:3, :3], axis=0)
    middle = np.linalg.inv(scan.affine[:3, :3]) @ (center - scan.affine[:3, 3])
    low = np.maximum(np.floor(middle - lesion.reach_mm / steps), 0).astype(int)
    high = np.minimum(np.ceil(middle + lesion.reach_mm / steps) + 1, scan.brain.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    voxels = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    points = (voxels.reshape(-1, 3) - middle) @ scan.affine[:3, :3].T
    before = scan.picture[box].ravel()
    share: NDArray[np.float32] = np.zeros(before.shape, dtype=np.float32)
    value = share.copy()
    shifts = _shifts(steps) @ scan.affine[:3, :3].T
    for shift in shifts:
        layer = lesion.at((points + shift).astype(np.float32))
        beneath = before + layer.oedema * np.maximum(layer.oedema_value - before, 0.0)
        value += beneath + layer.lesion * (layer.lesion_value - beneath)
        share += layer.lesion
    shape = scan.picture[box].shape
    times = np.float32(len(shifts))
    return box, (share / times).reshape(shape), (value / times).reshape(shape)


def _shifts(steps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places within a voxel, in voxels, (place, 3)."""
    counts = np.maximum(np.ceil(steps_mm / (2.0 * _FINE_MM)), 1).astype(int)
    along = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    return np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, 3)
