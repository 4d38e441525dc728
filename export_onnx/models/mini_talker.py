"""A small network that looks and speaks, as it learns: what it sees is read once, and each text goes on from there."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from export_onnx.models.decoder import Decoder, DecoderSizes
from export_onnx.models.mini_vision import MiniSizes, MiniVision

THETA = 10000.0
"""Base of the rotary positions."""


class Texts(NamedTuple):
    """Texts of a batch, as many of each image.

    Attributes
    ----------
    before
        (token,), int64: what stands before every image.
    tokens
        (image, text, token), int64: question, answer and mark of the end, filled up behind.
    answers
        (image, text, token), bool: which of them the network has to write.
    weights
        (image, text), float32: how much a text counts.
    """

    before: Tensor
    tokens: Tensor
    answers: Tensor
    weights: Tensor


class MiniTalker(nn.Module):
    """Vision, table of tokens and decoder together.

    Parameters
    ----------
    sizes, decoder
        Of its parts.
    """

    def __init__(self, sizes: MiniSizes, decoder: DecoderSizes) -> None:
        super().__init__()
        self.vision = MiniVision(sizes, decoder.hidden)
        self.embed_tokens = nn.Embedding(decoder.vocabulary, decoder.hidden)
        self.decoder = Decoder(decoder)
        _begin(self)

    def forward(self, image: Tensor, texts: Texts) -> tuple[Tensor, Tensor]:
        """Loss of the answers, and logits of the marks (image, kind, ...) on the cells of the marked stage."""
        features, marks = self.vision.looked_at(image)
        return self._loss(features, texts), marks

    def _loss(self, features: Tensor, texts: Texts) -> Tensor:
        """Cross entropy of the tokens of answers: the mean over each text, then over texts by their weights."""
        images, count = texts.tokens.shape[:2]
        before = self.embed_tokens(texts.before).expand(images, -1, -1)
        cache = self._read(torch.cat([before, features], dim=1), None)[1:]
        past = [part.repeat_interleave(count, dim=0) for part in cache]
        tokens = texts.tokens.flatten(0, 1)
        logits = self._read(self.embed_tokens(tokens), past)[0]
        wanted, counted = tokens[:, 1:], texts.answers.flatten(0, 1)[:, 1:].to(logits.dtype)
        entropy = nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), wanted, reduction="none")
        of_text = (entropy * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1.0)
        weights = texts.weights.flatten()
        return (of_text * weights).sum() / weights.sum().clamp(min=1e-6)

    def _read(self, embeddings: Tensor, past: list[Tensor] | None) -> tuple[Tensor, ...]:
        batch, length, _ = embeddings.shape
        sizes = self.decoder.sizes
        if past is None:
            empty = embeddings.new_zeros(batch, sizes.shared_heads, 0, sizes.head)
            past = [empty] * (2 * sizes.layers)
        start = past[0].shape[2]
        mask = torch.ones(batch, start + length, dtype=torch.int64, device=embeddings.device)
        places = torch.arange(start, start + length, device=embeddings.device).expand(batch, -1)
        pairs = list(zip(past[0::2], past[1::2], strict=True))
        read: tuple[Tensor, ...] = self.decoder(embeddings, mask, places, pairs)
        return read


def _begin(network: MiniTalker) -> None:
    """First weights of embedding and decoder; those of vision are torch's own."""
    sizes = network.decoder.sizes
    steps = torch.arange(0, sizes.head, 2, dtype=torch.float32)
    network.decoder.frequencies.copy_(1.0 / THETA ** (steps / sizes.head))
    nn.init.normal_(network.embed_tokens.weight, std=0.02)
    for name, value in network.decoder.named_parameters():
        if value.ndim == 1:
            nn.init.ones_(value)
        else:
            last = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(value, std=0.02 / (2 * sizes.layers) ** 0.5 if last else 0.02)
