"""The answers to one question, apart: one for each way in which it was put, with the plane that was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference.findings import Findings, Narrative, Sentence
from inference.statements import Chose, ChoseOnSlice, Posed, WroteAboutSlice


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer.

    Attributes
    ----------
    mode
        How the question was put.
    findings
        What it was held against; its narrative is this answer alone.
    """

    mode: str
    findings: Findings

    @property
    def plane(self) -> int | None:
        """Index of the plane that it is about; None for the whole volume."""
        about = (s.says for s in self._sentences if isinstance(s.says, WroteAboutSlice | ChoseOnSlice))
        return next((says.number - 1 for says in about), None)

    @property
    def choice(self) -> Chose | ChoseOnSlice | None:
        """The option of a closed question; None of another one."""
        return next((s.says for s in self._sentences if isinstance(s.says, Chose | ChoseOnSlice)), None)

    @property
    def text(self) -> str:
        """What the model said, withheld sentences included; empty where it said nothing."""
        if self.choice is not None:
            return self.choice.option
        return " ".join(s.text for s in self._sentences if s.draft is not None)

    @property
    def _sentences(self) -> Sequence[Sentence]:
        return self.findings.narrative.sentences


def answers(findings: Findings) -> tuple[Answer, ...]:
    """Each answer of an exchange, in order; what stands before the first `Posed` belongs to none."""
    parts: list[tuple[str, list[Sentence]]] = []
    for sentence in findings.narrative.sentences:
        if isinstance(sentence.says, Posed):
            parts.append((sentence.says.mode, []))
        if parts:
            parts[-1][1].append(sentence)
    return tuple(
        Answer(mode=mode, findings=replace(findings, narrative=Narrative(sentences=tuple(sentences))))
        for mode, sentences in parts
    )
