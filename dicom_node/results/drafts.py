"""Generated sentences with their marks in words, and how many were withheld and why; says nothing that is coded."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.results.languages import WORDS
from dicom_node.results.text import percent
from dicom_node.results.words import Words
from dicom_node.study import Language
from inference.draft import Draft
from inference.findings import Findings, Sentence

_QUOTES = str.maketrans(dict.fromkeys('"“”„«»', "'"))  # so that no sentence can end its quotation and mark itself


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A paragraph.

    Attributes
    ----------
    text
        The mark, in the site's language, and the sentence; or what is said of withheld ones.
    evidence
        Labels of the findings that it rests on or contradicts.
    segment
        Index of the empty segment that it was held against.
    """

    text: str
    evidence: tuple[str, ...] = ()
    segment: int | None = None


def drafted(findings: Findings, language: Language) -> tuple[Drafted, ...]:
    """Every generated sentence that is shown, with its mark, in their order; last the number of withheld ones."""
    words = WORDS[language]
    drafts = [(s, s.draft) for s in findings.narrative.sentences if s.draft is not None]
    shown = [_marked(s, draft, findings, words) for s, draft in drafts if not draft.withheld]
    withheld = [draft for _, draft in drafts if draft.withheld]
    return (*shown, *([_withheld(withheld, findings, words)] if withheld else []))


def _marked(sentence: Sentence, draft: Draft, findings: Findings, words: Words) -> Drafted:
    pattern = {
        "supported": words.drafts.supported,
        "unsupported": words.drafts.unsupported,
        "contradicted": words.drafts.contradicted,
    }[draft.verdict]
    text = pattern.format(
        text=sentence.text.translate(_QUOTES),
        evidence=_evidence(draft, findings, words),
        reason="" if draft.reason is None else words.drafts.reasons[draft.reason],
        answer=_answer(draft, words),
    )
    return Drafted(text=text, evidence=draft.evidence, segment=draft.segment)


def _withheld(drafts: Sequence[Draft], findings: Findings, words: Words) -> Drafted:
    """How many, each reason once; it rests on all that they contradict."""
    reasons = [
        words.drafts.against.format(
            reason="" if draft.reason is None else words.drafts.reasons[draft.reason],
            evidence=_evidence(draft, findings, words),
        )
        for draft in drafts
    ]
    pattern = words.drafts.withheld_one if len(drafts) == 1 else words.drafts.withheld_many
    return Drafted(
        text=pattern.format(count=len(drafts), reasons="; ".join(dict.fromkeys(reasons))),
        evidence=tuple(dict.fromkeys(label for draft in drafts for label in draft.evidence)),
    )


def _evidence(draft: Draft, findings: Findings, words: Words) -> str:
    if draft.segment is not None and not draft.evidence:
        return words.drafts.segment.format(label=findings.segments[draft.segment].label)
    return ", ".join(draft.evidence)


def _answer(draft: Draft, words: Words) -> str:
    if draft.probability is None:
        return ""
    return words.drafts.answer.format(value=percent(draft.probability, words.below, words.above))
