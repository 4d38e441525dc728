"""Text written token by token: always the likeliest next one, until a stop, a limit, or a word from outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inference.language.decoder import Decoder, Read, Tokens
from inference.language.streaming import Decode, Stream

Ending = Literal["stop", "tokens", "seconds", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class WritingLimits:
    """How long a text may become.

    Attributes
    ----------
    max_tokens
        The stop not counted.
    max_seconds
        From the call on, by a clock that only runs forward; looked at between two tokens.
    """

    max_tokens: int
    max_seconds: float

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or not self.max_seconds > 0:
            raise ValueError(f"limits are above 0, got {self.max_tokens} tokens and {self.max_seconds} s")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text and how it came to its end.

    Attributes
    ----------
    text
        Whole characters alone.
    tokens
        Without the stop.
    ending
        "stop": the decoder ended it; else what cut it off.
    """

    text: str
    tokens: Tokens
    ending: Ending


def written(
    decoder: Decoder,
    after: Read,
    decode: Decode,
    stops: frozenset[int],
    limits: WritingLimits,
    *,
    told: Callable[[str], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Written:
    """Write on from what was read; of equally likely tokens the one with the lowest number.

    Parameters
    ----------
    after
        What the text follows.
    decode
        Tokens to text.
    stops
        Tokens that end a text.
    told
        Called with each new piece of the text; all pieces together are the text.
    cancelled
        Asked before each token.

    Raises
    ------
    InferenceError
        If the decoder fails.
    """
    until, stream, tokens = clock() + limits.max_seconds, Stream(decode, told), list[int]()
    ending: Ending = "tokens"
    room = decoder.max_tokens - after.cache.length
    while len(tokens) < min(limits.max_tokens, room):
        if cancelled():
            ending = "cancelled"
            break
        if clock() >= until:
            ending = "seconds"
            break
        token = int(np.argmax(after.logits[-1]))
        if token in stops:
            ending = "stop"
            break
        tokens.append(token)
        stream.add(token)
        if len(tokens) < min(limits.max_tokens, room):
            after = decoder.read(decoder.embedded((token,)), after.cache)
    return Written(text=stream.end(), tokens=tuple(tokens), ending=ending)
