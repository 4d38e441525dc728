"""A small vision transformer over 2.5-D crops of a lesion, and the masked autoencoder that may train it first."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from export_onnx.models.vision_transformer import Block

_MEAN, _STD = 0.4, 0.2  # about those of a crop of T2


@dataclass(frozen=True, kw_only=True)
class LesionSizes:
    """How large it is: edge of crop and patch (8) in pixels, slices, features of a token, blocks, heads."""

    side: int = 64
    patch: int = 8
    slices: int = 3
    width: int = 96
    blocks: int = 4
    heads: int = 4

    @property
    def patches(self) -> int:
        """Of a crop."""
        return (self.side // self.patch) ** 2


class LesionViT(nn.Module):
    """Crop (batch, slice, row, column) in [0, 1] and size (batch, 1) to logits (batch, 2)."""

    def __init__(self, sizes: LesionSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.stem = _stem(sizes)
        self.whole = nn.Parameter(0.02 * torch.randn(1, 1, sizes.width))
        self.position = nn.Parameter(0.02 * torch.randn(1, sizes.patches, sizes.width))
        self.blocks = nn.ModuleList(Block(sizes.width, sizes.heads) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width)
        self.head = nn.Sequential(
            nn.Linear(2 * sizes.width + 1, sizes.width), nn.GELU(), nn.Dropout(0.2), nn.Linear(sizes.width, 2)
        )

    def forward(self, crop: Tensor, size: Tensor) -> Tensor:
        """Logits of the two classes, from all patches and from the four in the middle, where the lesion is."""
        encoded = self.encoded(self.tokens(crop))[:, 1:]
        edge = self.sizes.side // self.sizes.patch
        grid = encoded.reshape(-1, edge, edge, self.sizes.width)
        middle = grid[:, edge // 2 - 1 : edge // 2 + 1, edge // 2 - 1 : edge // 2 + 1].mean(dim=(1, 2))
        logits: Tensor = self.head(torch.cat([encoded.mean(dim=1), middle, size], dim=1))
        return logits

    def tokens(self, crop: Tensor) -> Tensor:
        """Patches with their positions, (batch, patch, width)."""
        patches: Tensor = self.stem((crop - _MEAN) / _STD).flatten(2).transpose(1, 2) + self.position
        return patches

    def encoded(self, tokens: Tensor) -> Tensor:
        """The whole's token before some patches' tokens, after all blocks, (batch, 1 + patch, width)."""
        tokens = torch.cat([self.whole.expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        encoded: Tensor = self.norm(tokens)
        return encoded


class MaskedAutoencoder(nn.Module):
    """Draws the patches that were hidden from the encoder (He et al., Masked Autoencoders, CVPR 2022).

    Parameters
    ----------
    encoder
        Learns; the decoder is thrown away afterwards.
    hidden
        Share of the patches that is hidden.
    """

    def __init__(self, encoder: LesionViT, hidden: float, width: int = 64) -> None:
        super().__init__()
        sizes = encoder.sizes
        self.encoder = encoder
        self.kept = max(1, round((1.0 - hidden) * sizes.patches))
        self.narrow = nn.Linear(sizes.width, width)
        self.missing = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, sizes.patches, width))
        self.block = Block(width, 4)
        self.norm = nn.LayerNorm(width)
        self.drawn = nn.Linear(width, sizes.slices * sizes.patch**2)

    def forward(self, crop: Tensor, order: Tensor) -> Tensor:
        """Mean squared error over the hidden patches, each patch scaled to mean 0 and spread 1.

        Parameters
        ----------
        crop
            (batch, slice, row, column).
        order
            (batch, patch), int64: patches in the order in which they are kept; the rest are hidden.
        """
        tokens = self.encoder.tokens(self._covered(crop, order))
        seen, hidden = order[:, : self.kept], order[:, self.kept :]
        picked = tokens.gather(1, seen[:, :, None].expand(-1, -1, tokens.shape[2]))
        inner = self.narrow(self.encoder.encoded(picked)[:, 1:])
        whole = torch.cat([inner, self.missing.expand(len(crop), hidden.shape[1], -1)], dim=1)
        places = self.position.expand(len(crop), -1, -1).gather(1, order[:, :, None].expand(-1, -1, inner.shape[2]))
        drawn = self.drawn(self.norm(self.block(whole + places)))[:, self.kept :]
        wanted = _patches(crop, self.encoder.sizes.patch)
        wanted = wanted.gather(1, hidden[:, :, None].expand(-1, -1, wanted.shape[2]))
        wanted = (wanted - wanted.mean(dim=2, keepdim=True)) / (wanted.std(dim=2, keepdim=True) + 0.02)
        error: Tensor = ((drawn - wanted) ** 2).mean()
        return error

    def _covered(self, crop: Tensor, order: Tensor) -> Tensor:
        """The crop without its hidden patches: the stem looks beyond the patch it makes."""
        edge = self.encoder.sizes.side // self.encoder.sizes.patch
        seen = torch.zeros_like(order, dtype=crop.dtype).scatter(1, order[:, : self.kept], 1.0)
        seen = seen.reshape(len(crop), 1, edge, edge).repeat_interleave(crop.shape[2] // edge, dim=2)
        seen = seen.repeat_interleave(crop.shape[3] // edge, dim=3)
        return crop * seen + _MEAN * (1.0 - seen)


def _stem(sizes: LesionSizes) -> nn.Sequential:
    """Convolutions that halve three times: a patch embedding that learns texture sooner than one large convolution
    (Xiao et al., Early Convolutions Help Transformers See Better, NeurIPS 2021).
    """
    if sizes.patch != 8:
        raise ValueError(f"the stem makes patches of 8 pixels, not of {sizes.patch}")
    fine, middle = max(sizes.width // 4, 4), max(sizes.width // 2, 8)
    steps = [(sizes.slices, fine, 1), (fine, middle, 2), (middle, middle, 1), (middle, sizes.width, 2)]
    steps += [(sizes.width, sizes.width, 1), (sizes.width, sizes.width, 2)]
    layers: list[nn.Module] = []
    for before, after, step in steps:
        layers += [nn.Conv2d(before, after, 3, stride=step, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def _patches(crop: Tensor, edge: int) -> Tensor:
    """(batch, patch, value)."""
    cut = crop.unfold(2, edge, edge).unfold(3, edge, edge)  # batch, slice, patch row, patch column, row, column
    return cut.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
