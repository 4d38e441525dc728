"""What `export-onnx bert` refuses, each in one sentence, and what of older releases of transformers it still reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from export_onnx.__main__ import app
from export_onnx.checkpoint import Checkpoint
from export_onnx.recipes import bert
from tests import tiny_berts

State = dict[str, Tensor]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tiny_berts.checkpoint(tmp_path / "bert")


def refused(checkpoint: Path, *options: str) -> str:
    """What the command says; it writes nothing."""
    out = checkpoint.parent / "out"
    terms = ["--name", "b", "--source", "tests", "--licence", "MIT", "--training", "real"]
    done = CliRunner().invoke(app, ["bert", str(checkpoint), str(out), *terms, *options])
    assert done.exit_code == 1, done.output
    assert not out.exists()
    assert done.stderr.count("\n") == 1
    return done.stderr


def change_config(checkpoint: Path, **changes: Any) -> None:
    path = checkpoint / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_state(checkpoint: Path, change: Callable[[State], State]) -> None:
    path = checkpoint / "model.safetensors"
    save_file({name: tensor.clone() for name, tensor in change(load_file(path)).items()}, path)


def test_missing_and_unexpected_tensors_are_all_named(checkpoint: Path) -> None:
    def change(state: State) -> State:
        return {**{n: t for n, t in state.items() if not n.startswith("classifier.")}, "lora.A": torch.ones(1)}

    change_state(checkpoint, change)
    assert "2 missing (classifier.bias, classifier.weight); 1 unexpected (lora.A)" in refused(checkpoint)


def test_a_tensor_of_another_shape_is_named(checkpoint: Path) -> None:
    change_state(checkpoint, lambda state: {**state, "classifier.bias": torch.ones(5)})
    assert "classifier.bias is [5], needed [3]" in refused(checkpoint)


def test_another_architecture_is_named(checkpoint: Path) -> None:
    change_config(checkpoint, architectures=["RobertaForSequenceClassification"])
    said = refused(checkpoint)
    assert "RobertaForSequenceClassification, this recipe reads BertForSequenceClassification" in said


def test_a_pickle_is_not_run(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    (checkpoint / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/ran'\ntR.")
    assert "holds more than tensors, or is damaged; save it as safetensors" in refused(checkpoint)


def test_classes_that_are_not_one_of_many(checkpoint: Path) -> None:
    change_config(checkpoint, problem_type="multi_label_classification")
    assert "a report must be of exactly one class" in refused(checkpoint)


def test_codes_are_for_exactly_the_labels(checkpoint: Path) -> None:
    codes = checkpoint.parent / "codes.json"
    codes.write_text(json.dumps({"glioma": {}, "other": {}}))
    assert "missing: meningioma, no tumour; unknown: other" in refused(checkpoint, "--codes", str(codes))
    wrong = {"scheme": "SCT", "value": "52988006", "meaning": "Glioma"}
    codes.write_text(json.dumps(dict.fromkeys(tiny_berts.LABELS, wrong)))
    assert "(52988006, SCT) means Lesion, not Glioma" in refused(checkpoint, "--codes", str(codes))


def test_a_tokenizer_fits_the_network(checkpoint: Path) -> None:
    whole = (checkpoint / "tokenizer.json").read_text()
    (checkpoint / "tokenizer.json").write_text("{}")
    assert "tokenizer.json: not a tokenizer" in refused(checkpoint)
    made = json.loads(whole)
    made["model"]["vocab"]["zzz"] = 5000
    (checkpoint / "tokenizer.json").write_text(json.dumps(made))
    assert "the tokenizer has token 5000, the network knows" in refused(checkpoint)
    (checkpoint / "tokenizer.json").write_text(json.dumps({**json.loads(whole), "post_processor": None}))
    assert "does not mark beginning and end" in refused(checkpoint)
    (checkpoint / "tokenizer.json").unlink()
    assert "no tokenizer; looked for tokenizer.json and vocab.txt" in refused(checkpoint)
    (checkpoint / "vocab.txt").write_text("a\nb\n")
    assert "without [UNK], [CLS], [SEP]" in refused(checkpoint)
    (checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    assert "BertJapaneseTokenizer needs more than vocab.txt" in refused(checkpoint)


def test_more_tokens_than_positions(checkpoint: Path) -> None:
    assert "65 tokens asked for, the network has 64 positions" in refused(checkpoint, "--max-length", "65")


def test_a_bundle_that_cannot_be_is_said_in_one_sentence(checkpoint: Path) -> None:
    assert "version" in refused(checkpoint, "--version", "1")


def test_names_of_older_releases_are_read(checkpoint: Path) -> None:
    ids = torch.ones((1, 8), dtype=torch.int64)
    network, _ = bert.network_of(Checkpoint.read(checkpoint))

    def older(state: State) -> State:
        renamed = {n.replace("LayerNorm.weight", "LayerNorm.gamma"): t for n, t in state.items()}
        renamed = {n.replace("LayerNorm.bias", "LayerNorm.beta"): t for n, t in renamed.items()}
        return {**renamed, "bert.embeddings.position_ids": torch.arange(64)[None]}

    change_state(checkpoint, older)
    again, _ = bert.network_of(Checkpoint.read(checkpoint))
    with torch.inference_mode():
        assert torch.equal(network(ids, ids), again(ids, ids))
