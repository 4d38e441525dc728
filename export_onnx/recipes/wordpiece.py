"""The tokenizer of a BERT checkpoint as one tokenizer.json: the checkpoint's own, or made from its vocab.txt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

from export_onnx.checkpoint import json_object
from export_onnx.errors import CheckpointError
from inference.errors import BundleError
from inference.language.tokenizer import read_tokenizer

WHOLE, VOCABULARY, SETTINGS = "tokenizer.json", "vocab.txt", "tokenizer_config.json"
UNKNOWN, BEGIN, END, PAD, MASK = "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"

_CLASSES = (None, "BertTokenizer", "BertTokenizerFast")


def tokenizer_of(folder: Path, vocabulary_size: int) -> tuple[str, tuple[str, ...]]:
    """Read or make the tokenizer.

    Parameters
    ----------
    folder
        The checkpoint.
    vocabulary_size
        Tokens that the network knows.

    Returns
    -------
    tuple
        tokenizer.json as text, and the files it comes from.

    Raises
    ------
    CheckpointError
        If there is none, it cannot be read, it is of a class that vocab.txt alone does not describe, it names tokens
        that the network does not know, or it does not mark beginning and end.
    """
    settings = json_object(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    if (folder / WHOLE).is_file():
        made, used = _read(folder / WHOLE), (WHOLE,)
    elif (folder / VOCABULARY).is_file():
        made = _from_vocabulary(folder / VOCABULARY, settings)
        used = (VOCABULARY, *((SETTINGS,) if settings else ()))
    else:
        raise CheckpointError(f"{folder.name}: no tokenizer; looked for {WHOLE} and {VOCABULARY}")
    highest = max(made.get_vocab(with_added_tokens=True).values())
    if highest >= vocabulary_size:
        raise CheckpointError(f"{folder.name}: the tokenizer has token {highest}, the network knows {vocabulary_size}")
    if len(made.encode("").ids) != 2:  # one at the beginning, one at the end
        raise CheckpointError(f"{folder.name}: the tokenizer does not mark beginning and end of a text")
    return made.to_str(), used


def longest(folder: Path) -> int | None:
    """Most tokens that the tokenizer's settings allow; None where they do not say."""
    settings = json_object(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    found = settings.get("model_max_length")
    return found if isinstance(found, int) and 0 < found < 2**31 else None  # "no limit" is written as 10^30


def _read(path: Path) -> Tokenizer:
    try:
        return read_tokenizer(path.read_bytes(), f"{path.parent.name}/{path.name}")
    except BundleError as error:
        raise CheckpointError(str(error)) from error


def _from_vocabulary(path: Path, settings: Mapping[str, Any]) -> Tokenizer:
    """As `BertTokenizer` of transformers makes it from the same files."""
    kind = settings.get("tokenizer_class")
    if kind not in _CLASSES:
        raise CheckpointError(
            f"{path.parent.name}: tokenizer {kind} needs more than {VOCABULARY}; give its {WHOLE} instead"
        )
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except ValueError as error:
        raise CheckpointError(f"{path.parent.name}/{path.name}: not UTF-8") from error
    tokens = {line.rstrip("\r"): number for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines)}
    missing = [mark for mark in (UNKNOWN, BEGIN, END) if mark not in tokens]
    if missing:
        raise CheckpointError(f"{path.parent.name}/{path.name}: without {', '.join(missing)}")
    made = Tokenizer(WordPiece(tokens, unk_token=UNKNOWN))
    made.add_special_tokens([mark for mark in (UNKNOWN, BEGIN, END, PAD, MASK) if mark in tokens])
    made.normalizer = BertNormalizer(
        lowercase=bool(settings.get("do_lower_case", True)),
        strip_accents=settings.get("strip_accents"),
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
    )
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = BertProcessing((END, tokens[END]), (BEGIN, tokens[BEGIN]))
    return made
