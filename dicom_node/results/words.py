"""What a language needs to say results: names of codes, a pattern for each statement, fixed sentences; says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.sr.coding import Code

from dicom_node.study import Outcome
from inference.draft import Contradiction, Gap

Key = tuple[str, str]
"""Coding scheme designator and code value."""


@dataclass(frozen=True, kw_only=True)
class DraftWords:
    """How generated sentences are marked.

    Attributes
    ----------
    supported, unsupported, contradicted
        A mark with its sentence, which is in English: {text}; {evidence} of the first and the last, {reason} of the
        last two. Nothing parts a mark from its sentence.
    answer
        Behind the mark: {value}, the probability of the answer to the sentence's question.
    withheld_one, withheld_many
        {reasons}; {count}.
    against
        One of those reasons: {reason}, {evidence}.
    segment
        {label} of a segment that a sentence was held against.
    reasons
        By `inference.draft.Contradiction` and `inference.draft.Gap`.
    """

    supported: str
    unsupported: str
    contradicted: str
    answer: str
    withheld_one: str
    withheld_many: str
    against: str
    segment: str
    reasons: Mapping[Contradiction | Gap, str]


@dataclass(frozen=True, kw_only=True)
class AnswerWords:
    """Fixed sentences of a question's answer.

    Attributes
    ----------
    what
        What the document is.
    goes_on_one, goes_on_many
        From an earlier question; from {count} of them.
    held, held_against_none
        What was coded of the study, against which the answer was held; that there is nothing.
    """

    what: str
    goes_on_one: str
    goes_on_many: str
    held: str
    held_against_none: str


@dataclass(frozen=True, kw_only=True)
class PageWords:
    """Fixed words of the summary's pages; braces are filled in by the page that says it."""

    page: str
    probability: str
    image: str
    slice: str
    frame: str
    of: str
    of_series: str
    more: str
    picture: str
    read_text: str
    read: str
    series: str
    slices: str
    apart: str
    uneven: str
    no_room: str
    sentences: str
    findings: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """One language.

    Attributes
    ----------
    code
        The language itself (TID 1204, RFC 5646).
    decimal
        Sign between whole and part of a number.
    names
        What codes are called where that is not their own meaning; at most 64 characters, as Code Meaning allows.
    sided
        What one side of a site is called, by the codes of site and side.
    on_side
        The same for any other site: {site}, {side}.
    directions
        From the scanner's centre, with the case that `of_centre` wants.
    of_centre
        {place} is a direction or several, with their lengths.
    probability
        {value} of a finding.
    below, above
        Before "1 %" and "99 %".
    patterns
        A sentence for each kind of `inference.statements.Statement`, without its full stop where it has a {finding}:
        its fields by name, {finding} for what codes and measurements say. None: the readers' own sentences are in this
        language.
    warning, research
        What every text starts with; the second where the algorithm is not cleared, and says RESEARCH USE too.
    read_by, node, algorithm
        Origin: {name}, {version}, {maker}, {digest}, {provider}; {version}, {when}; {name}.
    training, training_on_text
        By `inference.findings.Algorithm.training`.
    images
        Before remarks about how the images lie, which are in English.
    whole_study
        {value}: probability.
    nothing
        Where nothing else is said.
    no_result
        By outcome.
    reason
        Before the reason, which is in English.
    drafts
        Of generated sentences.
    answer
        Of a question that a person asked.
    page
        Of the summary.
    """

    code: Code
    decimal: str
    names: Mapping[Key, str]
    sided: Mapping[tuple[Key, Key], str]
    on_side: str
    directions: Mapping[str, str]
    of_centre: str
    probability: str
    below: str
    above: str
    patterns: Mapping[type, str] | None
    warning: str
    research: str
    read_by: str
    node: str
    algorithm: str
    training: Mapping[str, str]
    training_on_text: Mapping[str, str]
    images: str
    whole_study: str
    nothing: str
    no_result: Mapping[Outcome, str]
    reason: str
    drafts: DraftWords
    answer: AnswerWords
    page: PageWords

    def name(self, code: Code) -> str:
        """What a code is called; its own meaning where the language has no name for it."""
        return self.names.get(key(code), code.meaning)

    def site(self, site: Code | None, side: Code | None) -> str:
        """Where something lies; empty where nothing is known."""
        if site is None or side is None:
            return "".join(self.name(code) for code in (site, side) if code)
        known = self.sided.get((key(site), key(side)))
        return known or self.on_side.format(site=self.name(site), side=self.name(side))

    def decimals(self, plain: str) -> str:
        """A number written with a decimal point, as the language writes it."""
        return plain.replace(".", self.decimal)


def key(code: Code) -> Key:
    """What tells a code from every other."""
    return code.scheme_designator, code.value
