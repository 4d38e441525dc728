"""What the localiser's text tower reads while it learns: prompts, a caption for each slice, and their words as numbers.

A caption is made of the label and of where the mask lies in the picture as the network sees it, mirrored or not, so
that left stays left.
"""

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor

from export_onnx.training.localiser_fit import Tokens

_UNKNOWN, _FILLING = "[UNK]", "[PAD]"
_LARGE, _SMALL = 0.025, 0.008  # of the picture
_LEAST_PIXELS = 4


def tokenizer_of(texts: Iterable[str]) -> Tokenizer:
    """One number for each word of the texts, lower case; further words are all one."""
    splits = pre_tokenizers.Whitespace()
    words = sorted({word for text in texts for word, _ in splits.pre_tokenize_str(text.lower())})
    numbers = {word: number for number, word in enumerate([_FILLING, _UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = splits
    return tokenizer


def tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> Tokens:
    """Texts as numbers, filled up to the longest."""
    found = [tokenizer.encode(text).ids for text in texts]
    ids = torch.zeros(len(found), max(len(row) for row in found), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(found):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return Tokens(input_ids=ids, attention_mask=mask)


def captions(tokenizer: Tokenizer, truth: Tensor, labels: Sequence[str]) -> tuple[Tokens, list[int]]:
    """Different captions of a batch, and which of them each slice has.

    Parameters
    ----------
    truth
        (batch, 1, row, column), float32 in [0, 1], as the network sees the slices.
    labels
        Of each slice, "" where it shows no tumour.
    """
    each = [caption(mask[0], label) for mask, label in zip(truth, labels, strict=True)]
    different = sorted(set(each))
    return tokens(tokenizer, different), [different.index(text) for text in each]


def caption(mask: Tensor, label: str) -> str:
    """A slice in words: (row, column) in [0, 1], and the kind of tumour or ""."""
    rows, columns = torch.nonzero(mask >= 0.5, as_tuple=True)
    if not label or len(rows) < _LEAST_PIXELS:
        return "a brain slice without tumour"
    share = len(rows) / mask.numel()
    size = "large" if share >= _LARGE else "small" if share < _SMALL else "medium"
    height = _third(float(rows.float().mean()) / mask.shape[0], ("upper", "middle", "lower"))
    side = _third(float(columns.float().mean()) / mask.shape[1], ("left", "central", "right"))
    return f"a brain slice with a {size} {label} in the {height} {side} part of the picture"


def every_caption(labels: Iterable[str]) -> list[str]:
    """All captions there can be, for the tokenizer."""
    told = [
        f"a brain slice with a {size} {label} in the {height} {side} part of the picture"
        for label in sorted(set(labels) - {""})
        for size in ("small", "medium", "large")
        for height in ("upper", "middle", "lower")
        for side in ("left", "central", "right")
    ]
    return ["a brain slice without tumour", *told]


def _third(place: float, names: tuple[str, str, str]) -> str:
    return names[min(2, int(3.0 * place))]
