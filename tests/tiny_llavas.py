"""Tiny LLaVA checkpoints in each layout on disk: random weights, a byte-level tokenizer made of a few sentences."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from export_onnx.recipes.asked import Asked
from export_onnx.recipes.declaration import Declaration
from inference.manifests.identity import Licence

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

BEGIN, END, IMAGE = "<s>", "</s>", "<image>"
LESION = {"scheme": "SCT", "value": "52988006", "meaning": "Lesion"}
BLEEDING = {"scheme": "SCT", "value": "50960005", "meaning": "Hemorrhage"}
_SENTENCES = (
    "USER: Is there a lesion in the brain? ASSISTANT: Yes, there is a lesion in the left temporal lobe.",
    "[INST] Describe the image. [/INST] No haemorrhage, no oedema, the ventricles are normal.",
)
YES_NO = [{"text": " Yes", "present": True}, {"text": " No", "present": False}]

DECLARATION = Declaration(
    name="tiny-llava",
    version="1.0.0",
    title="Tiny",
    source="tests",
    licence=Licence(name="MIT", clinical_use="research"),
    training="real",
    made_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def asked(**changes: Any) -> Asked:
    """Two closed questions and one text about MR."""
    whole = {
        "inputs": {"modality": ["MR"]},
        "questions": [
            {"id": "lesion", "text": "Is there a lesion?", "options": YES_NO, "code": LESION},
            {"id": "bleeding", "text": "Is there a haemorrhage?", "options": YES_NO, "code": BLEEDING},
        ],
        "requests": [{"id": "report", "text": "Describe the image.", "max_tokens": 12}],
    }
    return Asked.model_validate({**whole, **changes})


def tokenizer() -> Tokenizer:
    """Byte-level, with marks of beginning and end and of the image."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<unk>", BEGIN, END, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(_SENTENCES, trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, made.token_to_id(BEGIN))]
    )
    return made


def model(kind: str = "mistral", heads: int = 4, **text: Any) -> Any:
    """Vision 64/128 with 4 blocks and 56 pixels; text 96/192 with 3 layers, 6 heads and 2 for keys; random weights."""
    made = tokenizer()
    described = {"mistral": transformers.MistralConfig, "llama": transformers.LlamaConfig}[kind]
    further = {"sliding_window": None} if kind == "mistral" else {}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=4,
            num_attention_heads=heads,
            image_size=56,
            patch_size=14,
        ),
        text_config=described(
            hidden_size=96,
            intermediate_size=192,
            num_hidden_layers=3,
            num_attention_heads=6,
            num_key_value_heads=2,
            head_dim=16,
            vocab_size=made.get_vocab_size(),
            max_position_embeddings=512,
            bos_token_id=made.token_to_id(BEGIN),
            eos_token_id=made.token_to_id(END),
            **further,
            **text,
        ),
        image_token_index=made.token_to_id(IMAGE),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    torch.manual_seed(0)
    network = transformers.LlavaForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if "norm" not in name:
                weights.add_(0.12 * torch.randn_like(weights))  # so that logits differ
    return network


def checkpoint(folder: Path, network: Any, layout: str = "new") -> Path:
    """Write a model.

    Parameters
    ----------
    layout
        "new": as transformers 5 writes it; "old": as it did before; "original": as LLaVA and LLaVA-Med do; "bin": as
        new, in a pickle of tensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer().to_str(), encoding="utf-8")
    path = folder / "model.safetensors"
    state = load_file(path)
    if layout == "bin":
        torch.save(state, folder / "pytorch_model.bin")
        path.unlink()
    if layout == "old":
        save_file({_before(name): tensor.clone() for name, tensor in state.items()}, path)
    if layout == "original":
        save_file({_original(name): tensor.clone() for name, tensor in state.items()}, path)
        config = json.loads((folder / "config.json").read_text())
        flat = {
            **config["text_config"],
            "architectures": ["LlavaMistralForCausalLM"],
            "model_type": "llava_mistral",
            "mm_projector_type": "mlp2x_gelu",
            "mm_vision_select_layer": -2,
            "mm_vision_select_feature": "patch",
        }
        (folder / "config.json").write_text(json.dumps(flat))
    return folder


def _before(name: str) -> str:
    return name.replace("vision_tower.", "vision_tower.vision_model.")


def _original(name: str) -> str:
    for old, new in (
        ("language_model.model.", "model."),
        ("language_model.lm_head.", "lm_head."),
        ("vision_tower.", "model.vision_tower.vision_tower.vision_model."),
        ("multi_modal_projector.linear_1.", "model.mm_projector.0."),
        ("multi_modal_projector.linear_2.", "model.mm_projector.2."),
    ):
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise AssertionError(name)
