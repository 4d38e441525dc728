"""What a report says as facts: finding, denied or not, side, site, size, grade, and changes; rules over English words.

A sentence has parts, parted by commas, "and" and "with". A detail belongs to the nearest finding of its part, else to
the last one before, else to the next one. A finding without a side or site of its own
takes those of its sentence. A sentence about "it" or "the lesion" adds details to the finding named before.

It scores what models and people write, so it reads as much as it can. The guard over a narrative
(`inference.language.facts`) has the other aim: what it does not understand to the last word it does not let through.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from inference.evaluation import report_words as vocabulary
from inference.evaluation.report_words import Words

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_PART = re.compile(r"[,;]|\b(?:and|with|but)\b")
_OF_BEFORE = re.compile(r"^(?:it|they|this|these|the)\b")
_MILLIMETRES = {"mm": 1.0, "cm": 10.0}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One finding that a report states.

    Attributes
    ----------
    finding
        Its name in the vocabulary.
    sides, sites
        Names in the vocabulary; empty where none is stated.
    size_mm
        Largest extent; None where none is stated.
    grade
        1 small or mild, 2 moderate, 3 large or severe; None where none is stated.
    """

    finding: str
    sides: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    size_mm: float | None = None
    grade: int | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a report says.

    Attributes
    ----------
    present
        In the order they are named.
    denied
        Names of findings that the report says are not there. One that it also has is no denial, and where anything is
        there "abnormality" is not denied: "the rest is normal".
    changes
        Comparisons with an earlier study.
    """

    present: tuple[Fact, ...] = ()
    denied: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()

    @property
    def findings(self) -> tuple[tuple[str, bool], ...]:
        """Each finding and whether it is there, in order of name."""
        there = {(fact.finding, True) for fact in self.present}
        return tuple(sorted(there | {(name, False) for name in self.denied}))


@dataclass
class _Named:
    """A finding in a sentence, and what was found beside it."""

    finding: str
    start: int
    end: int
    denied: bool
    sides: set[str] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)
    size_mm: float | None = None
    grade: int | None = None


def facts_of(report: str) -> Facts:
    """Parse a report."""
    present: list[Fact] = []
    denied: set[str] = set()
    changes: set[str] = set()
    for sentence in _SENTENCE.split(report.lower()):
        named = _named(sentence)
        changes |= {name for name, _ in _found(vocabulary.CHANGES, sentence)}
        about_before = bool(present) and bool(_OF_BEFORE.match(sentence))
        general = [n for n in named if not n.denied and n.finding == vocabulary.GENERAL]
        if about_before and len(general) == len(named) <= 1:
            present[-1] = _joined(present[-1], _told(sentence, named or [_whole(sentence)])[0])
            continue
        told = _told(sentence, named)
        present += [fact for fact, name in zip(told, named, strict=True) if not name.denied]
        denied |= {name.finding for name in named if name.denied}
        denied |= {vocabulary.ABNORMALITY} if vocabulary.NORMAL.search(sentence) else set()
    there = {fact.finding for fact in present} | ({vocabulary.ABNORMALITY} if present else set())
    return Facts(present=tuple(present), denied=frozenset(denied - there), changes=frozenset(changes))


def _named(sentence: str) -> list[_Named]:
    """Findings in order of place; a word counts for one."""
    taken: list[_Named] = []
    for name, match in _found(vocabulary.FINDINGS, sentence):
        if all(match.end() <= other.start or match.start() >= other.end for other in taken):
            taken.append(_Named(name, match.start(), match.end(), denied=_denied(sentence, match)))
    return sorted(taken, key=lambda one: one.start)


def _found(words: Words, sentence: str) -> list[tuple[str, re.Match[str]]]:
    return [(name, match) for name, pattern in words.items() for match in pattern.finditer(sentence)]


def _denied(sentence: str, finding: re.Match[str]) -> bool:
    turns = [turn.end() for turn in vocabulary.TURNS.finditer(sentence, 0, finding.start())]
    ends = [turn.start() for turn in vocabulary.TURNS.finditer(sentence, finding.end())]
    before = sentence[max(turns, default=0) : finding.start()]
    after = sentence[finding.end() : min(ends, default=len(sentence))]
    return bool(vocabulary.DENIED_BEFORE.search(before) or vocabulary.DENIED_AFTER.search(after))


def _told(sentence: str, named: Sequence[_Named]) -> list[Fact]:
    """The findings with their details, one fact each."""
    if not named:
        return []
    sides, sites = _found(vocabulary.SIDES, sentence), _found(vocabulary.SITES, sentence)
    for side, match in sides:
        _owner(named, match).sides.add(side)
    for site, match in sites:
        _owner(named, match).sites.add(site)
    for grade, pattern in vocabulary.GRADES.items():
        for match in pattern.finditer(sentence):
            _owner(named, match).grade = grade
    for match in vocabulary.SIZE.finditer(sentence):
        owner, size = _owner(named, match), _millimetres(match)
        owner.size_mm = max(size, owner.size_mm or 0.0)
    shared = {"sides": frozenset(side for side, _ in sides), "sites": frozenset(site for site, _ in sites)}
    return [_fact(one, shared) for one in named]


def _fact(one: _Named, shared: Mapping[str, frozenset[str]]) -> Fact:
    return Fact(
        finding=one.finding,
        sides=_one_side(frozenset(one.sides) or shared["sides"]),
        sites=frozenset(one.sites) or shared["sites"],
        size_mm=one.size_mm,
        grade=one.grade,
    )


def _one_side(sides: frozenset[str]) -> frozenset[str]:
    return frozenset({"both"}) if {"left", "right"} <= sides or "both" in sides else sides


def _owner(named: Sequence[_Named], detail: re.Match[str]) -> _Named:
    part = _part(detail.string, detail.start())
    beside = [one for one in named if _part(detail.string, one.start) == part]
    if beside:
        return min(beside, key=lambda one: max(one.start - detail.end(), detail.start() - one.end))
    before = [one for one in named if one.end <= detail.start()]
    return before[-1] if before else named[0]


def _part(sentence: str, place: int) -> int:
    """Index of the part of the sentence that a place lies in."""
    return sum(1 for _ in _PART.finditer(sentence, 0, place))


def _whole(sentence: str) -> _Named:
    return _Named(vocabulary.GENERAL, 0, len(sentence), denied=False)


def _joined(fact: Fact, more: Fact) -> Fact:
    """The fact with the details it lacks."""
    return replace(
        fact,
        sides=fact.sides or more.sides,
        sites=fact.sites or more.sites,
        size_mm=fact.size_mm if fact.size_mm is not None else more.size_mm,
        grade=fact.grade if fact.grade is not None else more.grade,
    )


def _millimetres(match: re.Match[str]) -> float:
    return max(map(float, vocabulary.NUMBER.findall(match[1]))) * _MILLIMETRES[match[2]]
