"""A closed question: each option is weighed by how likely the decoder is to write it; one of them is the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.language.decoder import Decoder, Read, Tokens


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The answer.

    Attributes
    ----------
    best
        Index of the likeliest option; of equally likely ones the first.
    probabilities
        Of each option, given that one of them is the answer; their sum is 1.
    """

    best: int
    probabilities: tuple[float, ...]


def chosen(decoder: Decoder, after: Read, options: Sequence[Tokens]) -> Choice:
    """Answer with one of the options.

    Parameters
    ----------
    after
        The question as it was read.
    options
        Tokens of each answer.

    Raises
    ------
    ValueError
        If there are fewer than two, one is empty, or one begins with another: the shorter would always win.
    InferenceError
        If the decoder fails.
    """
    _comparable(options)
    scores = np.array([_log_probability(decoder, after, option) for option in options])
    raised = np.exp(scores - scores.max())
    return Choice(best=int(np.argmax(scores)), probabilities=tuple(float(p) for p in raised / raised.sum()))


def _comparable(options: Sequence[Tokens]) -> None:
    if len(options) < 2 or not all(options):
        raise ValueError("a question has at least two options, each of at least one token")
    for number, one in enumerate(options):
        for other in (*options[:number], *options[number + 1 :]):
            if other[: len(one)] == one:
                raise ValueError(f"option {number + 1} is the beginning of another")


def _log_probability(decoder: Decoder, after: Read, option: Tokens) -> float:
    """Natural logarithm of the probability that the decoder writes these tokens next."""
    logits = after.logits[-1:]
    if len(option) > 1:
        rest = decoder.read(decoder.embedded(option[:-1]), after.cache)
        logits = np.concatenate([logits, rest.logits])
    highest = logits.max(axis=1, keepdims=True)
    sums = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return float((logits[np.arange(len(option)), list(option)] - sums).sum())
