"""How the lesion classifier learns from pieces: what a batch is, masked pretraining, and what it says of pieces."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.lesion_vit import LesionSizes, LesionViT, MaskedAutoencoder
from export_onnx.training import loop
from export_onnx.training.bleeding_cohort import NOTHING, SIDE, STORED_SIDE, Pieces
from inference.lesion_classes import scaled_size

SIZE_MM = (2.0, 60.0)
"""Longest axes that become 0 and 1."""

_SIZE_DOUBT = 0.25  # of the logarithm: a candidate's outline is not the lesion's
_MIDDLE = (STORED_SIDE - SIDE) // 2

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train.

    Attributes
    ----------
    sizes, batch, schedule
        Of the network, of a step, and of the steps.
    hidden
        Share of patches hidden in the pretraining; 0: no pretraining.
    pretraining
        Its steps.
    """

    sizes: LesionSizes
    batch: int
    schedule: loop.Schedule
    hidden: float
    pretraining: loop.Schedule


class Drawn:
    """Draws batches; a lesion of many slices counts as the root of their number, pieces of nothing as one each."""

    def __init__(self, made: Pieces, seed: int, batch: int) -> None:
        self._made, self._seed, self._batch = made, seed, batch
        _, inverse, counts = np.unique(made.lesion, return_inverse=True, return_counts=True)
        weights = 1.0 / np.sqrt(counts[inverse])
        weights[made.kind == NOTHING] = 0.3
        self._weights: NDArray[np.float64] = weights / weights.sum()

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Crops (batch, 3, 64, 64), sizes (batch, 1) and wanted shares of the classes (batch, 2) of a step."""
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.choice(len(self._weights), self._batch, p=self._weights)
        images = np.stack([_moved(self._made.image[index], rng) for index in chosen]).astype(np.float32) / 255.0
        gain, gamma = np.exp(rng.uniform(-0.15, 0.15, (2, self._batch, 1, 1, 1)))
        noise = rng.uniform(0.0, 0.03, (self._batch, 1, 1, 1)) * rng.standard_normal(images.shape)
        crop = np.clip(gain * images**gamma + noise, 0.0, 1.0).astype(np.float32)
        doubt = np.exp(rng.uniform(-_SIZE_DOUBT, _SIZE_DOUBT, self._batch))
        size = scaled_size(self._made.size_mm[chosen] * doubt, *SIZE_MM)
        kind = self._made.kind[chosen]
        wanted = np.where(kind[:, None] == NOTHING, 0.5, np.eye(2)[np.maximum(kind, 0)]).astype(np.float32)
        return torch.from_numpy(crop), torch.from_numpy(size), torch.from_numpy(wanted)


def fit(made: Pieces, plan: Plan, folder: Path, report: Report) -> LesionViT:
    """Train a network; a run that was stopped goes on from its checkpoints in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.schedule.seed)
    network: nn.Module = LesionViT(plan.sizes)
    drawn = Drawn(made, plan.schedule.seed, plan.batch)
    if plan.hidden > 0.0:
        network = _pretrained(network, drawn, plan, folder / "pretraining.pt", report)

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        crop, size, wanted = drawn.at(step)
        return functional.cross_entropy(learning(crop, size), wanted, label_smoothing=0.02)

    trained = loop.train(network, plan.schedule, step_loss, folder / "checkpoint.pt", _teller("step", plan, report))
    if not isinstance(trained, LesionViT):
        raise TypeError("the loop gave back another network")
    return trained


def logits(network: nn.Module, made: Pieces) -> NDArray[np.float64]:
    """(piece, 2): what the network says of the middle of each piece, unmoved."""
    crop = made.image[:, :, _MIDDLE : _MIDDLE + SIDE, _MIDDLE : _MIDDLE + SIDE]
    size = torch.from_numpy(scaled_size(made.size_mm, *SIZE_MM))
    parts = []
    with torch.inference_mode():
        for first in range(0, len(crop), 128):
            some = slice(first, first + 128)
            parts.append(network(torch.from_numpy(crop[some].astype(np.float32) / 255.0), size[some]))
    return torch.cat(parts).numpy().astype(np.float64)


def _pretrained(network: nn.Module, drawn: Drawn, plan: Plan, checkpoint: Path, report: Report) -> nn.Module:
    if not isinstance(network, LesionViT):
        raise TypeError("masked pretraining is for a LesionViT")
    masked = MaskedAutoencoder(network, plan.hidden)

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        crop, _, _ = drawn.at(step)
        chance = torch.Generator().manual_seed(plan.pretraining.seed * 1_000_003 + step)
        order = torch.rand(len(crop), plan.sizes.patches, generator=chance).argsort(dim=1)
        loss: Tensor = learning(crop, order)
        return loss

    trained = loop.train(masked, plan.pretraining, step_loss, checkpoint, _teller("pretraining", plan, report))
    encoder = trained.encoder
    if not isinstance(encoder, LesionViT):
        raise TypeError("the loop gave back another network")
    return encoder


def _teller(what: str, plan: Plan, report: Report) -> loop.Progress:
    def told(step: int, loss: float) -> None:
        if step % 100 == 0:
            report(f"{what} {step}, batch of {plan.batch}, loss {loss:.3f}")

    return told


def _moved(piece: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shifted, turned by right angles, mirrored, seen from the other end: (3, 64, 64) of (3, 80, 80)."""
    top, left = np.clip(np.rint(rng.normal(_MIDDLE, 2.0, 2)), 0, STORED_SIDE - SIDE).astype(int)
    moved = np.rot90(piece[:, top : top + SIDE, left : left + SIDE], int(rng.integers(4)), axes=(1, 2))
    if rng.random() < 0.5:
        moved = moved[:, :, ::-1]
    return moved[::-1] if rng.random() < 0.5 else moved
