"""From maps of tissue to what a scanner might show of them: any contrast, coils, slices and noise; the same seed gives
the same.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from export_onnx.training.brain_anatomy import Anatomy, Tissue

Contrast = Literal["T1", "T1 contrast", "T2", "FLAIR", "T2*", "CT", "any"]

CONTRASTS: dict[Contrast, float] = {
    "T1": 0.28,
    "T1 contrast": 0.12,
    "T2": 0.13,
    "FLAIR": 0.12,
    "T2*": 0.10,
    "CT": 0.15,
    "any": 0.10,
}
"""Share of each among the pictures learnt from; "any" draws every tissue's brightness by itself."""

HU = (-100.0, 150.0)
"""Of a CT, what becomes 0 and 1."""

# Brightness of AIR, LIQUOR, GREY, WHITE, DURA, VESSEL, BONE, MARROW, FAT, SKIN, MUSCLE, MUCOSA, GLAND, EYE, CAVITY
_TONES: dict[Contrast, tuple[float, ...]] = {
    "T1": (0.02, 0.20, 0.55, 0.75, 0.40, 0.40, 0.08, 0.60, 1.00, 0.50, 0.45, 0.45, 0.50, 0.20, 0.03),
    "T1 contrast": (0.02, 0.20, 0.55, 0.70, 0.90, 1.10, 0.08, 0.65, 1.00, 0.60, 0.50, 0.90, 0.80, 0.20, 0.03),
    "T2": (0.02, 1.00, 0.45, 0.33, 0.20, 0.12, 0.05, 0.35, 0.60, 0.40, 0.18, 0.70, 0.50, 1.00, 0.03),
    "FLAIR": (0.02, 0.10, 0.65, 0.50, 0.30, 0.20, 0.06, 0.40, 0.70, 0.40, 0.30, 0.60, 0.50, 0.12, 0.03),
    "T2*": (0.02, 0.85, 0.65, 0.50, 0.30, 0.35, 0.05, 0.15, 0.40, 0.35, 0.30, 0.45, 0.40, 0.90, 0.03),
    # from `HU` to [0, 1], as the bundle's first step holds them
    "CT": (0.00, 0.44, 0.56, 0.51, 0.60, 0.62, 1.00, 0.95, 0.02, 0.40, 0.60, 0.50, 0.45, 0.44, 0.00),
}
_SOFT_PARTS = (Tissue.MUSCLE, Tissue.MUCOSA, Tissue.GLAND, Tissue.MARROW)
_SPREAD = 0.18  # of the logarithm of a tone
_CT_SPREAD = 0.04
_BOX = (112, 112, 96)
"""Voxels of a picture along (slice, row, column), 2 mm each."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A picture and the truth.

    Attributes
    ----------
    image
        (1, 1, slice, row, column), float32 in [0, 1], as the bundle's preprocessing leaves it.
    brain
        The same shape: share of each voxel that is brain.
    """

    image: Tensor
    brain: Tensor


def scan(head: Anatomy, contrast: Contrast, rng: np.random.Generator, where: torch.device, *, alike: bool) -> Scan:
    """One picture of an anatomy.

    Parameters
    ----------
    head
        Whose picture it is.
    contrast
        Which brightness tissues have, about.
    alike
        Whether what lies around the brain is as smooth as the brain and, half the time, soft parts are as bright, as
        muscles of the neck are; else it is rougher, which is sooner learnt.
    rng
        Source of every random choice but the noise in voxels, whose seed comes from it too.
    """
    torch_rng = torch.Generator(where).manual_seed(int(rng.integers(2**62)))
    tissue, grey, white, brain = (
        torch.from_numpy(part).to(where) for part in (head.tissue, head.grey, head.white, head.brain)
    )
    tones = _tones(contrast, rng)
    if alike and rng.random() < 0.5:
        low, high = sorted((tones[Tissue.GREY], tones[Tissue.WHITE]))
        tones[list(_SOFT_PARTS)] = rng.uniform(0.85 * low, 1.1 * high, len(_SOFT_PARTS))
    rough = (float(rng.uniform(0.3, 1.5)) if alike else 3.0, 0.02 if contrast == "CT" else 0.10)
    picture = _toned((tissue, grey, white), tones, rough, rng, torch_rng)
    picture = _with_lesion(picture, brain, rng)
    grid = _moved(tuple(tissue.shape), rng, where)
    layers = torch.stack([picture, brain.float() / 255.0])[None]
    # beyond the template its border goes on: air, and below the neck
    seen = functional.grid_sample(layers, grid, mode="bilinear", padding_mode="border", align_corners=False)
    image, truth = seen[:, :1], seen[:, 1:]
    image = _sliced(image, rng)
    if contrast != "CT":
        image = image * _coils(tuple(image.shape[2:]), rng, where)
    image = _noisy(image, contrast, rng, torch_rng)
    image, truth = _cut(image, truth, rng)
    return Scan(image=_scaled(image, rng), brain=truth)


