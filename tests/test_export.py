"""The workshop's way from nothing to a bundle that serves; a stopped training goes on as if it had not been."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

import torch
from torch import Tensor, nn

from export_onnx import graphs
from export_onnx.__main__ import app
from export_onnx.models.unet import Probabilities, UNet
from export_onnx.parity import TOLERANCE_FP32, ParityError, prove
from export_onnx.training.cohort import Case
from export_onnx.training.fit import Plan, fit
from inference.algorithms.segment import Segmenter
from inference.bundle import load
from inference.graph import Graph
from inference.parity import parity
from inference.session import Session
from inference.synthetic.head import synthetic_head
from tests.tiny_bundles import CPU, graph_of

SPEC = Graph.model_validate(graph_of([None, 3, None, None], [None, 1, None, None])[0])


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    whole = UNet(3, 1, (4, 8, 8))
    whole.train()
    whole(torch.rand(4, 3, 16, 16))  # batch norms that have seen something
    return Probabilities(whole).eval()


@pytest.fixture(scope="module")
def exported(network: nn.Module) -> bytes:
    return graphs.exported(
        network, torch.rand(2, 3, 16, 16), names=("image", "probability"), free_axes={"image": (0, 2, 3)}
    )


def test_the_graph_computes_what_the_network_computes_for_any_shape(network: nn.Module, exported: bytes) -> None:
    for shape in ((1, 3, 16, 16), (5, 3, 32, 48), (2, 3, 64, 16)):
        inputs = np.random.default_rng(1).random(shape, dtype=np.float32)
        proof = prove(network, exported, SPEC, inputs)
        assert proof.max_abs <= 1e-6 < TOLERANCE_FP32
        assert proof.expected["probability"].shape == (shape[0], 1, *shape[2:])


def test_a_graph_of_other_weights_has_no_proof(exported: bytes) -> None:
    torch.manual_seed(1)
    other = Probabilities(UNet(3, 1, (4, 8, 8))).eval()
    with torch.no_grad():
        for weights in other.parameters():
            weights.add_(0.5)
    with pytest.raises(ParityError, match="torch and ONNX Runtime differ by"):
        prove(other, exported, SPEC, np.random.default_rng(0).random((2, 3, 16, 16), dtype=np.float32))


def test_the_graph_says_nothing_of_the_machine_and_is_the_same_again(network: nn.Module, exported: bytes) -> None:
    for trace in (str(Path.cwd()), "site-packages", "unet.py", "forward"):
        assert trace.encode() not in exported
    again = graphs.exported(
        network, torch.rand(2, 3, 16, 16), names=("image", "probability"), free_axes={"image": (0, 2, 3)}
    )
    assert again == exported


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(1, 255, (6, 32, 32), dtype=np.uint8)
    truth = np.where(image > 200, 255, 0).astype(np.uint8)
    cases = [Case(seed=1, image=image, truth=truth)]

    def trained(folder: Path, *stops: int) -> dict[str, Tensor]:
        folder.mkdir()
        network: nn.Module = nn.Identity()
        for iterations in stops:
            torch.manual_seed(7)
            plan = Plan(seed=3, iterations=4, batch=2, crop=16, neighbours=1, learning_rate=1e-2)
            network = UNet(3, 1, (4, 8))

            def progress(step: int, _: float, last: int = iterations) -> None:
                if step > last:
                    raise KeyboardInterrupt

            try:
                fit(network, cases, plan, folder / "checkpoint.pt", progress)
            except KeyboardInterrupt:
                continue
        return network.state_dict()

    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("export_onnx.training.fit._CHECKPOINT_EVERY", 1)
        whole, in_parts = trained(tmp_path / "whole", 4), trained(tmp_path / "parts", 2, 4)
    for name, weights in whole.items():
        assert torch.equal(weights, in_parts[name]), name


@pytest.mark.slow
def test_the_quick_training_ends_in_a_bundle_that_serves(tmp_path: Path) -> None:
    arguments = ["train", "lesion-segmenter", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--quick", "--threads", "1", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    bundle = load(Path(said["path"]))
    assert said["digest"] == bundle.digest
    assert {part["name"] for part in said["subsets"]} <= {"synthetic-with-lesion", "synthetic-healthy", "all"}
    assert json.loads((bundle.path / "metrics.json").read_text())["digest"] == bundle.digest
    assert bundle.digest in (bundle.path / "MODEL_CARD.md").read_text()
    spec = bundle.manifest.graph("segment")
    assert parity(bundle, spec, Session(bundle.read(spec.file), spec, CPU)).agrees
    head = synthetic_head(5, lesions=1, spacing_mm=(4.0, 2.0, 2.0))
    found = Segmenter.opened(bundle, CPU).read(head.image)
    assert found.segments[0].mask.shape == head.brain.shape
