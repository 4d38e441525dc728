"""How the localiser learns: the published loss, what is added to learn from nothing, and both ways to move weights.

Focal and Dice in each stage are those of Cao et al., APRIL-GAN (VAND challenge, CVPR 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from export_onnx.models.localiser import Logits, Towers, enlarged, margin
from export_onnx.models.text_tower import ensemble
from export_onnx.training.loop import Schedule


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """What the loss weighs, and how weights move.

    Attributes
    ----------
    gamma
        Of the focal loss (Lin et al., ICCV 2017).
    whole
        Weight of the cross entropy of the image's own score.
    contrast
        Weight of the contrast between images and captions (Radford et al., CLIP, ICML 2021).
    learning_rate, betas, weight_decay
        Of AdamW; without decay it is Adam.
    batch
        Slices in a step.
    plain
        As the training loop takes it.
    """

    gamma: float = 2.0
    whole: float
    contrast: float
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    batch: int = 16
    plain: bool = False

    def schedule(self, seed: int, iterations: int, *, average: float = 0.0, bfloat16: bool = False) -> Schedule:
        """The same for the training loop."""
        return Schedule(
            seed=seed,
            iterations=iterations,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            betas=self.betas,
            average=average,
            bfloat16=bfloat16,
            plain=self.plain,
        )


PUBLISHED = Fitting(whole=0.0, contrast=0.0, learning_rate=1e-2, betas=(0.5, 0.999), weight_decay=0.0, plain=True)
"""BrainMRI-GPT: decoders alone over a CLIP that stays as it is, Adam, batches of 16, 3 epochs (`clip_decoder`)."""

FROM_NOTHING = Fitting(whole=0.2, contrast=0.1, learning_rate=1e-3, betas=(0.9, 0.98), weight_decay=0.05)
"""All weights, where no CLIP is there to start from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """Texts as numbers.

    Attributes
    ----------
    input_ids, attention_mask
        (text, token), int64; filling has the mask 0.
    """

    input_ids: Tensor
    attention_mask: Tensor


def text_features(towers: Towers, normal: Tokens, abnormal: Tokens) -> Tensor:
    """(2, joint): the ensembles of both, through the text tower, so that it learns too."""
    both = [towers.text(texts.input_ids, texts.attention_mask) for texts in (normal, abnormal)]
    return torch.stack([ensemble(features) for features in both])


def loss(
    towers: Towers,
    image: Tensor,
    truth: Tensor,
    prompts: tuple[Tokens, Tokens],
    fitting: Fitting,
    captions: tuple[Tokens, Sequence[int]] | None = None,
) -> Tensor:
    """What one step is to make small.

    Parameters
    ----------
    image, truth
        (batch, 1, row, column), float32 in [0, 1].
    prompts
        Texts of normal and of abnormal.
    fitting
        Weights of the parts.
    captions
        Different texts, and which of them each image of the batch has; None: no contrast.
    """
    logits: Logits = towers.localiser(image, text_features(towers, *prompts))
    total = localisation_loss(logits.stages, truth, fitting.gamma)
    if fitting.whole:
        shown = (truth.amax(dim=(1, 2, 3)) >= 0.5).float()
        total = total + fitting.whole * functional.binary_cross_entropy_with_logits(logits.image, shown)
    if fitting.contrast and captions is not None:
        texts, of_image = captions
        features = towers.text(texts.input_ids, texts.attention_mask)
        scale = towers.localiser.log_scales[1].exp().clamp(max=100.0)
        total = total + fitting.contrast * contrast_loss(logits.features, features, of_image, scale)
    return total


def localisation_loss(stages: Sequence[Tensor], truth: Tensor, gamma: float = 2.0) -> Tensor:
    """Sum over the stages of focal loss and 1 - Dice, on the grid of `truth` (batch, 1, row, column)."""
    total = truth.new_zeros(())
    for logits in stages:
        large = enlarged(margin(logits), (truth.shape[2], truth.shape[3]))
        total = total + focal(large, truth, gamma) + dice(torch.sigmoid(large), truth)
    return total


def focal(logits: Tensor, truth: Tensor, gamma: float = 2.0) -> Tensor:
    """Cross entropy in which what is sure already counts little; mean over the pixels of (batch, 1, row, column)."""
    probability = torch.sigmoid(logits)
    missed = truth * functional.softplus(-logits) * (1.0 - probability) ** gamma
    invented = (1.0 - truth) * functional.softplus(logits) * probability**gamma
    return (missed + invented).mean()


def dice(probability: Tensor, truth: Tensor) -> Tensor:
    """1 - Dice of each image, smoothed by 1, mean over the batch."""
    both = (probability * truth).flatten(1).sum(dim=1)
    each = probability.flatten(1).sum(dim=1) + truth.flatten(1).sum(dim=1)
    return (1.0 - (2.0 * both + 1.0) / (each + 1.0)).mean()


def contrast_loss(images: Tensor, texts: Tensor, of_image: Sequence[int], scale: Tensor) -> Tensor:
    """Each image to its text and each text to its images, both ways alike.

    `images` (batch, joint) and `texts` (text, joint) have length 1; images with the same text are no contrast.
    """
    with torch.autocast(images.device.type, enabled=False):
        cosines = scale * images.float() @ texts.float().T
    wanted = torch.as_tensor(of_image, device=cosines.device)
    has = functional.one_hot(wanted, len(texts)).to(cosines.dtype)
    share = has / has.sum(dim=0).clamp(min=1.0)
    to_images = -(share * torch.log_softmax(cosines, dim=0)).sum(dim=0)[has.any(dim=0)].mean()
    return (functional.cross_entropy(cosines, wanted) + to_images) / 2.0
