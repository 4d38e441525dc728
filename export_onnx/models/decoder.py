"""The Llama and Mistral decoder written for export: one graph that reads on from a cache, of length 0 or any other.

Touvron et al., LLaMA (2023); rotary positions (Su et al., RoFormer, 2021), grouped queries (Ainslie et al., GQA, 2023).
Weights of projections lie as (in, out), so that the graph multiplies with them as they are on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

Past = Sequence[tuple[Tensor, Tensor]]
"""Keys and values of each layer, (batch, key-value head, token, feature)."""

_UNSEEN = -1e9  # added to a score before softmax; float32 makes it 0 after


@dataclass(frozen=True, kw_only=True)
class DecoderSizes:
    """How large the decoder is; `biased` says whether query, key and value have a bias."""

    vocabulary: int
    hidden: int
    inner: int
    layers: int
    heads: int
    shared_heads: int
    head: int
    epsilon: float
    biased: bool = False


class Decoder(nn.Module):
    """Embeddings and a cache to logits and a longer cache.

    `forward` takes inputs_embeds (batch, token, hidden) float32; attention_mask (batch, past + token) int64, 0 for what
    is not looked at; position_ids (batch, token) int64; `past` of each layer. It gives logits (batch, token,
    vocabulary), then key and value of each layer with the new tokens.
    """

    frequencies: Tensor

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.layers = nn.ModuleList(DecoderLayer(sizes) for _ in range(sizes.layers))
        self.norm = RootMeanSquare(sizes.hidden, sizes.epsilon)
        self.lm_head = Projection(sizes.hidden, sizes.vocabulary)
        self.register_buffer("frequencies", torch.empty(sizes.head // 2))

    def forward(
        self, inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor, past: Past
    ) -> tuple[Tensor, ...]:
        """See the class."""
        turn = turned(self.frequencies, position_ids)
        tokens, cache = inputs_embeds, list[Tensor]()
        for layer, (key, value) in zip(self.layers, past, strict=True):
            tokens, key, value = layer(tokens, attention_mask, turn, key, value)
            cache += [key, value]
        return self.lm_head(self.norm(tokens)), *cache


def one_layer_at_a_time(decoder: Decoder, weights: Callable[[str], Tensor]) -> Callable[..., Any]:
    """What the decoder computes, with its weights fetched when a layer is reached and let go after it.

    Parameters
    ----------
    decoder
        Without weights: on the device "meta".
    weights
        A tensor by its name in the decoder.

    Returns
    -------
    Callable
        Takes inputs_embeds, attention_mask, position_ids and then keys and values one by one; gives what `Decoder`
        gives.
    """

    def computed(module: nn.Module, prefix: str, *given: Any) -> Any:
        return functional_call(module, {name: weights(prefix + name) for name in module.state_dict()}, given)

    def run(inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        turn = turned(weights("frequencies"), position_ids)
        tokens, cache = inputs_embeds, list[Tensor]()
        for number, layer in enumerate(decoder.layers):
            given = tokens, attention_mask, turn, past[2 * number], past[2 * number + 1]
            tokens, key, value = computed(layer, f"layers.{number}.", *given)
            cache += [key, value]
        return computed(decoder.lm_head, "lm_head.", computed(decoder.norm, "norm.", tokens)), *cache

    return run


def turned(frequencies: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine (batch, 1, token, feature) of the angle by which each position turns each pair of features."""
    angles = position_ids[:, :, None].to(torch.float32) * frequencies
    both = torch.cat([angles, angles], dim=-1)[:, None]
    return both.cos(), both.sin()


class Projection(nn.Module):
    """(..., in) to (..., out); the weight lies as (in, out)."""

    def __init__(self, width: int, out: int, *, biased: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, out))
        self.bias = nn.Parameter(torch.empty(out)) if biased else None

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        made = values @ self.weight
        return made if self.bias is None else made + self.bias


class RootMeanSquare(nn.Module):
    """Features divided by the root of the mean of their squares, then weighted (Zhang and Sennrich, 2019)."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.epsilon = epsilon

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        mean = values.square().mean(dim=-1, keepdim=True)
        return self.weight * (values * torch.rsqrt(mean + self.epsilon))


class DecoderLayer(nn.Module):
    """One layer: attention over all that came before, then the gated network."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.input_layernorm = RootMeanSquare(sizes.hidden, sizes.epsilon)
        self.self_attn = _Attention(sizes)
        self.post_attention_layernorm = RootMeanSquare(sizes.hidden, sizes.epsilon)
        self.mlp = nn.ModuleDict(
            {
                "gate_proj": Projection(sizes.hidden, sizes.inner),
                "up_proj": Projection(sizes.hidden, sizes.inner),
                "down_proj": Projection(sizes.inner, sizes.hidden),
            }
        )

    def forward(
        self, tokens: Tensor, attention_mask: Tensor, turn: tuple[Tensor, Tensor], key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, keys and values, the last two with those of the new tokens."""
        mixed, key, value = self.self_attn(self.input_layernorm(tokens), attention_mask, turn, key, value)
        tokens = tokens + mixed
        seen = self.post_attention_layernorm(tokens)
        gated = functional.silu(self.mlp["gate_proj"](seen)) * self.mlp["up_proj"](seen)
        return tokens + self.mlp["down_proj"](gated), key, value


class _Attention(nn.Module):
    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        own, shared = sizes.heads * sizes.head, sizes.shared_heads * sizes.head
        self.q_proj = Projection(sizes.hidden, own, biased=sizes.biased)
        self.k_proj = Projection(sizes.hidden, shared, biased=sizes.biased)
        self.v_proj = Projection(sizes.hidden, shared, biased=sizes.biased)
        self.o_proj = Projection(own, sizes.hidden)

    def forward(
        self, tokens: Tensor, attention_mask: Tensor, turn: tuple[Tensor, Tensor], key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        query, new_key, new_value = (
            project(tokens).unflatten(2, (-1, self.sizes.head)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        key = torch.cat([key, _rotated(new_key, turn)], dim=2)
        value = torch.cat([value, new_value], dim=2)
        grouped = _rotated(query, turn).reshape(tokens.shape[0], self.sizes.shared_heads, -1, *query.shape[2:])
        scores = grouped @ key[:, :, None].transpose(3, 4) * self.sizes.head**-0.5
        unseen = _unseen(attention_mask, tokens.shape[1])[:, None, None]
        mixed = torch.softmax(scores + unseen, dim=-1) @ value[:, :, None]
        return self.o_proj(mixed.flatten(1, 2).transpose(1, 2).flatten(2)), key, value


def _unseen(attention_mask: Tensor, count: int) -> Tensor:
    """(batch, new token, token): 0 for what a token sees, else a number that leaves nothing of it."""
    places = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    own = places[attention_mask.shape[1] - count :]
    hidden = (places[None, None, :] > own[None, :, None]) | (attention_mask[:, None, :] == 0)
    return hidden.to(torch.float32) * _UNSEEN


def _rotated(features: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Feature i and i + half turned together."""
    first, second = features.chunk(2, dim=-1)
    return features * turn[0] + torch.cat([-second, first], dim=-1) * turn[1]
