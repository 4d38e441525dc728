"""Tiny LaMed checkpoints as M3D lays them out on disk: random weights, a Llama behind a transformer over a volume."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from export_onnx.models.vit3d import VolumeSizes, VolumeVision
from tests import tiny_llavas

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

SIZES = VolumeSizes(volume=(4, 32, 32), patch=(2, 8, 8), width=64, inner=128, blocks=2, heads=1)
HIDDEN = 96


def models() -> tuple[VolumeVision, Any]:
    """The vision with its projector, and a LlamaForCausalLM; random weights."""
    made = tiny_llavas.tokenizer()
    config = transformers.LlamaConfig(
        hidden_size=HIDDEN,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=made.get_vocab_size(),
        max_position_embeddings=256,
        bos_token_id=made.token_to_id(tiny_llavas.BEGIN),
        eos_token_id=made.token_to_id(tiny_llavas.END),
    )
    torch.manual_seed(0)
    language = transformers.LlamaForCausalLM(config).eval()
    vision = VolumeVision(SIZES, HIDDEN).eval()
    with torch.no_grad():
        for name, weights in language.named_parameters():
            if "norm" not in name:
                weights.add_(0.12 * torch.randn_like(weights))  # so that logits differ
        for weights in vision.parameters():
            weights.copy_(0.15 * torch.randn_like(weights))
    return vision, language


def checkpoint(folder: Path, vision: VolumeVision, language: Any) -> Path:
    """With a segmentation part that nobody reads."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"model.{_in_file(name)}": tensor for name, tensor in vision.state_dict().items()}
    state |= dict(language.state_dict())
    state |= {"model.seg_projector.0.weight": torch.ones(2, 2)}
    save_file({name: tensor.clone() for name, tensor in state.items()}, folder / "model.safetensors")
    config = {
        **language.config.to_dict(),
        "architectures": ["LamedLlamaForCausalLM"],
        "model_type": "lamed_llama",
        "image_size": list(SIZES.volume),
        "patch_size": list(SIZES.patch),
        "mm_projector_type": "spp",
        "proj_layer_type": "mlp",
        "proj_layer_num": 2,
        "proj_pooling_type": "spatial",
        "proj_pooling_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(tiny_llavas.tokenizer().to_str(), encoding="utf-8")
    return folder


def _in_file(name: str) -> str:
    return f"vision_tower.{name}" if name.startswith("vision_tower.") else name


def adapter(folder: Path, language: Any, rank: int = 4, alpha: int = 8) -> dict[str, torch.Tensor]:
    """A LoRA adapter for two kinds of weights, written as PEFT does; what it adds to each, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none", "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    state: dict[str, torch.Tensor] = {}
    added: dict[str, torch.Tensor] = {}
    for name, weight in language.state_dict().items():
        if name.endswith(("q_proj.weight", "down_proj.weight")):
            stem = f"base_model.model.{name.removesuffix('.weight')}"
            down, up = 0.1 * torch.randn(rank, weight.shape[1]), 0.1 * torch.randn(weight.shape[0], rank)
            state |= {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up}
            added[name] = alpha / rank * (up @ down)
    save_file(state, folder / "adapter_model.safetensors")
    return added
