"""The language part of a checkpoint, of the Llama family: its configuration as sizes, its tensors as the decoder's."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from export_onnx.errors import CheckpointError
from export_onnx.models.decoder import Decoder, DecoderSizes

EMBEDDING, HEAD = "embed_tokens.weight", "lm_head.weight"

_ROWS = 8192  # of the table of tokens, written at a time

# what config.json leaves out where it is as the first model of the family
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "llama": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
              "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6},
    "mistral": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
                "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 131072,
                "rms_norm_eps": 1e-6},
}  # fmt: skip
_SLIDING = {"llama": None, "mistral": 4096}


@dataclass(frozen=True, kw_only=True, eq=False)
class Language:
    """A decoder without weights, and where they come from.

    Attributes
    ----------
    decoder
        On the device "meta".
    max_tokens
        Most that it was made for; where it looks back only so far, no more than that.
    tensors
        Tensors of the checkpoint by their names from `layers.` on, and `embed_tokens.weight`, `lm_head.weight`.
    inverse
        How fast each pair of features turns with the position.
    tied
        Whether the table of tokens is the head too.
    """

    decoder: Decoder
    max_tokens: int
    tensors: Callable[[str], Tensor]
    inverse: Tensor
    tied: bool

    @classmethod
    def of(cls, config: Mapping[str, Any], kind: str, tensors: Callable[[str], Tensor], label: str) -> "Language":
        """Read the configuration of a language model.

        Parameters
        ----------
        config
            As config.json has it.
        kind
            "llama" or "mistral": whose defaults hold.
        label
            Of the checkpoint, for messages.

        Raises
        ------
        CheckpointError
            If it asks for what this decoder does not do.
        """
        if kind not in _DEFAULTS:
            raise CheckpointError(f"{label}: a language model of type {kind!r}, known: {', '.join(sorted(_DEFAULTS))}")
        whole = {**_DEFAULTS[kind], "hidden_act": "silu", **{k: v for k, v in config.items() if v is not None}}
        if whole["hidden_act"] != "silu" or whole.get("mlp_bias"):
            raise CheckpointError(
                f"{label}: hidden_act {whole['hidden_act']!r} or mlp_bias is not what this decoder does"
            )
        heads = int(whole["num_attention_heads"])
        sizes = DecoderSizes(
            vocabulary=int(whole["vocab_size"]),
            hidden=int(whole["hidden_size"]),
            inner=int(whole["intermediate_size"]),
            layers=int(whole["num_hidden_layers"]),
            heads=heads,
            shared_heads=int(whole.get("num_key_value_heads", heads)),
            head=int(whole.get("head_dim", int(whole["hidden_size"]) // heads)),
            epsilon=float(whole["rms_norm_eps"]),
        )
        if whole.get("attention_bias"):
            raise CheckpointError(f"{label}: attention_bias is not what this decoder does")
        with torch.device("meta"):
            decoder = Decoder(sizes).eval()
        sliding = config["sliding_window"] if "sliding_window" in config else _SLIDING[kind]
        return cls(
            decoder=decoder,
            max_tokens=min(int(whole["max_position_embeddings"]), sliding or 1 << 20),
            tensors=tensors,
            inverse=_inverse(whole, sizes.head, label),
            tied=bool(whole.get("tie_word_embeddings", False)),
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each tensor as the checkpoint has it, by its name from `layers.` on."""
        state = {name: tuple(t.shape) for name, t in self.decoder.state_dict().items() if name != "frequencies"}
        needed = {name: tuple(reversed(shape)) for name, shape in state.items()}
        needed[EMBEDDING] = (self.decoder.sizes.vocabulary, self.decoder.sizes.hidden)
        if self.tied:
            del needed[HEAD]
        return needed

    def weights(self, name: str) -> Tensor:
        """A tensor as the decoder has it, float32."""
        if name == "frequencies":
            return self.inverse
        stored = self.tensors(EMBEDDING if name == HEAD and self.tied else name).to(torch.float32)
        return stored.T.contiguous() if stored.ndim == 2 else stored

    def write_table(self, path: Path) -> None:
        """The table of tokens as .npy, float32, some rows at a time."""
        table = self.tensors(EMBEDDING)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": tuple(table.shape)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(table), _ROWS):
                table[start : start + _ROWS].to(torch.float32).numpy().tofile(file)


def without_rotary(names: Iterable[str]) -> list[str]:
    """Names but for the frequencies that releases of transformers before 4.32 kept in the file."""
    return [name for name in names if not name.endswith(".rotary_emb.inv_freq")]


def _inverse(config: Mapping[str, Any], head: int, label: str) -> Tensor:
    """Rotary frequencies (head / 2,), float32, scaled where the configuration asks for it."""
    written = {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    theta = float(written.get("rope_theta", config.get("rope_theta", 10000.0)))
    inverse = 1.0 / theta ** (torch.arange(0, head, 2, dtype=torch.int64).to(torch.float32) / head)
    kind = written.get("rope_type", written.get("type", "default"))
    if kind == "default":
        return inverse
    if kind == "linear":
        return inverse / float(written["factor"])
    if kind == "llama3":
        return _llama3(inverse, written)
    raise CheckpointError(f"{label}: rotary positions of type {kind!r}; known: default, linear, llama3")


def _llama3(inverse: Tensor, written: Mapping[str, Any]) -> Tensor:
    """Slow pairs slower by a factor, fast ones as they are, between them a mixture (Llama 3.1)."""
    factor, low, high = (float(written[k]) for k in ("factor", "low_freq_factor", "high_freq_factor"))
    length = float(written["original_max_position_embeddings"])
    wave = 2.0 * math.pi / inverse
    smooth = ((length / wave - low) / (high - low)).clamp(0.0, 1.0)
    return (1.0 - smooth) * inverse / factor + smooth * inverse
