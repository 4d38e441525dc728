"""What a vision-language bundle says as findings: codes with probabilities from closed questions, the rest as drafts.

No side, no size and no number is taken from text that a language model wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inference.errors import BundleError, InferenceError
from inference.findings import Algorithm, Finding, Findings, Narrative, Sentence
from inference.language import kinds
from inference.language.choice import Choice
from inference.language.guard import guard
from inference.language.writing import Written
from inference.manifests.talk import Question, Request
from inference.measured import probability_of
from inference.statements import (
    ClosedAnswer,
    DraftCutOff,
    WroteAboutFinding,
    WroteAboutFindingOnSlice,
    WroteAboutSlice,
    WroteAboutVolume,
)

About = WroteAboutSlice | WroteAboutFinding | WroteAboutFindingOnSlice


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A closed question with its answer.

    Attributes
    ----------
    probability
        That the finding is there, in [0, 1].
    by_slice
        (slice index, probability) where single slices were looked at.
    """

    question: Question
    probability: float
    by_slice: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A text that was asked for; `about` is what it is about, None the whole volume."""

    request: Request
    written: Written
    about: About | None = None


def present(question: Question, choice: Choice) -> float:
    """Probability that the finding is there: of all options that say so."""
    pairs = zip(question.options, choice.probabilities, strict=True)
    return min(1.0, sum(probability for option, probability in pairs if option.present))


def told(
    algorithm: Algorithm, answers: Sequence[Answered], drafts: Sequence[Drafted], marked: Findings | None = None
) -> Findings:
    """Everything that was said.

    Parameters
    ----------
    marked
        What the evidence marked and measured; None: there is none.

    Returns
    -------
    Findings
        The evidence's own first, all of it. Then a finding for each question whose probability reaches its
        `least_probability`; the probability of every question among the measurements; a sentence for each question; and
        the texts as drafts, each sentence held against the coded findings by the guard.

    Raises
    ------
    InferenceError
        If a text was not ready in time, or was broken off.
    BundleError
        If a question has the name of a finding of the evidence.
    """
    evidence = marked or Findings(algorithm=algorithm, segments=(), findings=(), narrative=Narrative(sentences=()))
    found = [answer for answer in answers if answer.probability >= answer.question.least_probability]
    _check_names(found, evidence)
    coded = replace(
        evidence,
        algorithm=algorithm,
        findings=(
            *evidence.findings,
            *(_finding(answer) for answer in found),
        ),
        narrative=Narrative(
            sentences=(
                *evidence.narrative.sentences,
                *(_answer(answer, named=answer in found) for answer in answers),
                *(sentence for draft in drafts for sentence in _announced(draft)),
            )
        ),
        measurements=(
            *evidence.measurements,
            *(
                probability_of(answer.question.code.code(), answer.question.id, answer.probability, answer.by_slice)
                for answer in answers
            ),
        ),
    )
    return guarded([printable(draft.written.text) for draft in drafts], coded, evidence)


def guarded(texts: Sequence[str], coded: Findings, evidence: Findings) -> Findings:
    """The same with the texts as drafts.

    What the evidence looks for is known from the evidence alone: a finding without a region, which a closed question
    gave, has no side and no size, would be one more in every count, and would stand where the evidence marked nothing.
    So such a finding of a kind that the evidence marks, or of one above or below it, supports and contradicts nothing.
    """
    sought = [kinds.kind_of(s.type.scheme_designator, s.type.value) for s in evidence.segments]
    marked = {finding.label for finding in evidence.findings}
    kept = tuple(f for f in coded.findings if f.label in marked or not any(_same_branch(f, kind) for kind in sought))
    labels = {None, *(finding.label for finding in kept)}
    cited = tuple(sentence for sentence in coded.narrative.sentences if sentence.finding in labels)
    held = guard(texts, replace(coded, findings=kept, narrative=Narrative(sentences=cited)))
    drafts = held.narrative.sentences[len(cited) :]
    return replace(coded, narrative=Narrative(sentences=(*coded.narrative.sentences, *drafts)))


def _same_branch(finding: Finding, sought: str | None) -> bool:
    kind = kinds.kind_of(finding.code.scheme_designator, finding.code.value)
    if kind is None or sought is None:
        return False
    return "is" in (kinds.relation(kind, sought), kinds.relation(sought, kind))


def _check_names(found: Sequence[Answered], evidence: Findings) -> None:
    taken = {finding.label for finding in evidence.findings}
    for answer in found:
        if answer.question.id in taken:
            raise BundleError(f"question {answer.question.id} has the name of a finding of the evidence")


def _finding(answer: Answered) -> Finding:
    question = answer.question
    return Finding(
        label=question.id,
        code=question.code.code(),
        site=None if question.site is None else question.site.code(),
        probability=answer.probability,
        slice_probabilities=answer.by_slice,
    )


def _answer(answer: Answered, *, named: bool) -> Sentence:
    code = answer.question.code.code()
    text = (
        f'Asked "{answer.question.text}", the model gives {code.meaning} a probability of '
        f"{100 * answer.probability:.1f} %."
    )
    says = ClosedAnswer(question=answer.question.text, code=code, probability=answer.probability)
    return Sentence(text=text, finding=answer.question.id if named else None, says=says)


def _announced(draft: Drafted) -> list[Sentence]:
    if draft.written.ending not in ("stop", "tokens"):
        raise InferenceError(f"the text {draft.request.id} was not ready in time: ended by {draft.written.ending}")
    return announced(draft.written, draft.about)


def announced(written: Written, about: About | None) -> list[Sentence]:
    """That a text was written, and about what; the text itself goes through the guard."""
    finding = None if isinstance(about, WroteAboutSlice | None) else about.about
    text = f"A language model wrote about {_in_words(about)}; its text is a draft that nobody checked."
    sentences = [Sentence(text=text, finding=finding, says=about or WroteAboutVolume())]
    if written.ending == "tokens":
        count, says = len(written.tokens), DraftCutOff(tokens=len(written.tokens))
        sentences.append(Sentence(text=f"It was cut off after {count} tokens.", finding=finding, says=says))
    return sentences


def _in_words(about: About | None) -> str:
    match about:
        case None:
            return "the volume"
        case WroteAboutSlice():
            return f"slice {about.number} of {about.count}"
        case WroteAboutFinding():
            return about.about
        case WroteAboutFindingOnSlice():
            return f"{about.about} on slice {about.number} of {about.count}"


def printable(text: str) -> str:
    """A text on one line, without what cannot be printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
