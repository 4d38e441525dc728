"""A question about an image, as a reader that speaks is asked it: its text, what went before, how it is put."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

from inference.findings import Finding, Findings
from inference.image import Image

LONGEST_QUESTION = 2000
"""Characters of a question."""

Mode = Literal["zero-shot", "instructed", "chain-of-thought"]
"""How a question is put: as it is; with what was found and where; with that, and to be answered step by step."""

MODES: tuple[Mode, ...] = get_args(Mode)

Told = Callable[[Mode, str], None]
"""Called with each new piece of an answer, and how its question was put."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A question that was answered before."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question.

    Attributes
    ----------
    text
        As it was typed, on one line.
    earlier
        What it goes on from, the oldest first.
    modes
        How it is put, each giving an answer of its own.
    found
        What is coded of the study by results that stand, without regions: what answers are held against, and what
        "instructed" says.

    Raises
    ------
    ValueError
        If there is nothing to answer or too much, a mode twice, or a finding with a region.
    """

    text: str
    earlier: tuple[Exchange, ...] = ()
    modes: tuple[Mode, ...] = ("zero-shot",)
    found: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > LONGEST_QUESTION:
            raise ValueError(f"a question has 1 to {LONGEST_QUESTION} characters, got {len(self.text)}")
        if not self.modes or len(set(self.modes)) != len(self.modes) or not set(self.modes) <= set(MODES):
            raise ValueError(f"a question is put in some of {', '.join(MODES)}, each once")
        if any(finding.region is not None for finding in self.found):
            raise ValueError("what was found is told without regions")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageWithQuestion:
    """An image, and what is asked about it."""

    image: Image
    asked: Asked


@runtime_checkable
class Answerer(Protocol):
    """A reader that answers questions."""

    @property
    def provider(self) -> str:
        """Execution provider in use."""

    def answered(self, image: Image, asked: Asked, told: Told, cancelled: Callable[[], bool]) -> Findings:
        """Answer a question about one volume.

        Parameters
        ----------
        told
            Called with each new piece of text, before anything was held against findings.
        cancelled
            Asked between two tokens.

        Returns
        -------
        Findings
            `asked.found`, and a narrative in which each answer begins with a `Posed`.

        Raises
        ------
        UnsuitableImageError
            As `Reader.read`.
        UnsuitableTextError
            If the question has no room, holds a mark of the model's own, is cancelled, or its answer is not ready in
            time; with numbers, without the text.
        """