def _tones(contrast: Contrast, rng: np.random.Generator) -> NDArray[np.float64]:
    """Brightness of each tissue."""
    if contrast == "any":
        tones = rng.uniform(0.0, 1.0, len(Tissue))
        tones[Tissue.AIR] = rng.uniform(0.0, 0.1)
        return tones
    spread = _CT_SPREAD if contrast == "CT" else _SPREAD
    tones = np.array(_TONES[contrast]) * np.exp(spread * rng.standard_normal(len(Tissue)))
    return np.clip(tones, 0.0, 1.0) if contrast == "CT" else tones


def _toned(
    maps: tuple[Tensor, Tensor, Tensor],
    tones: NDArray[np.float64],
    rough: tuple[float, float],
    rng: np.random.Generator,
    torch_rng: torch.Generator,
) -> Tensor:
    """The picture of tissue, and of shares of grey and white matter, with a texture.

    `rough`: how many times as rough what is no brain is, and the roughest brain.
    """
    tissue, grey, white = maps
    values = torch.tensor(tones, dtype=torch.float32, device=tissue.device)
    picture = values[tissue.long()]
    shares = grey.float() / 255.0, white.float() / 255.0
    inside = (shares[0] + shares[1] > 0.0) | (tissue == Tissue.LIQUOR)
    liquor, of_grey, of_white = values[Tissue.LIQUOR], values[Tissue.GREY], values[Tissue.WHITE]
    mixed = liquor + shares[0] * (of_grey - liquor) + shares[1] * (of_white - liquor)
    picture = torch.where(inside, mixed, picture)
    texture = torch.randn(picture.shape, generator=torch_rng, device=picture.device)
    outside, most = rough
    factor = 1.0 + (outside - 1.0) * (~inside).float()
    return picture * (1.0 + float(rng.uniform(0.0, most)) * factor * texture).clamp(min=0.0)


def _with_lesion(picture: Tensor, brain: Tensor, rng: np.random.Generator) -> Tensor:
    """Now and then a ball of any brightness in the brain, which stays brain."""
    if rng.random() > 0.3:
        return picture
    inside = torch.nonzero(brain > 127)
    center = inside[int(rng.integers(len(inside)))].to(picture.dtype)
    axes = torch.meshgrid(*(torch.arange(n, device=picture.device) for n in picture.shape), indexing="ij")
    stretch = rng.uniform(0.7, 1.4, 3)
    away = sum(((a - c) * float(w)) ** 2 for a, c, w in zip(axes, center, stretch, strict=True))
    share = torch.sigmoid((rng.uniform(2.0, 11.0) - torch.sqrt(torch.as_tensor(away))) * 2.0) * (brain > 127)
    lesion = float(rng.uniform(0.0, 1.2)) * float(picture[brain > 127].mean()) * 2.0
    return picture + share * (lesion - picture)


