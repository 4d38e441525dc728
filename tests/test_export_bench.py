"""Torch and ONNX Runtime are timed in turns over one input; the figures are summed up as they are."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from export_onnx import bench, bench_subjects, graphs, int8
from inference.catalogue import shipped_bundles_dir
from inference.evaluation.folders import cases
from inference.graph import Graph, Tensor
from tests import labelled_folders, tiny_bundles


def test_a_network_is_timed_in_both() -> None:
    shape = (None, 1, None, None)
    spec = Graph(
        role="segment",
        file="graphs/x.onnx",
        inputs=(Tensor(name="image", dtype="float32", shape=shape),),
        outputs=(Tensor(name="probability", dtype="float32", shape=shape),),
        activation="none",
    )
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.Sigmoid()).eval()
    subject = bench_subjects.Subject(
        name="x", network=network, spec=spec, given=(torch.rand(2, 1, 16, 16),), free_axes={"input": (0, 2, 3)}
    )
    made = bench.compared(subject, 1, 4)
    assert made.turns == 4
    assert made.torch_ms > 0
    assert made.onnx_ms > 0
    assert made.low <= made.ratio <= made.high


def test_the_extremes_of_the_turns_are_left_out() -> None:
    made = bench._summed_up("x", [(2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (50.0, 1.0), (0.1, 1.0)])
    assert (made.low, made.ratio, made.high) == (2.0, 3.0, 4.0)
    assert made.torch_ms == 3000.0


def test_int8_is_held_against_its_own_fp32_masks(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layers = [
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 4, 3, padding=1),
        torch.nn.ReLU(),
    ]
    network = torch.nn.Sequential(*layers, torch.nn.Conv2d(4, 1, 1), torch.nn.Sigmoid()).eval()
    image = torch.rand(2, 1, 16, 16)
    graph = graphs.exported(network, image, names=("image", "probability"), free_axes={"input": (0, 2, 3)})
    with torch.inference_mode():
        middle = float(network(image).median())
    segments = tiny_bundles.manifest()["segments"]
    window = [{"op": "window", "center": 127.5, "width": 255.0}]
    bundle = tiny_bundles.written(tmp_path, graph, preprocess=window, segments=[{**segments[0], "threshold": middle}])
    found = cases(labelled_folders.pairs(tmp_path / "data", patients=4))
    told = int8.trial(bundle, found[:4], found[4:], 1)
    assert told["n_cases"] == 4
    assert 0.8 < told["dice"] <= 1.0
    assert told["ratio"] > 0.0


def test_every_network_that_ships_has_a_subject() -> None:
    named = {subject.name.split()[0] for subject in bench_subjects.subjects()}
    assert named == {path.name.rpartition("-")[0] for path in shipped_bundles_dir.iterdir() if path.is_dir()}
