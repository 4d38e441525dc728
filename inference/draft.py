"""What the guard says of one generated sentence: its verdict, the reason, what it was held against; knows no text."""

from dataclasses import dataclass
from typing import Literal

Contradiction = Literal["presence", "absence", "kind", "side", "anatomy", "count", "size"]
"""What of a sentence the coded findings say otherwise: it says there is what is not, or there is not what is, ..."""

Gap = Literal["not-understood", "ambiguous", "not-coded", "finer", "improbable", "no-prior", "recommendation"]
"""Why a sentence has no evidence.

not-understood: a word or a form that the guard does not know; ambiguous: more than one reading; not-coded: no coded
finding or measurement speaks of it; finer: it says more than was coded; improbable: coded with a probability below one
half; no-prior: compares with an earlier examination, and none was read; recommendation: advice, which no image shows.
"""

Verdict = Literal["supported", "unsupported", "contradicted"]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A verdict about a generated sentence.

    Attributes
    ----------
    verdict
        "supported": everything it says is coded; "unsupported": something is not; "contradicted": something is coded
        otherwise.
    reason
        Of the last two.
    evidence
        Labels of the findings that it agrees with or contradicts.
    segment
        Index of the empty segment it was held against, where it speaks of something that is not there.
    withheld
        Whether the sentence is counted and not shown.
    probability
        Of the answer to the question that the sentence answers, in [0, 1], as its reader gives it; None: none.
    """

    verdict: Verdict
    reason: Contradiction | Gap | None = None
    evidence: tuple[str, ...] = ()
    segment: int | None = None
    withheld: bool = False
    probability: float | None = None

    def __post_init__(self) -> None:
        if (self.reason is None) != (self.verdict == "supported"):
            raise ValueError(f"a draft that is {self.verdict} has the reason {self.reason}")
        if self.verdict == "supported" and not self.evidence and self.segment is None:
            raise ValueError("a supported draft names its evidence")
        if self.withheld and self.verdict != "contradicted":
            raise ValueError("only a contradicted draft is withheld")
        if self.probability is not None and not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability must be within [0, 1], got {self.probability}")
