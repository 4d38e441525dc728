"""The training loop: seeded step by step, so that a stopped run goes on as if it had not been stopped."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

CHECKPOINT_EVERY = 250


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the weights move.

    Attributes
    ----------
    seed
        Of the weights and of every step.
    iterations
        Steps of the optimiser.
    learning_rate
        At its height; it rises for a twentieth of the steps and falls as a cosine.
    weight_decay, betas
        Of AdamW.
    average
        Weight of the past in the running mean of the weights, which is what is kept; 0 keeps the last weights.
    bfloat16
        Compute in bfloat16 where torch holds it safe; weights and their mean stay float32.
    plain
        The optimiser alone: the rate neither rises nor falls, and no gradient is shortened.
    """

    seed: int
    iterations: int
    learning_rate: float
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.999)
    average: float = 0.0
    bfloat16: bool = False
    plain: bool = False


Step = Callable[[nn.Module, int], Tensor]
"""Loss of a network at a step; everything random in it is drawn from the step's own seed."""

Progress = Callable[[int, float], None]

_Parts = dict[str, nn.Module | torch.optim.Optimizer | torch.optim.lr_scheduler.LambdaLR]


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(network: nn.Module, schedule: Schedule, step_loss: Step, checkpoint: Path, progress: Progress) -> nn.Module:
    """Train a network.

    Parameters
    ----------
    network
        On its device; changed in place.
    schedule
        Seed, steps and rates.
    step_loss
        What is to become small.
    checkpoint
        File that holds the state every 250 steps; where it is there already, training goes on from it.
    progress
        Told the step and its loss.

    Returns
    -------
    Module
        The mean of the weights, ready to predict.
    """
    mean = deepcopy(network)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, betas=schedule.betas
    )
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 1.0 if schedule.plain else _rate(step, schedule.iterations)
    )
    parts: _Parts = {"network": network, "mean": mean, "optimizer": optimizer, "schedule": rates}
    start, before = _resumed(checkpoint, parts)
    began = time.monotonic() - before
    kind = next(network.parameters()).device.type
    network.train()
    for step in range(start, schedule.iterations):
        torch.manual_seed(schedule.seed * 1_000_003 + step)  # dropout
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=schedule.bfloat16):
            loss = step_loss(network, step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if not schedule.plain:
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        rates.step()
        _averaged(mean, network, min(schedule.average, (1 + step) / (10 + step)) if schedule.average else 0.0)
        progress(step + 1, float(loss.detach()))
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == schedule.iterations:
            _keep(checkpoint, step + 1, time.monotonic() - began, parts)
    return mean.eval()


def took(checkpoint: Path) -> str:
    """How long a run took in all and on what, as a sentence; the time it stood still is not in it."""
    seconds = float(torch.load(checkpoint, weights_only=True)["seconds"])
    on = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"The steps took {seconds / 60.0:.0f} minutes on {on}."


def _averaged(mean: nn.Module, network: nn.Module, past: float) -> None:
    """Weights and the statistics of batch normalisation alike."""
    now = network.state_dict()
    with torch.no_grad():
        for name, value in mean.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(now[name], 1.0 - past)
            else:
                value.copy_(now[name])


def _rate(step: int, iterations: int) -> float:
    rising = max(1, iterations // 20)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - rising) / max(1, iterations - rising))))


def _resumed(checkpoint: Path, parts: _Parts) -> tuple[int, float]:
    """Steps that were done, and the seconds they took."""
    if not checkpoint.exists():
        return 0, 0.0
    state = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"]), float(state["seconds"])


def _keep(checkpoint: Path, step: int, seconds: float, parts: _Parts) -> None:
    partial = checkpoint.with_suffix(".partial")
    torch.save({"step": step, "seconds": seconds, **{name: part.state_dict() for name, part in parts.items()}}, partial)
    partial.replace(checkpoint)
