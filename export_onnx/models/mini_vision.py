"""A small network that looks at slices or volumes for a language decoder, and learns soon: convolutions, then tokens.

It takes and gives what LLaVA's tower with its projector does (pixel_values to image_features), or M3D's with its
spatial pooling (volume to image_features); what lies between is small enough for two CPU cores.
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
    marked_at
        Index of the stage on whose grid the first training marks lesions.
    pool
        Cells of the last stage along each axis that become one token.
    width, blocks, heads
        Features of a token, blocks of the transformer, heads of attention in each.
    """

    shape: tuple[int, ...]
    channels: int
    stages: tuple[tuple[int, tuple[int, ...], int], ...]
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
        """That the decoder gets."""
        return prod(self.grid)

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
        self.down = _conv(dims, before[-1], sizes.width, 1)
        self.position = nn.Parameter(0.02 * torch.randn(1, sizes.tokens, sizes.width))
        self.blocks = nn.ModuleList(Block(sizes.width, sizes.heads) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width)
        self.projector = nn.Sequential(nn.Linear(sizes.width, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.features(self.stage_maps(image)[-1])

    def stage_maps(self, image: Tensor) -> list[Tensor]:
        """What each stage gives, (image, width, ...)."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps

    def features(self, last: Tensor) -> Tensor:
        """image_features of what the last stage gave."""
        pooled = self.down(last)
        if self.sizes.pool > 1:
            pool = functional.avg_pool3d if len(self.sizes.shape) == 3 else functional.avg_pool2d
            pooled = pool(pooled, kernel_size=self.sizes.pool, stride=self.sizes.pool)
        tokens = pooled.flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        given: Tensor = self.projector(self.norm(tokens))
        return given


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
