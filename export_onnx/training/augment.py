"""Slices moved, bent and changed in contrast at random, image and truth alike; the same seed gives the same."""

import torch
from torch import Tensor
from torch.nn import functional

_TURN = 0.35  # radians, either way
_SHIFT = 0.16  # of half the picture
_SCALE = 0.22  # natural logarithm, either way
_BEND = 0.02  # of half the picture, standard deviation at the knots
_KNOTS = 5


def moved(image: Tensor, truth: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn, shift, stretch, bend and mirror left to right; (batch, 1, row, column) both."""
    count = len(image)
    turn = _TURN * _either(count, rng=rng)
    scale = torch.exp(_SCALE * _either(count, 1, rng=rng) + 0.5 * _SCALE * _either(count, 2, rng=rng))
    mirror = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(turn), torch.sin(turn)
    shift = _SHIFT * _either(count, 2, rng=rng)
    first = torch.stack([cos * scale[:, 0] * mirror, -sin * scale[:, 1], shift[:, 0]], dim=1)
    second = torch.stack([sin * scale[:, 0] * mirror, cos * scale[:, 1], shift[:, 1]], dim=1)
    grid = functional.affine_grid(torch.stack([first, second], dim=1), list(image.shape), align_corners=False)
    knots = _BEND * torch.randn(count, 2, _KNOTS, _KNOTS, generator=rng)
    bend = functional.interpolate(knots, size=image.shape[2:], mode="bicubic", align_corners=True)
    grid = grid + bend.permute(0, 2, 3, 1)
    both = functional.grid_sample(torch.cat([image, truth], dim=1), grid, align_corners=False)
    return both[:, :1], both[:, 1:]


def recoloured(image: Tensor, rng: torch.Generator) -> Tensor:
    """Gamma, gain, a slow shading over the slice, blur and noise; values stay within [0, 1]."""
    count = len(image)
    gamma = torch.exp(0.35 * _either(count, 1, 1, 1, rng=rng))
    gain = torch.exp(0.15 * _either(count, 1, 1, 1, rng=rng))
    knots = 0.12 * torch.randn(count, 1, 3, 3, generator=rng)
    shading = functional.interpolate(knots, size=image.shape[2:], mode="bicubic", align_corners=True).exp()
    coarse = functional.interpolate(image, scale_factor=0.5, mode="bilinear", antialias=True)
    blurred = functional.interpolate(coarse, size=image.shape[2:], mode="bilinear")
    blurs = (torch.rand(count, 1, 1, 1, generator=rng) < 0.2).float() * torch.rand(count, 1, 1, 1, generator=rng)
    image = image + blurs * (blurred - image)
    image = gain * shading * image.clamp(min=0.0) ** gamma
    noise = 0.03 * torch.rand(count, 1, 1, 1, generator=rng) * torch.randn(image.shape, generator=rng)
    return (image + noise).clamp(0.0, 1.0)


def _either(*shape: int, rng: torch.Generator) -> Tensor:
    """Evenly within [-1, 1]."""
    return 2.0 * torch.rand(*shape, generator=rng) - 1.0
