"""A residual U-Net for slices that marks tumour and says of which class; its export has plain operators.

Half the resolution of the input is the finest level at which it computes, which is where most of the time would go.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class TumourNet(nn.Module):
    """(batch, 1, row, column) to two maps of logits: tumour and class.

    Rows and columns are multiples of 2 ** (number of widths).

    Parameters
    ----------
    classes
        Kinds of tumour.
    widths
        Channels of each level, from half the resolution down.
    depths
        Residual blocks of each level on the way down.
    prior
        Probability that it gives to a pixel before it has learnt anything (Lin et al., Focal loss, ICCV 2017,
        section 4.1).
    """

    CLASS_LEVEL = 2
    """Level at which the class is told: an eighth of the resolution, with the whole slice in view."""

    def __init__(self, classes: int, widths: Sequence[int], depths: Sequence[int], prior: float = 0.02) -> None:
        super().__init__()
        self.stem = _activated(1, widths[0], kernel=5, stride=2)
        self.down = _levels(widths, depths)
        fine = range(len(widths) - 1)
        self.narrow = nn.ModuleList(_activated(widths[level + 1], widths[level], kernel=1) for level in fine)
        self.up = nn.ModuleList(Residual(widths[level]) for level in fine)
        self.grow = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.tumour = nn.Conv2d(widths[0], 4, 3, padding=1)
        self.fold_out = nn.PixelShuffle(2)
        self.classes = nn.Sequential(
            Residual(widths[self.CLASS_LEVEL]), nn.Dropout(0.2), nn.Conv2d(widths[self.CLASS_LEVEL], classes, 1)
        )
        nn.init.constant_(self.tumour.bias, math.log(prior / (1.0 - prior)))  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of tumour (batch, 1, row, column), and of the classes (batch, class, row / 8, column / 8)."""
        kept = []
        features = self.stem(image)
        for block in self.down:
            features = block(features)
            kept.append(features)
        classes = features
        for level in range(len(self.up) - 1, -1, -1):
            features = self.up[level](self.grow(self.narrow[level](features)) + kept[level])
            if level == self.CLASS_LEVEL:
                classes = self.classes(features)
        return self.fold_out(self.tumour(features)), classes


class Trunk(nn.Module):
    """The way down of a `TumourNet` as a stem: (batch, 1, row, column) to (batch, width, row / 2**n, column / 2**n), of
    its first n levels.

    Parameters
    ----------
    levels
        (width, depth) of each; parts are named as in `TumourNet`, so that its weights fit.
    width
        Features that are given out.
    """

    def __init__(self, levels: Sequence[tuple[int, int]], width: int) -> None:
        super().__init__()
        widths, depths = [w for w, _ in levels], [d for _, d in levels]
        self.stem = _activated(1, widths[0], kernel=5, stride=2)
        self.down = _levels(widths, depths)
        self.given = nn.Conv2d(widths[-1], width, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Features of patches."""
        features = self.stem(image)
        for block in self.down:
            features = block(features)
        given: Tensor = self.given(features)
        return given


class TumourMaps(nn.Module):
    """The network as a bundle carries it: (batch, 1 + class, row, column) probabilities of tumour and, given tumour, of
    each class.

    Parameters
    ----------
    network
        Trained.
    mirrored
        Also look at the slice mirrored left to right, and take the mean.
    """

    def __init__(self, network: TumourNet, *, mirrored: bool) -> None:
        super().__init__()
        self.network = network
        self.mirrored = mirrored

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities in [0, 1]."""
        tumour, classes = self.network(image)
        if self.mirrored:
            other_tumour, other_classes = self.network(torch.flip(image, dims=(3,)))
            tumour = (tumour + torch.flip(other_tumour, dims=(3,))) / 2.0
            classes = (classes + torch.flip(other_classes, dims=(3,))) / 2.0
        shares = torch.softmax(classes, dim=1)
        shares = functional.interpolate(shares, scale_factor=8.0, mode="bilinear", align_corners=False)
        return torch.cat([torch.sigmoid(tumour), shares], dim=1)


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _activated(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        """Of the same shape."""
        return functional.relu(features + self.second(self.first(features)))


def _levels(widths: Sequence[int], depths: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(
        nn.Sequential(
            *([] if level == 0 else [_activated(widths[level - 1], width, stride=2)]),
            *(Residual(width) for _ in range(depth)),
        )
        for level, (width, depth) in enumerate(zip(widths, depths, strict=True))
    )


def _activated(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
