"""A small vision transformer that learns from nothing, and shows what it has after some of its blocks."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from export_onnx.models.tumour_net import Trunk

_STEPS = {8: (2, 2, 2), 12: (3, 2, 2), 16: (2, 2, 2, 2)}  # of the convolutions that make patches of this edge
_MEAN, _STD = 0.2, 0.25  # about those of a windowed slice of a head


@dataclass(frozen=True, kw_only=True)
class VisionSizes:
    """How large the transformer is.

    Attributes
    ----------
    image, patch
        Edge of the image and of a patch, pixels.
    width, blocks, heads
        Features of a token, blocks, and heads of attention in each.
    stages
        After which blocks (1 is the first) the tokens are given out.
    stem
        "patches": one convolution as wide as it steps; "convolutions": three or four small ones with strides, for
        patches of 8, 12 or 16, which learn sooner (Xiao et al., Early Convolutions Help Transformers See Better,
        NeurIPS 2021); "trunk": the way down of a `TumourNet` with `levels`, which may have learnt already.
    levels
        (width, depth) of each level of the trunk, one for each halving of the patch.
    drop_path
        Share of images that skip the last block in training, less for those before (Huang et al., ECCV 2016).
    """

    image: int = 192
    patch: int = 16
    width: int = 192
    blocks: int = 12
    heads: int = 3
    stages: tuple[int, ...] = (3, 6, 9, 12)
    stem: str = "convolutions"
    levels: tuple[tuple[int, int], ...] = ()
    drop_path: float = 0.1

    @property
    def grid(self) -> tuple[int, int]:
        """Patches along rows and columns."""
        return self.image // self.patch, self.image // self.patch


class VisionTransformer(nn.Module):
    """(batch, 1, row, column) in [0, 1] to the tokens after each stage, and to the features of the whole image.

    Parameters
    ----------
    sizes
        The image's among them: positions are learnt, so that it takes no other.
    joint
        Features that images and texts have in common.
    """

    def __init__(self, sizes: VisionSizes, joint: int) -> None:
        super().__init__()
        rows, columns = sizes.grid
        self.stages = sizes.stages
        self.stem = _stem(sizes)
        self.standardised = sizes.stem != "trunk"  # which has learnt from windowed slices as they are
        self.whole = nn.Parameter(0.02 * torch.randn(1, 1, sizes.width))
        self.position = nn.Parameter(0.02 * torch.randn(1, 1 + rows * columns, sizes.width))
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, drop_path=sizes.drop_path * number / max(1, sizes.blocks - 1))
            for number in range(sizes.blocks)
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.projection = nn.Linear(sizes.width, joint, bias=False)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Tokens of each stage (batch, row * column, width), and (batch, joint) of the first token after the last."""
        shown_to_stem = (image - _MEAN) / _STD if self.standardised else image
        patches = self.stem(shown_to_stem).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.whole.expand(len(image), -1, -1).to(patches.dtype), patches], dim=1) + self.position
        shown = []
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens)
            if number in self.stages:
                shown.append(tokens[:, 1:])
        return shown, self.projection(self.norm(tokens[:, 0]))


class Block(nn.Module):
    """Attention, and a layer over each token, both after a normalisation and beside a short cut; images and texts."""

    def __init__(self, width: int, heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.heads, self.drop_path = heads, drop_path
        self.before_attention = nn.LayerNorm(width)
        self.taken = nn.Linear(width, 3 * width)
        self.given = nn.Linear(width, width)
        self.before_layer = nn.LayerNorm(width)
        self.layer = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, seen: Tensor | None = None) -> Tensor:
        """Of the same shape (batch, token, width); `seen` (batch, 1, 1, token), bool: which tokens may be looked at."""
        tokens = tokens + self._kept(self._attention(self.before_attention(tokens), seen))
        changed: Tensor = tokens + self._kept(self.layer(self.before_layer(tokens)))
        return changed

    def _attention(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        parts = self.taken(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # written out: torch's fused attention in bfloat16 takes five times as long to go back through on a CPU
        nearness = (parts[0] * parts[0].shape[-1] ** -0.5) @ parts[1].transpose(-2, -1)
        if seen is not None:
            nearness = nearness.masked_fill(~seen, -torch.inf)
        mixed = torch.softmax(nearness, dim=-1) @ parts[2]
        given: Tensor = self.given(mixed.transpose(1, 2).flatten(2))
        return given

    def _kept(self, change: Tensor) -> Tensor:
        """In training, nothing for some of the batch, and more for the others."""
        if not self.training or self.drop_path == 0.0:
            return change
        kept = torch.rand(len(change), 1, 1, device=change.device) >= self.drop_path
        return change * kept / (1.0 - self.drop_path)


def _stem(sizes: VisionSizes) -> nn.Module:
    if sizes.stem == "patches":
        return nn.Conv2d(1, sizes.width, sizes.patch, stride=sizes.patch)
    if sizes.stem == "trunk" and 2 ** len(sizes.levels) == sizes.patch:
        return Trunk(sizes.levels, sizes.width)
    steps = _STEPS.get(sizes.patch)
    if sizes.stem != "convolutions" or steps is None:
        raise ValueError(
            f"a stem is 'patches', 'convolutions' for patches of {sorted(_STEPS)}, or a 'trunk' of as many levels as "
            f"the patch has halvings, got {sizes}"
        )
    widths = [1, *(sizes.width // 2**level for level in range(len(steps), 0, -1))]
    layers: list[nn.Module] = []
    for (before, after), step in zip(pairwise(widths), steps, strict=True):
        layers += [nn.Conv2d(before, after, 3, stride=step, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], sizes.width, 1))
