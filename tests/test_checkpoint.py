"""A checkpoint folder is read whole or refused in one sentence that names every fault; nothing in it is run."""

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

import torch
from safetensors.torch import save_file
from torch import Tensor

from export_onnx.checkpoint import SHOWN, Checkpoint, check_keys, check_shapes
from export_onnx.errors import CheckpointError

CONFIG = {"architectures": ["SomeNet"], "hidden_size": 2}


def tensors() -> dict[str, Tensor]:
    return {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.tensor([1.0, 2.0])}


def folder(path: Path, config: dict[str, Any] | None = None) -> Path:
    (path / "config.json").write_text(json.dumps(CONFIG if config is None else config))
    return path


def test_one_file_of_safetensors(tmp_path: Path) -> None:
    save_file(tensors(), folder(tmp_path) / "model.safetensors")
    read = Checkpoint.read(tmp_path)
    assert (read.architecture, read.config["hidden_size"]) == ("SomeNet", 2)
    assert list(read.tensors) == ["a.weight", "b.bias"]
    assert torch.equal(read.tensors["a.weight"], tensors()["a.weight"])
    hashes = {file.path: file.sha256 for file in read.files}
    assert hashes == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("config.json", "model.safetensors")
    }
    assert [file.path for file in read.hashed("config.json")] == ["config.json", "model.safetensors", "config.json"]


def test_shards_with_an_index(tmp_path: Path) -> None:
    folder(tmp_path)
    names = {}
    for number, (key, tensor) in enumerate(tensors().items()):
        names[key] = f"model-{number}.safetensors"
        save_file({key: tensor}, tmp_path / names[key])
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    read = Checkpoint.read(tmp_path)
    assert torch.equal(read.tensors["b.bias"], tensors()["b.bias"])
    assert len(read.files) == 4
    index.write_text(json.dumps({"weight_map": {**names, "c": names["b.bias"]}}))
    with pytest.raises(CheckpointError, match=r"1 missing \(c\)"):
        Checkpoint.read(tmp_path)
    index.write_text(json.dumps({"weight_map": {"a.weight": "../outside.safetensors"}}))
    with pytest.raises(CheckpointError, match="no file of the folder"):
        Checkpoint.read(tmp_path)


def test_a_bin_of_tensors_is_read_and_one_of_anything_else_is_not_run(tmp_path: Path) -> None:
    torch.save(tensors(), folder(tmp_path) / "pytorch_model.bin")
    assert torch.equal(Checkpoint.read(tmp_path).tensors["a.weight"], tensors()["a.weight"])

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    for data in (pickle.dumps({"a": Bomb()}), b"junk"):
        (tmp_path / "pytorch_model.bin").write_bytes(data)
        with pytest.raises(CheckpointError, match="holds more than tensors, or is damaged"):
            Checkpoint.read(tmp_path)
    torch.save({"a": Bomb()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        Checkpoint.read(tmp_path)
    assert not (tmp_path / "ran").exists()
    torch.save([torch.ones(1)], tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="not a dictionary of tensors"):
        Checkpoint.read(tmp_path)


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: No such file"):
        Checkpoint.read(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="not a JSON object"):
        Checkpoint.read(tmp_path)
    folder(tmp_path)
    with pytest.raises(CheckpointError, match=r"no weights; looked for model\.safetensors"):
        Checkpoint.read(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x08" + bytes(20))
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        Checkpoint.read(tmp_path)


@pytest.mark.parametrize("named", [None, [], ["A", "B"], "A"])
def test_an_architecture_is_exactly_one(tmp_path: Path, named: object) -> None:
    save_file(tensors(), folder(tmp_path, {"architectures": named}) / "model.safetensors")
    with pytest.raises(CheckpointError, match="one class is needed"):
        Checkpoint.read(tmp_path).require("SomeNet")


def test_another_architecture_and_code_of_its_own_are_refused(tmp_path: Path) -> None:
    save_file(tensors(), folder(tmp_path) / "model.safetensors")
    with pytest.raises(CheckpointError, match="architecture SomeNet, this recipe reads OtherNet"):
        Checkpoint.read(tmp_path).require("OtherNet")
    folder(tmp_path, {**CONFIG, "auto_map": {"AutoModel": "modeling.SomeNet"}})
    with pytest.raises(CheckpointError, match="auto_map asks for code of the checkpoint, which is not run"):
        Checkpoint.read(tmp_path).require("SomeNet")


def test_keys_are_compared_in_both_directions_and_all_named() -> None:
    check_keys(["a", "b"], ["b", "a"])
    with pytest.raises(CheckpointError) as caught:
        check_keys(["a", "x", "y"], ["a", "b"], "net")
    assert str(caught.value) == "net: the tensors are not those of the network: 1 missing (b); 2 unexpected (x, y)"
    with pytest.raises(CheckpointError, match="and 5 more"):
        check_keys([f"k{n:03}" for n in range(SHOWN + 5)], [])


def test_shapes_that_differ_are_named() -> None:
    check_shapes(tensors(), tensors())
    with pytest.raises(CheckpointError, match=r"1 shapes do not fit config\.json: b\.bias is \[3\], needed \[2\]"):
        check_shapes({**tensors(), "b.bias": torch.ones(3)}, tensors())
