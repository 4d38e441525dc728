"""A vision transformer over a volume, its tokens pooled in space and brought into the decoder's width.

Bai et al., M3D: Advancing 3D Medical Image Analysis with Multi-Modal Large Language Models (2024). Parts are named as
in its files, so that those can be read.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Three = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class VolumeSizes:
    """How large transformer and volume are; `volume` and `patch` count voxels along (slice, row, column)."""

    volume: Three
    patch: Three
    width: int
    inner: int
    blocks: int
    heads: int
    pool: int = 2
    layers: int = 2

    @property
    def grid(self) -> Three:
        """Patches along each axis."""
        slices, rows, columns = (whole // part for whole, part in zip(self.volume, self.patch, strict=True))
        return slices, rows, columns

    @property
    def tokens(self) -> int:
        """That the decoder gets."""
        slices, rows, columns = (count // self.pool for count in self.grid)
        return slices * rows * columns


class VolumeVision(nn.Module):
    """volume (volume, 1, slice, row, column) in [0, 1] to image_features (volume, token, hidden of the decoder)."""

    def __init__(self, sizes: VolumeSizes, hidden: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.vision_tower = VolumeTransformer(sizes)
        steps: list[nn.Module] = [nn.Linear(sizes.width, hidden)]
        for _ in range(sizes.layers - 1):
            steps += [nn.GELU(), nn.Linear(hidden, hidden)]
        self.mm_projector = nn.ModuleDict({"projector": nn.Sequential(*steps)})

    def forward(self, volume: Tensor) -> Tensor:
        """See the class."""
        tokens = self.vision_tower(volume)[:, 1:]
        spread = tokens.transpose(1, 2).unflatten(2, self.sizes.grid)
        pooled = functional.avg_pool3d(spread, kernel_size=self.sizes.pool, stride=self.sizes.pool)
        features: Tensor = self.mm_projector["projector"](pooled.flatten(2).transpose(1, 2))
        return features


class VolumeTransformer(nn.Module):
    """(volume, 1, slice, row, column) to (volume, 1 + patch, width), a first token of its own before the patches."""

    def __init__(self, sizes: VolumeSizes) -> None:
        super().__init__()
        self.patch_embedding = _Patches(sizes)
        self.cls_token = nn.Parameter(torch.empty(1, 1, sizes.width))
        self.blocks = nn.ModuleList(_Block(sizes) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, volume: Tensor) -> Tensor:
        """See the class."""
        patches = self.patch_embedding(volume)
        tokens = torch.cat([self.cls_token.expand(patches.shape[0], -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        normed: Tensor = self.norm(tokens)
        return normed


class _Patches(nn.Module):
    def __init__(self, sizes: VolumeSizes) -> None:
        super().__init__()
        self.patch = sizes.patch
        self.grid = sizes.grid
        slices, rows, columns = sizes.patch
        self.position_embeddings = nn.Parameter(
            torch.empty(1, sizes.grid[0] * sizes.grid[1] * sizes.grid[2], sizes.width)
        )
        # the first step, which has no weights, cuts the volume into patches
        self.patch_embeddings = nn.Sequential(nn.Identity(), nn.Linear(slices * rows * columns, sizes.width))

    def forward(self, volume: Tensor) -> Tensor:
        (a, b, c), (p, q, r) = self.grid, self.patch
        cut = volume.reshape(-1, a, p, b, q, c, r).permute(0, 1, 3, 5, 2, 4, 6)  # of one channel
        patches: Tensor = self.patch_embeddings(cut.reshape(-1, a * b * c, p * q * r)) + self.position_embeddings
        return patches


class _Block(nn.Module):
    def __init__(self, sizes: VolumeSizes) -> None:
        super().__init__()
        self.mlp = nn.ModuleDict(
            {"linear1": nn.Linear(sizes.width, sizes.inner), "linear2": nn.Linear(sizes.inner, sizes.width)}
        )
        self.norm1, self.norm2 = nn.LayerNorm(sizes.width), nn.LayerNorm(sizes.width)
        self.attn = _Attention(sizes)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        changed: Tensor = tokens + self.mlp["linear2"](functional.gelu(self.mlp["linear1"](self.norm2(tokens))))
        return changed


class _Attention(nn.Module):
    def __init__(self, sizes: VolumeSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width, bias=False)
        self.out_proj = nn.Linear(sizes.width, sizes.width)

    def forward(self, tokens: Tensor) -> Tensor:
        parts = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        weights = torch.softmax(query @ key.transpose(2, 3) * query.shape[3] ** -0.5, dim=-1)
        out: Tensor = self.out_proj((weights @ value).transpose(1, 2).flatten(2))
        return out
