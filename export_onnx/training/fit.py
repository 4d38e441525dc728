"""The training loop of a slice network; seeded step by step, so a stopped run goes on as if it had not been stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export_onnx.training.cohort import Case

_Parts = dict[str, nn.Module | torch.optim.Optimizer | torch.optim.lr_scheduler.LambdaLR]

_CHECKPOINT_EVERY = 100
_ENTROPY = 5.0  # weight of the cross entropy beside Dice: without it small structures hardly count
_WITH_LESION = 0.5  # share of a batch's slices that are chosen because they show a lesion


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train.

    Attributes
    ----------
    seed
        Of the weights and of every step.
    iterations, batch, crop
        Steps, slices in a step, and rows and columns of the piece cut from each.
    neighbours
        Slices on each side that go in as channels.
    learning_rate
        At its height; it rises for a tenth of the steps and falls as a cosine.
    """

    seed: int
    iterations: int
    batch: int
    crop: int
    neighbours: int
    learning_rate: float


def fit(
    network: nn.Module, cases: Sequence[Case], plan: Plan, checkpoint: Path, progress: Callable[[int, float], None]
) -> nn.Module:
    """Train a network to find lesions.

    Parameters
    ----------
    network
        (batch, 2 * neighbours + 1, row, column) to logits (batch, 1, row, column); changed in place.
    cases
        To learn from.
    checkpoint
        File that holds the state every hundred steps; where it is there already, training goes on from it.
    progress
        Told the step and its loss.

    Returns
    -------
    Module
        The network, ready to predict.
    """
    torch.use_deterministic_algorithms(mode=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, plan.iterations))
    parts: _Parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    start = _resumed(checkpoint, parts)
    places = _places(cases)
    network.train()
    for step in range(start, plan.iterations):
        image, truth = _batch(cases, places, plan, np.random.default_rng([plan.seed, step]))
        loss = _loss(network(image), truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(step + 1, float(loss.detach()))
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == plan.iterations:
            _keep(checkpoint, step + 1, parts)
    return network.eval()


def predict(network: nn.Module, image: NDArray[np.uint8], neighbours: int, batch: int = 8) -> NDArray[np.float32]:
    """Probabilities (slice, row, column), float32, of a prepared image (slice, row, column), uint8."""
    stack = _with_neighbours(image, neighbours)
    with torch.inference_mode():
        parts = [
            torch.sigmoid(network(torch.from_numpy(stack[first : first + batch].astype(np.float32) / 255.0)))[:, 0]
            for first in range(0, len(stack), batch)
        ]
    return torch.cat(parts).numpy()


def _with_neighbours(image: NDArray[np.uint8], neighbours: int) -> NDArray[np.uint8]:
    """(slice, channel, row, column): each slice in the middle of its neighbours, the outermost repeated."""
    wide = np.pad(image, ((neighbours, neighbours), (0, 0), (0, 0)), mode="edge")
    return np.stack([wide[shift : shift + len(image)] for shift in range(2 * neighbours + 1)], axis=1)


def _rate(step: int, iterations: int) -> float:
    rising = max(1, iterations // 10)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - rising) / max(1, iterations - rising))))


def _places(cases: Sequence[Case]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """(case, slice) of the slices with a lesion, and of those that show anything."""
    shown = [(c, k) for c, case in enumerate(cases) for k in np.flatnonzero(case.image.any(axis=(1, 2)))]
    lesion = [(c, k) for c, case in enumerate(cases) for k in np.flatnonzero((case.truth > 127).any(axis=(1, 2)))]
    return np.array(lesion or shown), np.array(shown)


def _batch(
    cases: Sequence[Case],
    places: tuple[NDArray[np.int_], NDArray[np.int_]],
    plan: Plan,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    images, truths = [], []
    for _ in range(plan.batch):
        pool = places[0] if rng.random() < _WITH_LESION else places[1]
        c, k = pool[int(rng.integers(len(pool)))]
        image, truth = _piece(cases[c], int(k), plan, rng)
        images.append(image)
        truths.append(truth)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(truths))


def _piece(case: Case, k: int, plan: Plan, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A piece of one slice with its neighbours, mirrored and changed in contrast at random."""
    near = np.clip(np.arange(k - plan.neighbours, k + plan.neighbours + 1), 0, len(case.image) - 1)
    top, left = (int(rng.integers(max(1, length - plan.crop + 1))) for length in case.image.shape[1:])
    window = (slice(top, top + plan.crop), slice(left, left + plan.crop))
    image = case.image[(near, *window)].astype(np.float32) / 255.0
    truth = case.truth[(slice(k, k + 1), *window)].astype(np.float32) / 255.0
    if rng.random() < 0.5:  # a lesion is a lesion on either side
        image, truth = image[..., ::-1], truth[..., ::-1]
    if rng.random() < 0.5:  # seen from the feet instead of the head
        image = image[::-1]
    gamma, gain = np.exp(rng.uniform(-0.2, 0.2)), rng.uniform(0.9, 1.1)
    noise = rng.uniform(0.0, 0.02) * rng.standard_normal(image.shape, dtype=np.float32)
    changed = np.clip(gain * image**gamma + noise, 0.0, 1.0).astype(np.float32)
    return changed, np.ascontiguousarray(truth)


def _loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy minds every voxel, 1 - Dice over the batch the few of a lesion."""
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth)
    probability = torch.sigmoid(logits)
    overlap = 2.0 * (probability * truth).sum() + 1.0
    return _ENTROPY * entropy + 1.0 - overlap / (probability.sum() + truth.sum() + 1.0)


def _resumed(checkpoint: Path, parts: _Parts) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def _keep(checkpoint: Path, step: int, parts: _Parts) -> None:
    partial = checkpoint.with_suffix(".partial")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, partial)
    partial.replace(checkpoint)
