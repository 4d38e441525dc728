"""A small U-Net for slices, written so that its export has plain operators and any height and width."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """2-D U-Net: (batch, channels, row, column) to logits (batch, classes, row, column).

    Rows and columns are multiples of 2 ** (number of widths - 1).

    Parameters
    ----------
    channels
        Of the input: a slice and its neighbours.
    classes
        Of the output.
    widths
        Channels of each level, from fine to coarse.
    prior
        Probability that it gives to a voxel before it has learnt anything; a rare class is learnt faster from a low one
        (Lin et al., Focal loss, ICCV 2017, section 4.1).
    """

    def __init__(self, channels: int, classes: int, widths: Sequence[int], prior: float = 0.01) -> None:
        super().__init__()
        before = [channels, *widths[:-1]]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip(before, widths, strict=True))
        self.pool = nn.AvgPool2d(2)
        self.up = nn.ModuleList(
            _block(coarse + fine, fine) for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.grow = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.head = nn.Conv2d(widths[0], classes, 1)
        nn.init.constant_(self.head.bias, math.log(prior / (1.0 - prior)))  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """Logits."""
        kept: list[Tensor] = []
        for index, block in enumerate(self.down):
            image = block(image if index == 0 else self.pool(image))
            kept.append(image)
        kept.pop()
        for block in self.up:
            image = block(torch.cat([self.grow(image), kept.pop()], dim=1))
        logits: Tensor = self.head(image)
        return logits


class Probabilities(nn.Module):
    """A network with the sigmoid that makes its logits probabilities, as bundles give them out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities in [0, 1]."""
        return torch.sigmoid(self.network(image))


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
