"""Findings called by the kinds that a language model gives them; where, how large and how sure a region is stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydicom.sr.coding import Code

from inference.findings import Finding, Findings, Measurement, Narrative, Sentence
from inference.language.choice import Choice
from inference.manifests.talk import KindQuestion
from inference.measured import probability_of
from inference.statements import AsCoded, CodedAt, CodedOfNoKind, KindAnswer, OfNoKindAt, Statement


@dataclass(frozen=True, kw_only=True)
class KindGiven:
    """What a model answered about one finding.

    Attributes
    ----------
    label
        Of the finding.
    choice
        Among the options of the question.
    """

    label: str
    choice: Choice


def called(found: Findings, question: KindQuestion, given: Sequence[KindGiven]) -> Findings:
    """The same findings by their kinds.

    Returns
    -------
    Findings
        A finding whose likeliest kind reaches `least_probability` has its code and probability; how probable it was
        under its first code, and is of each kind, is among its measurements. A sentence for each answer is added.
    """
    choices = {one.label: one.choice for one in given}
    findings = [
        _called(finding, question, choices[finding.label]) if finding.label in choices else finding
        for finding in found.findings
    ]
    renamed = {new.label for old, new in zip(found.findings, findings, strict=True) if new.code != old.code}
    sentences = [_of_a_kind(one) if one.finding in renamed else one for one in found.narrative.sentences]
    told = [_answer(question, one) for one in given]
    narrative = Narrative(sentences=(*sentences, *told))
    return replace(found, findings=tuple(findings), narrative=narrative)


def _called(finding: Finding, question: KindQuestion, choice: Choice) -> Finding:
    kinds = tuple(
        _probability(option.code.code(), probability)
        for option, probability in zip(question.options, choice.probabilities, strict=True)
    )
    measured = replace(finding, measurements=(*finding.measurements, *kinds))
    probability = choice.probabilities[choice.best]
    if probability < question.least_probability:
        return measured
    before = () if finding.probability is None else (_before(finding, finding.probability),)
    return replace(
        measured,
        code=question.options[choice.best].code.code(),
        probability=min(1.0, probability),
        slice_probabilities=(),
        measurements=(*finding.measurements, *before, *kinds),
    )


def _before(finding: Finding, probability: float) -> Measurement:
    """How probable a finding was under its first code, slices included."""
    return probability_of(finding.code, finding.code.value, probability, finding.slice_probabilities)


def _probability(code: Code, probability: float) -> Measurement:
    return probability_of(code, code.value, min(1.0, probability))


def _answer(question: KindQuestion, given: KindGiven) -> Sentence:
    code, probability = question.options[given.choice.best].code.code(), given.choice.probabilities[given.choice.best]
    text = (
        f'Asked "{question.text}" about {given.label}, the model gives {code.meaning} a probability of '
        f"{100 * probability:.1f} %."
    )
    says = KindAnswer(question=question.text, about=given.label, code=code, probability=probability)
    return Sentence(text=text, finding=given.label, says=says)


def _of_a_kind(sentence: Sentence) -> Sentence:
    """In other languages the codes are said, and they name a kind now."""
    says: Statement | None = sentence.says
    if isinstance(says, CodedOfNoKind):
        says = AsCoded()
    elif isinstance(says, OfNoKindAt):
        says = CodedAt(place_mm=says.place_mm)
    return replace(sentence, says=says)
