"""GREEN of two reports by a judge that a hospital supplies: the published formula and what a judge's answer must hold.

Ostmeier et al., GREEN (Findings of EMNLP 2024). The judge is a language model of its own, and the published one learnt
from reports on chest radiographs; its prompt comes with it. Without a judge there is no GREEN: `report_score` is
another score and bears another name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.errors import UnsuitableTextError

MOST_WORDS = 300
"""Of each report; the rest is cut off before it is judged."""

ERRORS = {
    "a": "false report of a finding",
    "b": "missing finding",
    "c": "wrong location of a finding",
    "d": "wrong severity of a finding",
    "e": "comparison that the reference does not make",
    "f": "comparison left out",
}
"""Kinds of error by their letter."""

SIGNIFICANT = "Clinically Significant Errors"
MATCHED = "Matched Findings"

_SECTION = re.compile(r"^\s*\[([^\]\n]+)\]:?[ \t]*", re.MULTILINE)
_KIND = re.compile(r"^\s*\(([a-f1-6])\)([^\n]*)", re.MULTILINE)
_COUNTED = re.compile(r":\s*(?:(\d+)\s*(?:\.|;|$)|none?\b)", re.IGNORECASE)
_FINDINGS = re.compile(r"(\d+)\s*(?:\.|;|$)", re.MULTILINE)
_NONE = re.compile(r"(?:no|none)\b", re.IGNORECASE)


class Judge(Protocol):
    """A language model that compares two reports."""

    def compare(self, reference: str, candidate: str) -> str:
        """Its answer, with the sections that `verdict` reads; raises UnsuitableTextError where there is none."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a judge counted.

    Attributes
    ----------
    matched
        Findings of the reference that the candidate has.
    errors
        Clinically significant errors by the letter of their kind; a kind that is not mentioned has none.
    """

    matched: int
    errors: Mapping[str, int]

    @property
    def green(self) -> float:
        """matched / (matched + significant errors), 0 where nothing matches."""
        return self.matched / (self.matched + sum(self.errors.values())) if self.matched else 0.0


def judged(judge: Judge, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
    """GREEN of each pair of reference and candidate; None where the judge's answer cannot be read."""
    return [_green(judge, shortened(reference), shortened(candidate)) for reference, candidate in pairs]


def shortened(report: str) -> str:
    """The first `MOST_WORDS` words."""
    return " ".join(report.split()[:MOST_WORDS])


def verdict(answer: str) -> Verdict:
    """Read a judge's answer.

    Parameters
    ----------
    answer
        With the section "[Clinically Significant Errors]:", a line "(a) words: number. words" for each kind, or
        beginning with "No"; and the section "[Matched Findings]:", beginning with a number, or with "No". The
        published program takes 0 for what it cannot read, and then calls a report without errors perfect.

    Raises
    ------
    UnsuitableTextError
        If a section is missing or says no number; the message names the section.
    """
    sections = _sections(answer)
    return Verdict(matched=_matched(_section(sections, MATCHED)), errors=_errors(_section(sections, SIGNIFICANT)))


def _green(judge: Judge, reference: str, candidate: str) -> float | None:
    try:
        return verdict(judge.compare(reference, candidate)).green
    except UnsuitableTextError:
        return None


def _sections(answer: str) -> dict[str, str]:
    """Text by heading; of a heading that comes twice, as where the prompt is repeated, the last."""
    headings = list(_SECTION.finditer(answer))
    ends = [*(heading.start() for heading in headings[1:]), None]
    return {h[1].strip(): answer[h.end() : end].strip() for h, end in zip(headings, ends, strict=False)}


def _section(sections: Mapping[str, str], name: str) -> str:
    if name not in sections:
        raise UnsuitableTextError(f"the judge's answer has no section [{name}]")
    return sections[name]


def _matched(text: str) -> int:
    if _NONE.match(text):
        return 0
    if number := _FINDINGS.match(text):
        return int(number[1])
    raise UnsuitableTextError(f"the section [{MATCHED}] of the judge's answer begins with no number")


def _errors(text: str) -> dict[str, int]:
    if _NONE.match(text):
        return {}
    lines = {_letter(kind): _COUNTED.search(line) for kind, line in _KIND.findall(text)}
    found = {letter: int(counted[1] or 0) for letter, counted in lines.items() if counted}
    if not found or len(found) < len(lines):
        raise UnsuitableTextError(f"the section [{SIGNIFICANT}] of the judge's answer has a kind of error uncounted")
    return found


def _letter(kind: str) -> str:
    """Some judges number the kinds."""
    return kind if kind in ERRORS else "abcdef"[int(kind) - 1]
