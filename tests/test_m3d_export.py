"""A LaMed folder as a bundle: features as torch's own transformer makes them, tokens as transformers, LoRA merged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from highdicom import Volume
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.errors import CheckpointError
from export_onnx.models.vit3d import VolumeVision
from export_onnx.recipes import m3d
from inference.algorithms import Runtime
from inference.algorithms.volume_report import VolumeReport
from inference.bundle import Bundle
from inference.catalogue import open_reader
from inference.image import Image
from inference.language.conversation import Conversation
from inference.manifests.talk import VolumeReportManifest
from inference.parity import opened
from tests import tiny_lameds
from tests.tiny_lameds import SIZES
from tests.tiny_llavas import DECLARATION, asked, tokenizer

CPU = Runtime(providers=("cpu",), threads=1)
QUESTION = "Describe the image."


@pytest.fixture(scope="module")
def parts() -> tuple[VolumeVision, Any]:
    return tiny_lameds.models()


@pytest.fixture(scope="module")
def exported(parts: tuple[VolumeVision, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Any]:
    """With an adapter merged in, and the Llama that has it too."""
    vision, language = parts
    folder = tmp_path_factory.mktemp("m3d")
    checkpoint = tiny_lameds.checkpoint(folder / "lamed", vision, language)
    added = tiny_lameds.adapter(folder / "lora", language)
    made = m3d.export(checkpoint, folder / "out", DECLARATION, asked(), folder / "lora")
    with torch.no_grad():
        for name, weight in language.named_parameters():
            if name in added:
                weight.add_(added[name])
    return made, language


def volume() -> Tensor:
    return torch.from_numpy(np.random.default_rng(3).random((1, 1, *SIZES.volume), dtype=np.float32))


def as_torch_makes_them(vision: VolumeVision, images: Tensor) -> Tensor:
    """Features by torch's own layers: a convolution for patches, TransformerEncoderLayer for blocks."""
    state = vision.state_dict()
    stem = "vision_tower.patch_embedding."
    kernel = state[f"{stem}patch_embeddings.1.weight"].reshape(SIZES.width, 1, *SIZES.patch)
    patches = functional.conv3d(images, kernel, state[f"{stem}patch_embeddings.1.bias"], stride=SIZES.patch)
    tokens = patches.flatten(2).transpose(1, 2) + state[f"{stem}position_embeddings"]
    tokens = torch.cat([state["vision_tower.cls_token"].expand(len(tokens), -1, -1), tokens], dim=1)
    for number in range(SIZES.blocks):
        part = {
            name.removeprefix(f"vision_tower.blocks.{number}."): tensor
            for name, tensor in state.items()
            if name.startswith(f"vision_tower.blocks.{number}.")
        }
        layer = nn.TransformerEncoderLayer(
            SIZES.width, SIZES.heads, SIZES.inner, 0.0, "gelu", batch_first=True, norm_first=True
        ).eval()
        layer.load_state_dict(
            {
                "self_attn.in_proj_weight": part["attn.qkv.weight"],
                "self_attn.in_proj_bias": torch.zeros(3 * SIZES.width),
                "self_attn.out_proj.weight": part["attn.out_proj.weight"],
                "self_attn.out_proj.bias": part["attn.out_proj.bias"],
                **{name.removeprefix("mlp."): tensor for name, tensor in part.items() if name.startswith("mlp.")},
                **{name: tensor for name, tensor in part.items() if name.startswith("norm")},
            }
        )
        tokens = layer(tokens)
    norm = state["vision_tower.norm.weight"], state["vision_tower.norm.bias"]
    tokens = functional.layer_norm(tokens, (SIZES.width,), *norm)[:, 1:]
    pooled = tokens.reshape(-1, 1, 2, 2, 2, 2, 2, SIZES.width).mean(dim=(2, 4, 6)).reshape(-1, 4, SIZES.width)
    return torch.as_tensor(vision.mm_projector["projector"](pooled))


def test_features_are_those_of_torchs_own_layers(exported: tuple[Bundle, Any], parts: tuple[VolumeVision, Any]) -> None:
    bundle, _ = exported
    spec = bundle.manifest.graph("vision")
    features = opened(bundle, spec, CPU).run({"volume": volume().numpy()})["image_features"]
    with torch.inference_mode():
        theirs = as_torch_makes_them(parts[0], volume())
    assert tuple(features.shape) == tuple(theirs.shape)
    assert np.abs(features - theirs.numpy()).max() <= 1e-4


