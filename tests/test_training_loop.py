"""A stopped training goes on as if it had not been stopped; the mean of the weights is what it keeps."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch
from torch import Tensor, nn

from export_onnx.training import loop


def network() -> nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )


def step_loss(learning: nn.Module, step: int) -> Tensor:
    rng = torch.Generator().manual_seed(step)
    given = torch.randn(16, 4, generator=rng)
    loss: Tensor = ((learning(given)[:, 0] - given.sum(dim=1)) ** 2).mean()
    return loss


def schedule(iterations: int, average: float = 0.0) -> loop.Schedule:
    return loop.Schedule(seed=3, iterations=iterations, learning_rate=1e-2, average=average)


def test_a_stopped_run_ends_where_an_unbroken_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 5)
    whole = loop.train(network(), schedule(20, average=0.9), step_loss, tmp_path / "whole.pt", lambda *_: None)

    def stops(step: int, _: float) -> None:
        if step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(network(), schedule(20, average=0.9), step_loss, tmp_path / "broken.pt", stops)
    resumed: list[int] = []
    again = loop.train(
        network(), schedule(20, average=0.9), step_loss, tmp_path / "broken.pt", lambda step, _: resumed.append(step)
    )
    assert resumed[0] == 11
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_what_is_kept_is_the_mean_of_the_weights(tmp_path: Path) -> None:
    last = loop.train(network(), schedule(30), step_loss, tmp_path / "last.pt", lambda *_: None)
    mean = loop.train(network(), schedule(30, average=0.99), step_loss, tmp_path / "mean.pt", lambda *_: None)
    learnt = torch.load(tmp_path / "mean.pt", weights_only=True)["network"]
    assert torch.equal(last.state_dict()["0.weight"], learnt["0.weight"])
    assert not torch.equal(mean.state_dict()["0.weight"], learnt["0.weight"])
    assert not mean.training


def test_the_loss_becomes_small(tmp_path: Path) -> None:
    told: list[float] = []
    loop.train(network(), schedule(200), step_loss, tmp_path / "c.pt", lambda _, loss: told.append(loss))
    assert sum(told[-20:]) < 0.5 * sum(told[:20])


def test_it_says_how_long_it_took(tmp_path: Path) -> None:
    loop.train(network(), schedule(3), step_loss, tmp_path / "c.pt", lambda *_: None)
    assert loop.took(tmp_path / "c.pt").startswith("The steps took 0 minutes on ")
