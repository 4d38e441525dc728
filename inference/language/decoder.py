"""One language decoder as a graph with its cache: embeddings in, logits and a longer cache out; knows no text."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.errors import BundleError, InferenceError
from inference.graph import Graph
from inference.session import Arrays

Array = NDArray[np.float32]
Tokens = tuple[int, ...]


class Runs(Protocol):
    """What a `Session` does."""

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Outputs by name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cache:
    """Keys and values of all that was read so far. Reading on makes a new one; this one stays as it is, so that several
    texts may go on from it.

    Attributes
    ----------
    arrays
        By the decoder's names without their first word, "0.key": (1, head, token, feature).
    length
        Tokens in it.
    """

    arrays: dict[str, NDArray[np.generic]]
    length: int

    def until(self, length: int) -> "Cache":
        """The same of the first tokens alone, copied: the longer one may go."""
        if not 0 <= length <= self.length:
            raise ValueError(f"{length} tokens of a cache of {self.length}")
        return Cache(arrays={name: array[:, :, :length].copy() for name, array in self.arrays.items()}, length=length)


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """What the decoder makes of some tokens.

    Attributes
    ----------
    logits
        (token, vocabulary), float64: of what comes after each token.
    cache
        Of everything up to the last one.
    """

    logits: NDArray[np.float64]
    cache: Cache


class Decoder:
    """A decoder graph and the table of its tokens.

    Parameters
    ----------
    session
        Of the graph.
    spec
        What the manifest says of it: inputs_embeds, attention_mask, position_ids, past.N.key, past.N.value; logits,
        present.N.key, present.N.value.
    table
        (vocabulary, hidden), float32 or float16: what each token is to the decoder; may be mapped from a file.
    max_tokens
        Most tokens it reads, those in the cache included.

    Raises
    ------
    BundleError
        If the table is not one of the graph's tokens.
    """

    def __init__(self, session: Runs, spec: Graph, table: NDArray[np.generic], max_tokens: int) -> None:
        self._session = session
        self._spec = spec
        self._table = table
        self.max_tokens = max_tokens
        hidden = spec.inputs[0].shape[2]
        if table.ndim != 2 or table.shape[1] != hidden or table.dtype not in (np.float32, np.float16):
            raise BundleError(f"the table of tokens is {table.dtype} {list(table.shape)}, {hidden} columns are needed")

    @property
    def empty(self) -> Cache:
        """Before anything was read."""
        past = [tensor for tensor in self._spec.inputs if tensor.name.startswith("past.")]
        return Cache(
            arrays={
                tensor.name.removeprefix("past."): np.zeros(
                    (1, tensor.shape[1] or 0, 0, tensor.shape[3] or 0), np.float32
                )
                for tensor in past
            },
            length=0,
        )

    def embedded(self, tokens: Tokens) -> Array:
        """(token, hidden), float32.

        Raises
        ------
        BundleError
            If the decoder knows no such token.
        """
        strange = [token for token in tokens if not 0 <= token < len(self._table)]
        if strange:
            raise BundleError(f"token {strange[0]} is none of the decoder's {len(self._table)}")
        rows: Array = np.asarray(self._table[list(tokens)], dtype=np.float32)
        return rows

    def read(self, embeddings: Array, past: Cache) -> Read:
        """Read on.

        Parameters
        ----------
        embeddings
            (token, hidden), at least one.
        past
            What was read before; unchanged.

        Raises
        ------
        InferenceError
            If there are more tokens than the decoder takes, the run fails, or it gives values that are not numbers.
        """
        length = past.length + len(embeddings)
        if length > self.max_tokens:
            raise InferenceError(f"{length} tokens, the decoder takes at most {self.max_tokens}")
        outputs = self._session.run(
            {
                "inputs_embeds": embeddings[np.newaxis],
                "attention_mask": np.ones((1, length), np.int64),
                "position_ids": np.arange(past.length, length, dtype=np.int64)[np.newaxis],
                **{f"past.{name}": array for name, array in past.arrays.items()},
            }
        )
        logits = outputs.pop("logits")[0].astype(np.float64)
        if not np.isfinite(logits).all():
            raise InferenceError(f"{self._spec.file} gave values that are not numbers")
        arrays = {name.removeprefix("present."): array for name, array in outputs.items()}
        return Read(logits=logits, cache=Cache(arrays=arrays, length=length))
