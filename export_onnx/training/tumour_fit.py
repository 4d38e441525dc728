"""How the tumour networks learn from slices: what a batch is, and what they are judged by; knows no architecture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.training import augment
from export_onnx.training.slices import Indices, Slices

WITHOUT_TUMOUR = 0.25
"""Share of a batch that shows none."""

Predicted = Callable[[nn.Module, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Slices of one step.

    Attributes
    ----------
    image, truth
        (batch, 1, row, column), float32 in [0, 1].
    kind
        (batch,), int64: index of the class, -1 where the slice shows none.
    """

    image: Tensor
    truth: Tensor
    kind: Tensor


class Drawn:
    """Draws batches: tumour slices so that a patient of many slices counts as the root of their number.

    Parameters
    ----------
    made, indices
        The slices, and which of them are learnt from.
    classes
        Labels in the order of the network's classes.
    seed, batch
        Of every step, and slices in it.
    """

    def __init__(self, made: Slices, indices: Indices, classes: Sequence[str], seed: int, batch: int) -> None:
        self._made = made
        self._seed = seed
        self._batch = batch
        label = made.label[indices]
        self._with, self._without = indices[label != ""], indices[label == ""]
        patients, counts = np.unique(made.patient[self._with], return_counts=True)
        share = dict(zip(patients.tolist(), (1.0 / np.sqrt(counts)).tolist(), strict=True))
        weights = np.array([share[patient] for patient in made.patient[self._with].tolist()])
        self._weights: NDArray[np.float64] = weights / weights.sum()
        self._kinds = np.array([classes.index(text) if text else -1 for text in made.label.tolist()])

    def at(self, step: int) -> Batch:
        """The batch of a step, moved and recoloured at random."""
        rng = np.random.default_rng([self._seed, step])
        without = round(WITHOUT_TUMOUR * self._batch) if len(self._without) else 0
        chosen = np.concatenate(
            [
                rng.choice(self._with, self._batch - without, p=self._weights),
                rng.choice(self._without, without) if without else np.array([], dtype=np.int_),
            ]
        )
        torch_rng = torch.Generator().manual_seed(int(rng.integers(2**62)))
        image, truth = (
            torch.from_numpy(values[chosen]).unsqueeze(1).float() / 255.0
            for values in (self._made.image, self._made.truth)
        )
        image, truth = augment.moved(image, truth, torch_rng)
        return Batch(
            image=augment.recoloured(image, torch_rng), truth=truth, kind=torch.from_numpy(self._kinds[chosen])
        )


def tumour_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy minds every pixel, 1 - Dice over the batch the few of a tumour."""
    logits = logits.float()
    entropy = functional.binary_cross_entropy_with_logits(logits, truth)
    probability = torch.sigmoid(logits)
    overlap = 2.0 * (probability * truth).sum() + 1.0
    return 4.0 * entropy + 1.0 - overlap / (probability.sum() + truth.sum() + 1.0)


def class_loss(logits: Tensor, truth: Tensor, kind: Tensor) -> Tensor:
    """Cross entropy of the class in the pixels of the tumour, each slice with the same weight.

    `logits` is (batch, class, ...) on a coarser grid than `truth`.
    """
    shown = kind >= 0
    if not bool(shown.any()):
        return logits.float().sum() * 0.0
    inside = functional.adaptive_avg_pool2d(truth[shown], (logits.shape[2], logits.shape[3]))[:, 0]
    inside = inside / inside.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    wanted = kind[shown, None, None].expand(-1, *logits.shape[2:])
    wrong = functional.cross_entropy(logits[shown].float(), wanted, reduction="none", label_smoothing=0.05)
    return (wrong * inside).sum() / int(shown.sum())


def predicted(maps: nn.Module, images: NDArray[np.uint8], batch: int = 32) -> NDArray[np.float32]:
    """(slice, channel, row, column), float32, of prepared slices (slice, row, column), uint8."""
    where = next(maps.parameters()).device
    parts = []
    with torch.inference_mode():
        for first in range(0, len(images), batch):
            image = torch.from_numpy(images[first : first + batch]).unsqueeze(1).float() / 255.0
            parts.append(maps(image.to(where)).cpu())
    return torch.cat(parts).numpy()
