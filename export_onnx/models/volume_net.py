"""A residual U-Net for volumes with one class; its export has plain operators.

Half the resolution of the input is the finest level at which it computes: the voxels of each cube of eight go in as
channels and come out as channels.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class VolumeNet(nn.Module):
    """(batch, 1, slice, row, column) to logits of the same shape.

    Slices, rows and columns are multiples of 2 ** (number of widths).

    Parameters
    ----------
    widths
        Channels of each level, from half the resolution down.
    depths
        Residual blocks of each level on the way down.
    prior
        Probability that it gives to a voxel before it has learnt anything.
    """

    def __init__(self, widths: Sequence[int], depths: Sequence[int], prior: float = 0.2) -> None:
        super().__init__()
        self.stem = _activated(8, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(
                *([] if level == 0 else [_activated(widths[level - 1], width, stride=2)]),
                *(Residual(width) for _ in range(depth)),
            )
            for level, (width, depth) in enumerate(zip(widths, depths, strict=True))
        )
        fine = range(len(widths) - 1)
        self.narrow = nn.ModuleList(_activated(widths[level + 1], widths[level], kernel=1) for level in fine)
        self.up = nn.ModuleList(Residual(widths[level]) for level in fine)
        self.grow = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.head = nn.Conv3d(widths[0], 8, 3, padding=1)
        nn.init.constant_(self.head.bias, math.log(prior / (1.0 - prior)))  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Logits."""
        kept = []
        features = self.stem(_folded(image))
        for block in self.down:
            features = block(features)
            kept.append(features)
        for level in range(len(self.up) - 1, -1, -1):
            features = self.up[level](self.grow(self.narrow[level](features)) + kept[level])
        return _unfolded(self.head(features))


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _activated(width, width)
        self.second = nn.Sequential(
            nn.Conv3d(width, width, 3, padding=1, bias=False), nn.InstanceNorm3d(width, affine=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Of the same shape."""
        return functional.relu(features + self.second(self.first(features)))


def _folded(image: Tensor) -> Tensor:
    """(batch, 1, s, r, c) to (batch, 8, s / 2, r / 2, c / 2)."""
    batch, _, slices, rows, columns = image.shape
    cubes = image.reshape(batch, slices // 2, 2, rows // 2, 2, columns // 2, 2).permute(0, 2, 4, 6, 1, 3, 5)
    return cubes.reshape(batch, 8, slices // 2, rows // 2, columns // 2)


def _unfolded(features: Tensor) -> Tensor:
    """The way back of `_folded`."""
    batch, _, slices, rows, columns = features.shape
    cubes = features.reshape(batch, 2, 2, 2, slices, rows, columns).permute(0, 4, 1, 5, 2, 6, 3)
    return cubes.reshape(batch, 1, 2 * slices, 2 * rows, 2 * columns)


def _activated(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.InstanceNorm3d(after, affine=True),
        nn.ReLU(),
    )


class Probabilities(nn.Module):
    """The network as a bundle carries it: probabilities in [0, 1]."""

    def __init__(self, network: VolumeNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(batch, 1, slice, row, column), both."""
        return torch.sigmoid(self.network(image))