def _moved(shape: tuple[int, ...], rng: np.random.Generator, where: torch.device) -> Tensor:
    """Where each voxel of the box is taken from: (1, slice, row, column, 3), in halves of the template, x first."""
    turn = rng.normal(0.0, np.radians([12.0, 8.0, 8.0]))  # about x (nodding), y, z
    if rng.random() < 0.25:
        turn = turn + rng.uniform(-0.5, 0.5, 3)
    scale = 1.0 / (rng.uniform(0.80, 0.98) * np.exp(rng.normal(0.0, 0.04, 3)))
    matrix = _turned(turn) @ np.diag(scale * np.where([rng.random() < 0.5, False, False], -1.0, 1.0))
    shift = rng.normal(0.0, [4.0, 6.0, 10.0]) + np.array([0.0, -6.0, -6.0])  # voxels: x, y, z; the box over the head
    size = np.array(shape[::-1], dtype=np.float64)
    box = np.array(_BOX[::-1], dtype=np.float64)
    theta = np.diag(1.0 / size) @ matrix @ np.diag(box)
    affine = torch.tensor(np.column_stack([theta, 2.0 * shift / size]), dtype=torch.float32, device=where)[None]
    grid = functional.affine_grid(affine, [1, 1, *_BOX], align_corners=False)
    bend = np.zeros((1, 3, 7, 7, 7), dtype=np.float32)
    for knots, least_mm, most_mm in ((4, 0.0, 4.0), (7, 0.0, 2.5)):
        shifts = rng.uniform(least_mm, most_mm) * rng.standard_normal((1, 3, knots, knots, knots))
        part = torch.tensor(shifts, dtype=torch.float32)
        bend = bend + functional.interpolate(part, (7, 7, 7), mode="trilinear", align_corners=True).numpy()
    bent = functional.interpolate(
        torch.from_numpy(bend.astype(np.float32)).to(where), _BOX, mode="trilinear", align_corners=True
    )
    in_halves = torch.tensor(1.0 / size, dtype=torch.float32, device=where)  # 2 mm a voxel, and half the size a half
    return grid + bent.permute(0, 2, 3, 4, 1) * in_halves


def _turned(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(turn):
        cos, sin = np.cos(angle), np.sin(angle)
        one = np.eye(3)
        a, b = [k for k in range(3) if k != axis]
        one[a, a], one[a, b], one[b, a], one[b, b] = cos, -sin, sin, cos
        matrix = one @ matrix
    return matrix


def _sliced(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Slices thicker than a voxel along one axis, or everything a little blurred."""
    if rng.random() < 0.6:
        axis = int(rng.integers(3))
        thick = float(rng.uniform(1.0, 4.0))  # voxels of 2 mm
        size = list(image.shape[2:])
        coarse = size.copy()
        coarse[axis] = max(8, round(size[axis] / thick))
        return functional.interpolate(
            functional.interpolate(image, coarse, mode="area"), size, mode="trilinear", align_corners=False
        )
    if rng.random() < 0.3:
        return functional.avg_pool3d(functional.pad(image, (1,) * 6, mode="replicate"), 3, stride=1)
    return image


def _coils(shape: tuple[int, ...], rng: np.random.Generator, where: torch.device) -> Tensor:
    knots = torch.tensor(rng.normal(0.0, rng.uniform(0.0, 0.35), (1, 1, 3, 4, 3)), dtype=torch.float32, device=where)
    return torch.exp(functional.interpolate(knots, shape, mode="trilinear", align_corners=True))


def _noisy(image: Tensor, contrast: Contrast, rng: np.random.Generator, torch_rng: torch.Generator) -> Tensor:
    sigma = float(rng.uniform(0.0, 0.03 if contrast == "CT" else 0.08))
    noise = sigma * torch.randn(image.shape, generator=torch_rng, device=image.device)
    if contrast == "CT":
        return (image + noise).clamp(0.0, 1.0)
    other = sigma * torch.randn(image.shape, generator=torch_rng, device=image.device)
    return torch.sqrt((image + noise) ** 2 + other**2)


def _cut(image: Tensor, truth: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The scan ends within the head now and then: beyond its first or last slice is nothing, and no brain."""
    for axis in range(2, 5):
        for end in (0, 1):
            if rng.random() < 0.15:
                length = image.shape[axis]
                away = int(rng.integers(1, length // 4))
                part = [slice(None)] * 5
                part[axis] = slice(0, away) if end == 0 else slice(length - away, length)
                image, truth = image.clone(), truth.clone()
                image[tuple(part)] = 0.0
                truth[tuple(part)] = 0.0
    return image, truth


def _scaled(image: Tensor, rng: np.random.Generator) -> Tensor:
    """As the bundle's window does, then a little off it: how much air and neck a scan shows moves percentiles."""
    thin = image.flatten()[::7]
    low, high = torch.quantile(thin, torch.tensor([0.005, 0.995], device=image.device)).tolist()
    high *= float(np.exp(rng.uniform(-0.35, 0.25)))
    gamma = float(np.exp(rng.uniform(-0.35, 0.35)))
    scaled: Tensor = ((image - low) / max(high - low, 1e-3)).clamp(0.0, 1.0) ** gamma
    return scaled
