"""Tiny CLIP checkpoints as Hugging Face lays them out on disk: random weights, a vocabulary made of the prompts."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.recipes.declaration import Declaration
from inference.manifests.identity import Licence

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

VOCABULARY = 512
BEGIN, END = "<|startoftext|>", "<|endoftext|>"

DECLARATION = Declaration(
    name="tiny-clip",
    version="1.0.0",
    title="Tiny",
    source="tests",
    licence=Licence(name="MIT", clinical_use="research"),
    training="real",
    made_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def checkpoint(folder: Path, *, depth: int = 24, safe: bool = True, **vision: Any) -> Path:
    """A checkpoint of random weights: vision 64/128, text 48/96 with 3 layers, joint 48, image 112, patch 14.

    Parameters
    ----------
    depth
        Blocks of the vision tower.
    safe
        safetensors; else one .bin.
    vision
        Further keys of the vision tower's configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = transformers.CLIPConfig(
        text_config={
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 77,
            "bos_token_id": VOCABULARY - 2,
            "eos_token_id": VOCABULARY - 1,
            "pad_token_id": VOCABULARY - 1,
        },
        vision_config={
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": depth,
            "num_attention_heads": 4,
            "image_size": 112,
            "patch_size": 14,
            **vision,
        },
        projection_dim=48,
    )
    torch.manual_seed(0)
    model = transformers.CLIPModel(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name != "logit_scale":
                weights.add_(0.08 * torch.randn_like(weights))  # so that patches and texts differ
    model.save_pretrained(folder)
    if not safe:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    _write_tokenizer(folder)
    return folder


def _write_tokenizer(folder: Path) -> None:
    """vocab.json and merges.txt, as OpenAI's checkpoints have them."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - 2, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator([*PROMPTS.normal, *PROMPTS.abnormal], trainer)
    assert tokenizer.get_vocab_size() <= VOCABULARY - 2
    tokenizer.model.save(str(folder))
    text = (folder / "vocab.json").read_text(encoding="utf-8")
    marks = f'"{BEGIN}":{VOCABULARY - 2},"{END}":{VOCABULARY - 1}'
    (folder / "vocab.json").write_text(f"{text[:-1]},{marks}}}", encoding="utf-8")
