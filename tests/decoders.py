"""A decoder that needs no network: the likeliest next token follows from the last one by a rule that tests set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.graph import Graph
from inference.language.decoder import Decoder
from inference.session import Arrays

VOCABULARY = 300


class RuleSession:
    """Logits of token t are `rule[t]`, by token; 0 for all others. Counts its runs."""

    def __init__(self, rule: Mapping[int, Mapping[int, float]]) -> None:
        self._rule = rule
        self.read: list[int] = []

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """As a decoder graph would; the cache holds the tokens themselves."""
        tokens = inputs["inputs_embeds"][0, :, 0].astype(np.int64)
        past = inputs["past.0.key"].shape[2]
        assert inputs["attention_mask"].shape == (1, past + len(tokens))
        assert inputs["position_ids"].tolist() == [list(range(past, past + len(tokens)))]
        self.read += tokens.tolist()
        logits = np.zeros((1, len(tokens), VOCABULARY), np.float32)
        for place, token in enumerate(tokens.tolist()):
            for following, value in self._rule.get(token, {}).items():
                logits[0, place, following] = value
        new = inputs["inputs_embeds"].transpose(0, 2, 1)[:, :, :, np.newaxis]
        both = {name: np.concatenate([inputs[f"past.0.{name}"], new], axis=2) for name in ("key", "value")}
        return {"logits": logits, **{f"present.0.{name}": array for name, array in both.items()}}


def decoder(session: RuleSession, max_tokens: int = 100) -> Decoder:
    """Each token is its own number to the decoder."""
    cache: list[dict[str, Any]] = [
        {"name": f"past.0.{part}", "dtype": "float32", "shape": (None, 1, None, 1)} for part in ("key", "value")
    ]
    spec = Graph.model_validate(
        {
            "role": "decoder",
            "file": "graphs/decoder.onnx",
            "inputs": [
                {"name": "inputs_embeds", "dtype": "float32", "shape": (None, None, 1)},
                {"name": "attention_mask", "dtype": "int64", "shape": (None, None)},
                {"name": "position_ids", "dtype": "int64", "shape": (None, None)},
                *cache,
            ],
            "outputs": [{"name": "logits", "dtype": "float32", "shape": (None, None, VOCABULARY)}],
            "activation": "none",
        }
    )
    table = np.arange(VOCABULARY, dtype=np.float32)[:, np.newaxis]
    return Decoder(session, spec, table, max_tokens)
