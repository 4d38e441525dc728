"""Text given out while its tokens come: what was given is never taken back, and no character is given in halves."""

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]
"""Tokens to text; a character whose bytes are not all there comes as U+FFFD."""

_HALF = "�"


class Stream:
    """One text.

    Parameters
    ----------
    decode
        Tokens to text.
    told
        Called with each new piece.
    """

    def __init__(self, decode: Decode, told: Callable[[str], None]) -> None:
        self._decode = decode
        self._told = told
        self._tokens: list[int] = []
        self._given = ""

    def add(self, token: int) -> None:
        """Take one more token, and tell what of the text is certain by now."""
        self._tokens.append(token)
        whole = self._decode(self._tokens).rstrip(_HALF)
        if len(whole) > len(self._given) and whole.startswith(self._given):
            self._told(whole[len(self._given) :])
            self._given = whole

    def end(self) -> str:
        """The whole text: all that was told. What never became a character is left out."""
        return self._given
