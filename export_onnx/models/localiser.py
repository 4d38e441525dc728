"""Patches of an image against texts, stage by stage: the one forward that is trained, exported and proved.

After Cao et al., APRIL-GAN (VAND challenge, CVPR 2023), and BrainMRI-GPT, whose decoder has two layers. The transformer
may be that of a CLIP checkpoint or one that learns from nothing.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.text_tower import TextTower, normalised
from export_onnx.models.vision_transformer import VisionSizes, VisionTransformer

SCALE = 100.0
"""What cosines are multiplied with before the softmax, as CLIP has learnt it and APRIL-GAN writes it."""


class Logits(NamedTuple):
    """What is learnt from.

    Attributes
    ----------
    stages
        (batch, 2, row, column) each: normal and abnormal, on the grid of the patches or a finer one.
    image
        (batch,): abnormal less normal, for the whole image.
    features
        (batch, joint), of length 1: of the whole image.
    """

    stages: list[Tensor]
    image: Tensor
    features: Tensor


class StagedLocaliser(nn.Module):
    """Compares what each stage of a vision transformer has of each patch with texts of normal and of abnormal.

    Parameters
    ----------
    vision
        Image to the tokens of each stage, a list of (batch, row * column, width), and features (batch, joint).
    decoders
        One for each stage: tokens to (batch, row * column, fold * fold * joint).
    grid
        Patches along rows and columns.
    fold
        Each patch is told in fold x fold parts; 1 as published.
    scales
        What cosines are multiplied with, of patches and of the image.
    prior
        Probability of abnormal that patches have before anything is learnt, as an offset that is learnt as well; None:
        no offset.
    learnt
        Whether the scales are learnt too.
    """

    def __init__(
        self,
        vision: nn.Module,
        decoders: Sequence[nn.Module],
        grid: tuple[int, int],
        *,
        fold: int = 1,
        scales: tuple[float, float] = (SCALE, SCALE),
        prior: float | None = None,
        learnt: bool = False,
    ) -> None:
        super().__init__()
        self.vision = vision
        self.decoders = nn.ModuleList(decoders)
        self.grid, self.fold = grid, fold
        offset = 0.0 if prior is None else math.log(prior / (1.0 - prior))
        self.log_scales = nn.Parameter(torch.log(torch.tensor(scales)), requires_grad=learnt)
        self.offsets = nn.Parameter(torch.full((len(decoders),), offset), requires_grad=prior is not None)

    def forward(self, image: Tensor, text_features: Tensor) -> Logits:
        """Logits of (batch, channel, row, column) against `text_features` (2, joint), normal then abnormal."""
        tokens, whole = self.vision(image)
        maps, of_image = self.log_scales.exp().clamp(max=SCALE).unbind()
        stages = [
            self._stage(decoder(of_stage), text_features, maps, offset)
            for decoder, of_stage, offset in zip(self.decoders, tokens, self.offsets.unbind(), strict=True)
        ]
        cosines = _cosines(whole, text_features)
        return Logits(stages=stages, image=of_image * (cosines[:, 1] - cosines[:, 0]), features=normalised(whole))

    def _stage(self, decoded: Tensor, text_features: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
        batch, (rows, columns), fold = len(decoded), self.grid, self.fold
        cosines = _cosines(decoded.reshape(batch, rows * columns, fold * fold, -1), text_features)
        folded = cosines.permute(0, 3, 2, 1).reshape(batch, 2 * fold * fold, rows, columns)
        logits = scale * functional.pixel_shuffle(folded, fold)
        return torch.stack([logits[:, 0], logits[:, 1] + offset], dim=1)


class LocaliserMaps(nn.Module):
    """The localiser as a bundle carries it: `image`, `text_features` to `anomaly_map`, `abnormal_prob`.

    Parameters
    ----------
    localiser
        Trained.
    mirrored
        Also look at the slice mirrored left to right, and take the mean.
    """

    def __init__(self, localiser: StagedLocaliser, *, mirrored: bool = False) -> None:
        super().__init__()
        self.localiser = localiser
        self.mirrored = mirrored

    def forward(self, image: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities of abnormal: (batch, 1, row, column) of each pixel, and (batch,) of each image."""
        maps, whole = self._seen(image, text_features)
        if self.mirrored:
            others, other = self._seen(torch.flip(image, dims=(3,)), text_features)
            maps, whole = (maps + torch.flip(others, dims=(3,))) / 2.0, (whole + other) / 2.0
        return maps, torch.sigmoid(whole)

    def _seen(self, image: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.localiser(image, text_features)
        return abnormal_map(logits.stages, (image.shape[2], image.shape[3])), logits.image


class StageDecoder(nn.Sequential):
    """Linear, LeakyReLU, Linear, as BrainMRI-GPT has it: tokens to the joint features, `fold` x `fold` of each."""

    def __init__(self, width: int, joint: int, *, hidden: int | None = None, fold: int = 1) -> None:
        inner = width if hidden is None else hidden
        super().__init__(nn.Linear(width, inner), nn.LeakyReLU(), nn.Linear(inner, fold * fold * joint))


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """A localiser that learns from nothing.

    Attributes
    ----------
    vision
        Its transformer.
    joint
        Features that images and texts have in common.
    fold, prior
        As `StagedLocaliser` takes them.
    vocabulary, positions, text_width, text_blocks, text_heads
        Of its text tower.
    """

    vision: VisionSizes = field(default_factory=VisionSizes)
    joint: int = 128
    fold: int = 4
    prior: float | None = None
    vocabulary: int = 512
    positions: int = 32
    text_width: int = 128
    text_blocks: int = 2
    text_heads: int = 4


class Towers(nn.Module):
    """Localiser and text tower, learnt together: what an optimiser moves and a checkpoint holds."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        vision = sizes.vision
        self.localiser = StagedLocaliser(
            VisionTransformer(vision, sizes.joint),
            [StageDecoder(vision.width, sizes.joint, fold=sizes.fold) for _ in vision.stages],
            vision.grid,
            fold=sizes.fold,
            scales=(1.0 / 0.07, 1.0 / 0.07),  # CLIP's before it has learnt anything
            prior=sizes.prior,
            learnt=True,
        )
        self.text = TextTower(
            sizes.vocabulary,
            sizes.positions,
            width=sizes.text_width,
            blocks=sizes.text_blocks,
            heads=sizes.text_heads,
            joint=sizes.joint,
        )


def enlarged(margin: Tensor, shape: tuple[int, int]) -> Tensor:
    """(batch, 1, row, column) on the image's grid, bilinear, corner on corner."""
    return functional.interpolate(margin, size=shape, mode="bilinear", align_corners=True)


def margin(logits: Tensor) -> Tensor:
    """Abnormal less normal, (batch, 1, row, column): its sigmoid is the softmax of the two."""
    return logits[:, 1:] - logits[:, :1]


def abnormal_map(stages: Sequence[Tensor], shape: tuple[int, int]) -> Tensor:
    """Mean over the stages of the probability of abnormal, (batch, 1, row, column) of the shape of the image."""
    return torch.stack([torch.sigmoid(enlarged(margin(logits), shape)) for logits in stages]).mean(dim=0)


def _cosines(features: Tensor, text_features: Tensor) -> Tensor:
    """(..., 2) with the normal and the abnormal text of length 1; in float32, which a cosine times 100 needs."""
    with _in_float32(features):
        features = features.float()
        length: Tensor = features.norm(dim=-1, keepdim=True)
        return (features @ text_features.float().T) / length.clamp(min=1e-8)


def _in_float32(features: Tensor) -> AbstractContextManager[object]:
    kind = features.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()
