"""Weights beside the graph: written one tensor after the other, so that a checkpoint is never in memory whole."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch
from torch import Tensor, nn

from export_onnx import streamed
from inference.algorithms import Runtime
from inference.graph import Graph
from inference.session import Session


class Line(nn.Module):
    """values @ weight + bias."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3, 5))
        self.bias = nn.Parameter(torch.empty(5))

    def forward(self, values: Tensor) -> Tensor:
        return values @ self.weight + self.bias


def written(folder: Path, weights: dict[str, Tensor]) -> Path:
    with torch.device("meta"):
        network, example = Line().eval(), torch.empty(2, 3)
    target = folder / "line.onnx"
    streamed.exported(
        network, [example], weights.__getitem__, target, names=(["values"], ["made"]), free_axes={"values": (0,)}
    )
    return target


def test_weights_lie_beside_the_graph_on_pages_of_their_own(tmp_path: Path) -> None:
    weights = {"weight": torch.randn(3, 5).half(), "bias": torch.randn(5)}
    target = written(tmp_path, weights)
    places = {
        stored.name: {entry.key: entry.value for entry in stored.external_data}
        for stored in onnx.load(target, load_external_data=False).graph.initializer
        if stored.external_data
    }
    assert set(places) == {"weight", "bias"}
    assert {place["location"] for place in places.values()} == {"line.onnx.data"}
    assert sorted(int(place["offset"]) for place in places.values()) == [0, 4096]
    spec = Graph.model_validate(
        {
            "role": "vision",
            "file": "line.onnx",
            "data": "line.onnx.data",
            "inputs": [{"name": "values", "dtype": "float32", "shape": (None, 3)}],
            "outputs": [{"name": "made", "dtype": "float32", "shape": (None, 5)}],
            "activation": "none",
        }
    )
    values = np.random.default_rng(0).random((7, 3), dtype=np.float32)
    made = Session(target, spec, Runtime(threads=1)).run({"values": values})["made"]
    assert np.allclose(made, values @ weights["weight"].float().numpy() + weights["bias"].numpy(), atol=1e-6)


def test_a_tensor_of_another_shape_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"weight is \[5, 3\], needed \[3, 5\]"):
        written(tmp_path, {"weight": torch.zeros(5, 3), "bias": torch.zeros(5)})


_PEAK = """
import json, sys, threading, time
from pathlib import Path
import torch
from safetensors.torch import save_file
from export_onnx.checkpoint import Checkpoint
from export_onnx.recipes.language_weights import Language
from export_onnx.recipes import talk

folder, depth = Path(sys.argv[1]), int(sys.argv[2])
config = {"architectures": ["X"], "model_type": "llama", "hidden_size": 1024, "intermediate_size": 4096,
          "num_hidden_layers": depth, "num_attention_heads": 8, "vocab_size": 4096}
def language(checkpoint):
    return Language.of(config, "llama", lambda name: checkpoint.tensors[name], "x")
if sys.argv[3] == "make":
    shards = {}
    for number, (name, shape) in enumerate(language(None).shapes.items()):
        shards[name] = f"model-{number:05d}.safetensors"
        save_file({name: (0.02 * torch.randn(shape)).half()}, folder / shards[name])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "config.json").write_text(json.dumps(config))
else:
    # pages that are mapped from files are not counted: the kernel takes them back when it needs room
    seen = [0]
    def watch():
        while True:
            lines = Path("/proc/self/status").read_text().splitlines()
            seen[0] = max(seen[0], *(int(line.split()[1]) for line in lines if line.startswith("RssAnon")))
            time.sleep(0.005)
    threading.Thread(target=watch, daemon=True).start()
    made = language(Checkpoint.read(folder))
    graph = talk.decoder_spec(made)
    proof = talk.proven_decoder(made, folder / "out" / "decoder.onnx", graph)
    made.write_table(folder / "out" / "embed.npy")
    print(json.dumps(seen[0] * 1024))
"""


def peak(folder: Path, depth: int) -> tuple[int, int]:
    """Most memory of its own that export and proof of so many layers took, and size of the checkpoint, bytes."""
    folder.mkdir()
    command = [sys.executable, "-c", _PEAK, str(folder), str(depth)]
    subprocess.run([*command, "make"], check=True, capture_output=True, timeout=250)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    done = subprocess.run([*command, "export"], check=True, capture_output=True, text=True, timeout=250)
    return json.loads(done.stdout.splitlines()[-1]), size


@pytest.mark.slow
def test_a_checkpoint_is_never_in_memory_whole(tmp_path: Path) -> None:
    """What more layers take, their share of the graph included, is a small part of what they weigh."""
    least, small = peak(tmp_path / "shallow", 2)
    most, size = peak(tmp_path / "deep", 12)
    assert size - small > 300e6
    told = f"{(most - least) / 1e6:.0f} MB more for {(size - small) / 1e6:.0f} MB more of weights"
    print(told)  # noqa: T201  # for whoever runs it by hand
    assert most - least < (size - small) / 2, told