def test_64_tokens_are_those_of_transformers_with_the_adapter(
    exported: tuple[Bundle, Any], parts: tuple[VolumeVision, Any]
) -> None:
    bundle, language = exported
    manifest = bundle.manifest
    assert isinstance(manifest, VolumeReportManifest)
    with torch.inference_mode():
        features = parts[0](volume())
        words = tokenizer().encode(QUESTION, add_special_tokens=False).ids
        first, rest = (language.get_input_embeddings()(torch.tensor([ids])) for ids in ([1], words))
        given = torch.cat([first, features, rest], dim=1)
        theirs = language.generate(
            inputs_embeds=given,
            attention_mask=torch.ones(given.shape[:2], dtype=torch.int64),
            max_new_tokens=64,
            do_sample=False,
            eos_token_id=[2],
            pad_token_id=0,
        )[0].tolist()
    conversation = Conversation.opened(bundle, manifest, CPU)
    tokens = conversation.written(conversation.looked_at(features[0].numpy()), QUESTION, 64).tokens
    assert len(theirs) == 64
    assert tokens == tuple(theirs)
    assert len(set(tokens)) > 8
    assert {file.path for file in manifest.source_checkpoint.files} >= {"adapter/adapter_model.safetensors"}


def test_a_volume_is_read(exported: tuple[Bundle, Any]) -> None:
    bundle, _ = exported
    reader = open_reader("tiny-llava", bundle.path.parent, CPU)
    assert isinstance(reader, VolumeReport)
    array = np.random.default_rng(0).random((6, 40, 36), dtype=np.float32)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]]
    given = Volume(array, affine, coordinate_system="PATIENT", frame_of_reference_uid="2.25.7")
    found = reader.read(Image(volume=given, modality="MR", weighting="T1"))
    assert [m.code.value for m in found.measurements] == ["lesion-probability", "bleeding-probability"]
    assert all(f.laterality is None and not f.measurements for f in found.findings)
    assert {f.label for f in found.findings} == {
        asked.id
        for asked, m in zip(bundle.manifest.questions, found.measurements, strict=True)  # type: ignore[union-attr]
        if m.value >= 50.0
    }
    assert any(s.text.startswith("A language model wrote about the volume") for s in found.narrative.sentences)
    assert any(s.draft is not None for s in found.narrative.sentences)
    assert all(s.draft is None or s.draft.verdict == "unsupported" for s in found.narrative.sentences)
    assert reader.read(Image(volume=given, modality="MR", weighting="T1")) == found


def test_every_key_is_accounted_for(parts: tuple[VolumeVision, Any], tmp_path: Path) -> None:
    folder = tiny_lameds.checkpoint(tmp_path / "lamed", *parts)
    path = folder / "model.safetensors"
    state = load_file(path)
    lost = "model.vision_tower.vision_tower.norm.bias"
    save_file({**{n: t for n, t in state.items() if n != lost}, "more": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match=r"1 missing \(vision_tower.norm.bias\); 1 unexpected \(more\)"):
        m3d.export(folder, tmp_path / "out", DECLARATION, asked())


def test_an_adapter_that_does_not_fit_is_refused(parts: tuple[VolumeVision, Any], tmp_path: Path) -> None:
    folder, lora = tiny_lameds.checkpoint(tmp_path / "lamed", *parts), tmp_path / "lora"
    tiny_lameds.adapter(lora, parts[1])
    settings = json.loads((lora / "adapter_config.json").read_text())
    (lora / "adapter_config.json").write_text(json.dumps({**settings, "use_dora": True}))
    with pytest.raises(CheckpointError, match="use_dora is not what can be merged"):
        m3d.export(folder, tmp_path / "out", DECLARATION, asked(), lora)
    (lora / "adapter_config.json").write_text(json.dumps(settings))
    stem = "base_model.model.model.layers.9.self_attn.q_proj"
    save_file({f"{stem}.lora_{p}.weight": torch.ones(4, 4) for p in "AB"}, lora / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match="is no pair for a weight of the checkpoint"):
        m3d.export(folder, tmp_path / "out", DECLARATION, asked(), lora)
