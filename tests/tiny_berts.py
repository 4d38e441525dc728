"""Tiny BERT checkpoints as Hugging Face lays them out on disk, of random weights and a vocabulary made of sentences."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordPieceTrainer

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

LABELS = ("glioma", "meningioma", "no tumour")
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
REPORT = (
    "MRI of the head with contrast agent.\n"
    "A mass of 32 mm with ring enhancement lies in the left temporal lobe and is surrounded by oedema.\n"
    "The ventricles are not dilated. The midline is shifted to the right by 4 mm.\n"
    "Findings suggest a glioma of high grade; a metastasis is less likely."
)
"""Made up."""

_WORDS = (
    REPORT,
    "An extra-axial mass with a broad base on the dura enhances evenly, which suggests a meningioma.",
    "No mass, no bleeding, no sign of a recent infarct. Normal study of the brain for the age of the patient.",
)


def checkpoint(folder: Path, *, seed: int = 0, vocabulary_only: bool = False, **settings: Any) -> Path:
    """A checkpoint of random weights, 48/96 wide, two layers, with its tokenizer.

    Parameters
    ----------
    vocabulary_only
        vocab.txt instead of tokenizer.json.
    settings
        Further keys of the configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = tokens()
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
        **settings,
    )
    torch.manual_seed(seed)
    model = transformers.BertForSequenceClassification(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.15 * torch.randn_like(weights))  # so that logits differ from text to text
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64})
    )
    if not vocabulary_only:
        transformers.BertTokenizer.from_pretrained(folder).save_pretrained(folder)
        (folder / "vocab.txt").unlink(missing_ok=True)
    return folder


def tokens() -> list[str]:
    """A vocabulary of about 400 tokens, trained on the sentences."""
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.train_from_iterator(_WORDS, WordPieceTrainer(vocab_size=400, special_tokens=MARKS, show_progress=False))
    return [*MARKS, *sorted(set(tokenizer.get_vocab()) - set(MARKS))]  # the trainer's own order is not always the same


def probabilities(folder: Path, text: str) -> list[float]:
    """What transformers itself makes of a text, with its own tokenizer; the end of what is too long is cut off."""
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    given = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)
    with torch.inference_mode():
        found: list[float] = torch.softmax(model(**given).logits[0], dim=0).tolist()
    return found
