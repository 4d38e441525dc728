"""The rule-based score of a report: facts paired with the reference's, errors counted, a share for details.

The form is that of a judge's score (`judge`), the counting is by rules over a small vocabulary: another score, with
another name. Where a reference was written from facts with this vocabulary, its parsing is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from inference.evaluation.report_facts import Fact, Facts

SIZE_TOLERANCE = 0.2
"""Of the reference's size."""

GRADE_TOLERANCE = 1
"""Grades."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One report against its reference.

    Attributes
    ----------
    matched
        Findings there in both without an error, and findings denied in both.
    errors
        (a) findings that the reference does not have, (b) findings left out or denied, (c) side or site wrong or left
        out, (d) size wrong by more than 20 % or left out, or grade wrong by more than 1, (e) comparisons with an
        earlier study that the reference does not make, (f) those left out.
    credit
        Sum over paired findings of the share right of the side, site and size that the reference states, plus 1 for
        each finding denied in both.
    found, wanted
        Facts of the report, and of the reference. A denial of what the reference does not mention is no fact: neither
        right nor wrong.
    """

    matched: int
    errors: tuple[int, int, int, int, int, int]
    credit: float
    found: int
    wanted: int

    @property
    def score(self) -> float:
        """matched / (matched + errors), 0 where nothing matches."""
        return self.matched / (self.matched + sum(self.errors)) if self.matched else 0.0


def compare(candidate: Facts, reference: Facts) -> Comparison:
    """Pair findings of the same name so that as few errors as possible remain, and count."""
    matched = extra = missing = misplaced = missized = 0
    credit = 0.0
    for name in sorted({fact.finding for fact in (*candidate.present, *reference.present)}):
        found = [fact for fact in candidate.present if fact.finding == name]
        wanted = [fact for fact in reference.present if fact.finding == name]
        for one, other in _paired(found, wanted):
            wrong = (_misplaced(one, other), _missized(one, other))
            matched += not any(wrong)
            misplaced += wrong[0]
            missized += wrong[1]
            credit += _share(one, other)
        extra += max(0, len(found) - len(wanted))
        missing += max(0, len(wanted) - len(found))
    agreed = len(candidate.denied & reference.denied)
    mentioned = reference.denied | {fact.finding for fact in reference.present}
    unasked = len(candidate.changes - reference.changes)
    return Comparison(
        matched=matched + agreed,
        errors=(extra, missing, misplaced, missized, unasked, len(reference.changes - candidate.changes)),
        credit=credit + agreed,
        found=len(candidate.present) + len(candidate.denied & mentioned),
        wanted=len(reference.present) + len(reference.denied),
    )


def _paired(found: Sequence[Fact], wanted: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """Fewest errors first, then most credit."""
    cost = np.zeros((len(found), len(wanted)))
    for row, one in enumerate(found):
        for column, other in enumerate(wanted):
            cost[row, column] = _misplaced(one, other) + _missized(one, other) - 0.1 * _share(one, other)
    return [(found[row], wanted[column]) for row, column in zip(*linear_sum_assignment(cost), strict=True)]


def _misplaced(one: Fact, reference: Fact) -> bool:
    return not (_on_side(one, reference) and _at_site(one, reference))


def _missized(one: Fact, reference: Fact) -> bool:
    grades = (one.grade, reference.grade)
    apart = abs(grades[0] - grades[1]) if grades[0] is not None and grades[1] is not None else 0
    return apart > GRADE_TOLERANCE or not _of_size(one, reference)


def _share(one: Fact, reference: Fact) -> float:
    """Of the details that the reference states, how many are right; 1 where it states none."""
    stated = [
        right
        for known, right in (
            (bool(reference.sides), _on_side(one, reference)),
            (bool(reference.sites), _at_site(one, reference)),
            (reference.size_mm is not None, _of_size(one, reference)),
        )
        if known
    ]
    return sum(stated) / len(stated) if stated else 1.0


def _on_side(one: Fact, reference: Fact) -> bool:
    return not reference.sides or one.sides == reference.sides


def _at_site(one: Fact, reference: Fact) -> bool:
    """One site in common is enough."""
    return not reference.sites or bool(one.sites & reference.sites)


def _of_size(one: Fact, reference: Fact) -> bool:
    if reference.size_mm is None:
        return True
    return one.size_mm is not None and abs(one.size_mm - reference.size_mm) <= SIZE_TOLERANCE * reference.size_mm
