"""Generated sentences held against coded findings: supported, without evidence, or contradicted and then withheld.

Side, place, size and count come from masks and measurements, never from a model's words. What cannot be read in one
way is never supported. A sentence is contradicted as soon as one of its facts is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inference.draft import Contradiction, Draft, Gap
from inference.findings import Finding, Findings, Narrative, Sentence
from inference.language import kinds, places
from inference.language.agreement import Agreement, held, worst
from inference.language.facts import Fact, Parsed, parsed
from inference.language.sentences import split
from inference.statements import NotListed

LIKELY = 0.5
"""A finding coded with less is no evidence that something is there."""


def guard(
    sentences: Sequence[str],
    findings: Findings,
    *,
    probabilities: Sequence[float | None] | None = None,
    contradicted: Literal["withheld", "marked"] = "withheld",
) -> Findings:
    """The findings with each generated sentence behind the narrative, as a draft with its verdict.

    Parameters
    ----------
    sentences
        Generated, in English; one that holds several is taken apart.
    findings
        What was coded and measured, masks included.
    probabilities
        Of the answer to the question that each of them answers, where there was one.
    contradicted
        Whether a contradicted sentence is withheld, or shown with its mark.

    Raises
    ------
    ValueError
        If there is not a probability for each sentence, or one is outside [0, 1].
    """
    each = [None] * len(sentences) if probabilities is None else probabilities
    drafts = [
        Sentence(text=text, draft=_final(judged(text, findings), probability, withheld=contradicted == "withheld"))
        for given, probability in zip(sentences, each, strict=True)
        for text in split(given)
    ]
    return replace(findings, narrative=Narrative(sentences=(*findings.narrative.sentences, *drafts)))


def judged(sentence: str, findings: Findings) -> Draft:
    """The verdict about one sentence."""
    said = parsed(sentence)
    verdicts = [_of_fact(fact, findings) for fact in said.facts]
    against = next((v for v in verdicts if v.verdict == "contradicted"), None)
    if against is not None:
        return against
    gaps = (v.reason for v in verdicts if v.verdict == "unsupported")
    gap: Contradiction | Gap | None = _gap(said) or next(gaps, None)
    if gap is not None:
        return Draft(verdict="unsupported", reason=gap)
    evidence = tuple(dict.fromkeys(label for v in verdicts for label in v.evidence))
    return Draft(
        verdict="supported",
        evidence=evidence,
        segment=next((v.segment for v in verdicts if v.segment is not None), None),
    )


def _final(draft: Draft, probability: float | None, *, withheld: bool) -> Draft:
    return replace(draft, probability=probability, withheld=withheld and draft.verdict == "contradicted")


def _gap(said: Parsed) -> Gap | None:
    """Why a sentence as a whole cannot be supported."""
    if said.advice:
        return "recommendation"
    if said.prior:
        return "no-prior"
    return None if said.understood and said.facts else "not-understood"


def _of_fact(fact: Fact, findings: Findings) -> Draft:
    if fact.polarity == "absent":
        return _absent(fact, findings)
    if fact.plural and fact.sides == ("bilateral",):
        return _on_both_sides(fact, findings)
    return _present(fact, findings)


def _on_both_sides(fact: Fact, findings: Findings) -> Draft:
    """Several things on both sides: at least one on each, and as many in all as are said."""
    halves = [replace(fact, sides=(side,), plural=False, count=None) for side in ("left", "right")]
    verdicts = [_present(one, findings) for one in (*halves, replace(fact, sides=()))]
    order = ("contradicted", "unsupported", "supported")
    first = min(verdicts, key=lambda draft: order.index(draft.verdict))
    evidence = tuple(dict.fromkeys(label for v in verdicts for label in v.evidence))
    return first if first.verdict != "supported" else replace(first, evidence=evidence)


def _absent(fact: Fact, findings: Findings) -> Draft:
    """Nothing of the kind is there: contradicted by one that is, supported by a segment of that kind without voxels."""
    everything = [held(replace(fact, lengths_mm=(), short_mm=(), volumes_ml=()), f) for f in findings.findings]
    if seen := [a for a in everything if a.relation == "is" and a.there == "yes"]:
        return _against("absence", seen)
    if any(a.relation in ("is", "finer") and a.there != "no" for a in everything):
        return _without("finer")
    empty = _empty(fact, findings, finer=False)
    if empty is None:
        return _without("not-coded")
    return Draft(verdict="supported", segment=empty) if fact.sure and not _measured(fact) else _without("ambiguous")


def _present(fact: Fact, findings: Findings) -> Draft:
    everything = [held(fact, finding) for finding in findings.findings]
    alike = [a for a in everything if a.relation in ("is", "finer")]
    if not alike:
        return _of_another_kind(fact, everything, findings)
    located = [a for a in alike if a.there != "no"]
    if not located:
        closest = min(alike, key=lambda a: len(a.conflicts))
        return _against(closest.conflicts[0], [closest])
    counts = _Counts.of(fact, alike, findings)
    if counts.wrong:
        return _against("count", alike)
    possible = [a for a in located if a.size != "no"]
    if not possible or (_counted(fact) and len(possible) < len(located)):
        return _against("size", [a for a in located if a.size == "no"])
    return _supported(fact, possible) if counts.gap is None else _without(counts.gap)


def _supported(fact: Fact, possible: Sequence[Agreement]) -> Draft:
    """By those that are all that the fact says, and likely."""
    proved = [a for a in possible if a.whole == "yes"]
    if not proved:
        return _without("finer")
    likely = [a for a in proved if fact.polarity == "uncertain" or _likely(a.finding)]
    if not likely or (_counted(fact) and len(likely) < len(proved)):
        return _without("improbable")
    if not fact.sure:
        return _without("ambiguous")
    return Draft(verdict="supported", evidence=_labels(likely))


def _likely(finding: Finding) -> bool:
    return finding.probability is None or finding.probability >= LIKELY


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """How many are said and how many coded.

    A number is right where as many are coded in all as it says, and as many of them where it says.
    """

    wrong: bool
    gap: Gap | None

    @staticmethod
    def of(fact: Fact, alike: Sequence[Agreement], findings: Findings) -> "_Counts":
        unlisted = sum(s.says.count for s in findings.narrative.sentences if isinstance(s.says, NotListed))
        (least, most), (fewest, highest) = _wanted(fact), _range(alike, unlisted, placed=True)
        (all_fewest, all_highest) = _range(alike, unlisted, placed=False)
        alone = fact.alone and (all_highest < 1 or all_fewest > 1)
        if alone or highest < least or fewest > most:
            return _Counts(wrong=True, gap=None)
        if fewest < least:
            return _Counts(wrong=False, gap="finer")
        exact = most < float("inf") and not (highest <= most and least <= all_fewest and all_highest <= most)
        return _Counts(wrong=False, gap="ambiguous" if exact else None)


def _range(alike: Sequence[Agreement], unlisted: int, *, placed: bool) -> tuple[int, int]:
    """The fewest and the most of the kind that there can be: in the place that is said, or anywhere."""
    fits = [worst("yes" if a.relation == "is" else "unknown", a.there if placed else "yes") for a in alike]
    return fits.count("yes"), len(fits) - fits.count("no") + unlisted


def _wanted(fact: Fact) -> tuple[int, float]:
    if fact.count is not None:
        return fact.count.least, float("inf") if fact.count.most is None else fact.count.most
    return (1, 1) if fact.alone else (2 if fact.plural else 1, float("inf"))


def _counted(fact: Fact) -> bool:
    """Whether what is said holds for all of them."""
    return fact.count is not None or fact.plural or fact.alone


def _of_another_kind(fact: Fact, everything: Sequence[Agreement], findings: Findings) -> Draft:
    """Contradicted where one of a kind that excludes it lies there, or answers the same question; or by emptiness."""
    if fact.polarity == "present":
        for other in everything:
            if other.relation == "apart" and (_lies_there(fact, other) or _answers_the_same(fact, other)):
                return _against("kind", [other])
        empty = _empty(fact, findings, finer=True)
        if empty is not None:
            return Draft(verdict="contradicted", reason="presence", segment=empty)
    return _without("not-coded")


def _lies_there(fact: Fact, other: Agreement) -> bool:
    return bool(fact.places or fact.sides or _measured(fact)) and other.there == "yes" and other.size != "no"


def _answers_the_same(fact: Fact, other: Agreement) -> bool:
    code = other.finding.code
    coded = kinds.kind_of(code.scheme_designator, code.value)
    return other.there != "no" and any(kinds.siblings(coded, kind) for kind in fact.kinds)


def _empty(fact: Fact, findings: Findings, *, finer: bool) -> int | None:
    """Index of a segment without voxels whose kind is what the fact names, or where allowed a kind above it."""
    relations = ("is", "finer") if finer else ("is",)
    for index, segment in enumerate(findings.segments):
        kind = kinds.kind_of(segment.type.scheme_designator, segment.type.value)
        anatomy = segment.anatomy
        where = None if anatomy is None else places.place_of(anatomy.scheme_designator, anatomy.value)
        inside = all(where is not None and places.lies_in(place, where) == "yes" for place in fact.places)
        same = kind is not None and all(
            kinds.relation(kind, said) in relations and (finer or said == kind) for said in fact.kinds
        )
        if same and inside and not segment.mask.any():
            return index
    return None


def _measured(fact: Fact) -> bool:
    return bool(fact.lengths_mm or fact.short_mm or fact.volumes_ml)


def _against(reason: Contradiction, by: Sequence[Agreement]) -> Draft:
    return Draft(verdict="contradicted", reason=reason, evidence=_labels(by))


def _without(gap: Gap) -> Draft:
    return Draft(verdict="unsupported", reason=gap)


def _labels(agreements: Sequence[Agreement]) -> tuple[str, ...]:
    return tuple(a.finding.label for a in agreements)
