"""A LLaVA folder in any layout as a bundle: the same features and the same 64 tokens as transformers, key by key."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from safetensors.torch import load_file, save_file

from export_onnx.checkpoint import Checkpoint
from export_onnx.errors import CheckpointError
from export_onnx.models.decoder import one_layer_at_a_time
from export_onnx.recipes import llava
from export_onnx.recipes.llava_weights import llava_of
from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.language.conversation import Conversation
from inference.language.decoder import Decoder
from inference.manifests.talk import DialogueManifest
from inference.parity import opened
from tests import tiny_llavas
from tests.tiny_llavas import DECLARATION, asked

CPU = Runtime(providers=("cpu",), threads=1)
QUESTION = "Describe the image."


def pixels() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(1).standard_normal((1, 3, 56, 56), dtype=np.float32)


def said(bundle: Bundle, count: int = 64) -> tuple[tuple[int, ...], np.ndarray[Any, Any]]:
    """The tokens that the bundle writes about an image, and the image's features."""
    manifest = bundle.manifest
    assert isinstance(manifest, DialogueManifest)
    features = opened(bundle, manifest.graph("vision"), CPU).run({"pixel_values": pixels()})["image_features"]
    conversation = Conversation.opened(bundle, manifest, CPU)
    seen = conversation.looked_at(features[0].astype(np.float32))
    return conversation.written(seen, QUESTION, count).tokens, features


def of_transformers(network: Any, before: str, after: str, *, apart: bool, count: int = 64) -> tuple[int, ...]:
    """The tokens that transformers writes, from the same texts around the image."""
    tokenizer = tiny_llavas.tokenizer()
    image = [int(tokenizer.token_to_id(tiny_llavas.IMAGE) or 0)]
    if apart:
        ids = [*tokenizer.encode(before).ids, *image * 16, *tokenizer.encode(after, add_special_tokens=False).ids]
    else:
        ids = tokenizer.encode(before + tiny_llavas.IMAGE * 16 + after).ids
    with torch.inference_mode():
        made = network.generate(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.int64),
            pixel_values=torch.from_numpy(pixels()),
            max_new_tokens=count,
            do_sample=False,
            eos_token_id=[2],
            pad_token_id=0,
        )[0].tolist()
    return tuple(made[len(ids) :] if made[: len(ids)] == ids else made)


@pytest.fixture(scope="module")
def network() -> Any:
    return tiny_llavas.model("mistral", heads=1)


@pytest.fixture(scope="module")
def bundle(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("llava")
    return llava.export(tiny_llavas.checkpoint(folder / "new", network), folder / "out", DECLARATION, asked())


def same_as_transformers(bundle: Bundle, network: Any, *, apart: bool) -> None:
    tokens, features = said(bundle)
    with torch.inference_mode():
        theirs = network.get_image_features(pixel_values=torch.from_numpy(pixels())).pooler_output
    assert np.abs(features[0] - theirs[0].numpy()).max() <= 1e-4
    chat = bundle.manifest.chat  # type: ignore[union-attr]
    expected = of_transformers(network, chat.before, chat.after.replace("{question}", QUESTION), apart=apart)
    assert len(expected) == 64
    assert tokens == expected
    assert len(set(tokens)) > 8  # a text that repeats one token would prove little


def test_64_tokens_are_those_of_transformers(bundle: Bundle, network: Any) -> None:
    same_as_transformers(bundle, network, apart=False)


def test_64_tokens_of_the_layout_of_llava_med(network: Any, tmp_path: Path) -> None:
    folder = tiny_llavas.checkpoint(tmp_path / "llava", network, "original")
    same_as_transformers(llava.export(folder, tmp_path / "out", DECLARATION, asked()), network, apart=True)


@pytest.mark.parametrize("layout", ["old", "original", "bin"])
def test_every_layout_holds_the_same_tensors(network: Any, tmp_path: Path, layout: str) -> None:
    one, other = (
        llava_of(Checkpoint.read(tiny_llavas.checkpoint(tmp_path / name, network, name)), None)
        for name in ("new", layout)
    )
    for name in one.vision.state_dict():
        assert torch.equal(one.tensors(name), other.tensors(name))
    for name in one.language.decoder.state_dict():
        assert torch.equal(one.language.weights(name), other.language.weights(name))


ROPES = {
    "linear": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
}


@pytest.mark.parametrize("rope", sorted(ROPES))
def test_a_llama_with_scaled_positions(tmp_path: Path, rope: str) -> None:
    network = tiny_llavas.model("llama", rope_parameters=ROPES[rope])
    folder = tiny_llavas.checkpoint(tmp_path / "llava", network)
    language = llava_of(Checkpoint.read(folder), None).language
    embeddings = torch.randn(1, 200, 96)
    past = [torch.empty(1, 2, 0, 16)] * 6
    with torch.inference_mode():
        theirs = network(inputs_embeds=embeddings).logits
        run = one_layer_at_a_time(language.decoder, language.weights)
        ours = run(embeddings, torch.ones(1, 200, dtype=torch.int64), torch.arange(200)[None], *past)[0]
    assert (ours - theirs).abs().max() <= 1e-4


def test_read_in_parts_is_read_whole(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert isinstance(manifest, DialogueManifest)
    spec = manifest.graph("decoder")
    table = np.load(bundle.path / manifest.table)
    decoder = Decoder(opened(bundle, spec, CPU), spec, table, manifest.max_tokens)
    embeddings = decoder.embedded(tuple(range(5, 45)))
    whole = decoder.read(embeddings, decoder.empty)
    first = decoder.read(embeddings[:17], decoder.empty)
    rest = decoder.read(embeddings[17:39], first.cache)
    last = decoder.read(embeddings[39:], rest.cache)
    parts = np.concatenate([first.logits, rest.logits, last.logits])
    assert np.abs(parts - whole.logits).max() <= 1e-4
    again = decoder.read(embeddings[17:39], whole.cache.until(17))
    assert np.abs(again.logits - rest.logits).max() <= 1e-4


def test_every_key_is_accounted_for(tmp_path: Path) -> None:
    folder = tiny_llavas.checkpoint(tmp_path / "llava", tiny_llavas.model())
    path = folder / "model.safetensors"
    state = load_file(path)
    lost = "language_model.model.layers.1.mlp.up_proj.weight"
    save_file({**{n: t for n, t in state.items() if n != lost}, "lora.A": torch.ones(1)}, path)
    with pytest.raises(
        CheckpointError, match=r"1 missing \(text.layers.1.mlp.up_proj.weight\); 1 unexpected \(lora.A\)"
    ):
        llava.export(folder, tmp_path / "out", DECLARATION, asked())
    save_file({**state, lost: torch.ones(3, 3)}, path)
    with pytest.raises(CheckpointError, match=r"up_proj.weight is \[3, 3\], needed \[192, 96\]"):
        llava.export(folder, tmp_path / "out", DECLARATION, asked())
    assert not (tmp_path / "out").exists()


def test_the_same_export_gives_the_same_bundle(bundle: Bundle, network: Any, tmp_path: Path) -> None:
    folder = tiny_llavas.checkpoint(tmp_path / "llava", network)
    assert llava.export(folder, tmp_path / "out", DECLARATION, asked()).digest == bundle.digest
