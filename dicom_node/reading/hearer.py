"""Who hears an answer while it is written: what the session host's side asks of them; here, nobody."""

from typing import Protocol

from inference.asked import Mode


class Hearer(Protocol):
    """Someone who waits for an answer."""

    @property
    def gone(self) -> bool:
        """Whether no more is wanted."""

    def hear(self, mode: Mode, text: str) -> None:
        """Take a piece of the answer, of which nothing was checked yet; never raises."""


class _Nobody:
    gone = False

    def hear(self, mode: Mode, text: str) -> None: ...


NOBODY: Hearer = _Nobody()
"""Hears nothing, and wants the whole answer."""
