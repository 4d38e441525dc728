"""A small network that looks at slices or volumes for a language decoder, and learns soon: convolutions, then tokens.

It takes and gives what LLaVA's tower with its projector does (pixel_values to image_features), or M3D's with its
spatial pooling (volume to image_features); what lies between is small enough for two CPU cores. On the way it marks
where lesions are, which is what it learns first; for each kind one token says what lies where that kind is marked.
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.vision_transformer import Block


@dataclass(frozen=True, kw_only=True)
class MiniSizes:
    """How large the network is.

    Attributes
    ----------
    shape
        (row, column) or (slice, row, column) of what it looks at.
    channels
        Of what it looks at.
    stages
        (width, strides along each axis, residual blocks) from fine to coarse.
    kinds
        Of lesion that are marked.
    marked_at
        Index of the stage on whose cells they are.
    pool
        Cells of the last stage along each axis that become one token.
    width, blocks, heads
        Features of a token, blocks of the transformer, heads of attention in each.
    """

    shape: tuple[int, ...]
    channels: int
    stages: tuple[tuple[int, tuple[int, ...], int], ...]
    kinds: int
    marked_at: int
    pool: int
    width: int
    blocks: int
    heads: int

    @property
    def grid(self) -> tuple[int, ...]:
        """Tokens along each axis."""
        return tuple(length // self.pool for length in self.cells(len(self.stages) - 1))

    @property
    def tokens(self) -> int:
        """That the decoder gets: one for each kind, then those of the grid."""
        return self.kinds + prod(self.grid)

    def cells(self, stage: int) -> tuple[int, ...]:
        """Cells of a stage along each axis."""
        lengths = list(self.shape)
        for _, strides, _ in self.stages[: stage + 1]:
            lengths = [length // stride for length, stride in zip(lengths, strides, strict=True)]
        return tuple(lengths)


class MiniVision(nn.Module):
    """(image, channel, ...) float32 in [0, 1] to image_features (image, token, hidden of the decoder)."""

    def __init__(self, sizes: MiniSizes, hidden: int) -> None:
        super().__init__()
        self.sizes = sizes
        dims = len(sizes.shape)
        before = [sizes.channels, *(width for width, _, _ in sizes.stages)]
        self.stages = nn.ModuleList(
            _stage(dims, taken, *stage) for taken, stage in zip(before[:-1], sizes.stages, strict=True)
        )
        self.marks = _conv(dims, sizes.stages[sizes.marked_at][0], sizes.kinds, 1)
        self.down = _conv(dims, before[-1], sizes.width, 1)
        self.position = nn.Parameter(0.02 * torch.randn(1, prod(sizes.grid), sizes.width))
        self.of_marks = nn.Linear(sizes.kinds, sizes.width)
        self.blocks = nn.ModuleList(Block(sizes.width, sizes.heads) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width)
        self.kind = nn.Parameter(0.02 * torch.randn(1, sizes.kinds, sizes.width))
        self.of_amount = nn.Linear(2, sizes.width)
        self.projector = nn.Sequential(nn.Linear(sizes.width, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.looked_at(image)[0]

    def looked_at(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image_features, and logits of the marks (image, kind, ...) on the cells of their stage."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        marks = self.marks(maps[self.sizes.marked_at])
        return self._features(maps[-1], marks), marks

    def marked(self, image: Tensor) -> Tensor:
        """The logits of the marks alone."""
        for stage in self.stages[: self.sizes.marked_at + 1]:
            image = stage(image)
        marks: Tensor = self.marks(image)
        return marks

    def _features(self, last: Tensor, marks: Tensor) -> Tensor:
        three = len(self.sizes.shape) == 3
        down, pool = self.down(last), self.sizes.pool
        if pool > 1:
            down = (functional.avg_pool3d if three else functional.avg_pool2d)(down, kernel_size=pool, stride=pool)
        steps = [cells // count for cells, count in zip(marks.shape[2:], self.sizes.grid, strict=True)]
        highest = (functional.max_pool3d if three else functional.max_pool2d)(marks, kernel_size=steps).flatten(2)
        tokens = down.flatten(2).transpose(1, 2) + self.position + self.of_marks(highest.transpose(1, 2))
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        given: Tensor = self.projector(torch.cat([self._of_kinds(tokens, highest, marks), tokens], dim=1))
        return given

    def _of_kinds(self, tokens: Tensor, highest: Tensor, marks: Tensor) -> Tensor:
        """(image, kind, width): the tokens where a kind is marked, how surely it is and how much of it."""
        there = torch.softmax(highest, dim=2) @ tokens
        much = torch.log(torch.sigmoid(marks).flatten(2).sum(dim=2) + 1e-2)
        amount = torch.stack([highest.amax(dim=2), much], dim=2)
        told: Tensor = there + self.kind + self.of_amount(amount)
        return told


class MiniPictureVision(MiniVision):
    """The same, as graphs of pictures name what they take."""

    def forward(self, pixel_values: Tensor) -> Tensor:
        """See `MiniVision`."""
        return super().forward(pixel_values)


class MiniVolumeVision(MiniVision):
    """The same, as graphs of volumes name what they take."""

    def forward(self, volume: Tensor) -> Tensor:
        """See `MiniVision`."""
        return super().forward(volume)


def _stage(dims: int, taken: int, width: int, strides: tuple[int, ...], blocks: int) -> nn.Module:
    steps: list[nn.Module] = [_conv(dims, taken, width, 3, strides), nn.GroupNorm(8, width), nn.SiLU()]
    return nn.Sequential(*steps, *(_Residual(dims, width) for _ in range(blocks)))


class _Residual(nn.Module):
    def __init__(self, dims: int, width: int) -> None:
        super().__init__()
        self.first, self.second = _conv(dims, width, width, 3), _conv(dims, width, width, 3)
        self.before_first, self.before_second = nn.GroupNorm(8, width), nn.GroupNorm(8, width)

    def forward(self, values: Tensor) -> Tensor:
        inner = self.first(functional.silu(self.before_first(values)))
        changed: Tensor = values + self.second(functional.silu(self.before_second(inner)))
        return changed


def _conv(dims: int, taken: int, given: int, kernel: int, strides: tuple[int, ...] | None = None) -> nn.Module:
    made = nn.Conv3d if dims == 3 else nn.Conv2d
    return made(taken, given, kernel, stride=strides or (1,) * dims, padding=kernel // 2)  # type: ignore[arg-type]
