"""What a vision-language bundle says as findings: codes with probabilities from closed questions, the rest as drafts.

No side, no size and no number is taken from text that a language model wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.errors import InferenceError
from inference.findings import Algorithm, Finding, Findings, Narrative, Sentence
from inference.language.choice import Choice
from inference.language.guard import guard
from inference.language.writing import Written
from inference.manifests.talk import Question, Request
from inference.measured import probability_of
from inference.statements import ClosedAnswer, DraftCutOff, WroteAboutSlice, WroteAboutVolume


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
    """A text that was asked for; `about` is the slice that it is about, None for the whole volume."""

    request: Request
    written: Written
    about: WroteAboutSlice | None = None


def present(question: Question, choice: Choice) -> float:
    """Probability that the finding is there: of all options that say so."""
    pairs = zip(question.options, choice.probabilities, strict=True)
    return min(1.0, sum(probability for option, probability in pairs if option.present))


def told(algorithm: Algorithm, answers: Sequence[Answered], drafts: Sequence[Drafted]) -> Findings:
    """Everything that was said.

    Returns
    -------
    Findings
        Without segments. A finding for each question whose probability reaches its `least_probability`; the probability
        of every question among the measurements; a sentence for each question; and the texts as drafts, each sentence
        held against the coded findings by the guard.

    Raises
    ------
    InferenceError
        If a text was not ready in time, or was broken off.
    """
    found = [answer for answer in answers if answer.probability >= answer.question.least_probability]
    coded = Findings(
        algorithm=algorithm,
        segments=(),
        findings=tuple(
            Finding(
                label=answer.question.id,
                code=answer.question.code.code(),
                site=None if answer.question.site is None else answer.question.site.code(),
                probability=answer.probability,
                slice_probabilities=answer.by_slice,
            )
            for answer in found
        ),
        narrative=Narrative(
            sentences=(
                *(_answer(answer, named=answer in found) for answer in answers),
                *(sentence for draft in drafts for sentence in _announced(draft)),
            )
        ),
        measurements=tuple(
            probability_of(answer.question.code.code(), answer.question.id, answer.probability, answer.by_slice)
            for answer in answers
        ),
    )
    return guard([printable(draft.written.text) for draft in drafts], coded)


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


def announced(written: Written, slice_: WroteAboutSlice | None) -> list[Sentence]:
    """That a text was written, and about what; the text itself goes through the guard."""
    about, says = "the volume", WroteAboutVolume() if slice_ is None else slice_
    if slice_ is not None:
        about = f"slice {slice_.number} of {slice_.count}"
    text = f"A language model wrote about {about}; its text is a draft that nobody checked."
    sentences = [Sentence(text=text, says=says)]
    if written.ending == "tokens":
        count = len(written.tokens)
        sentences.append(Sentence(text=f"It was cut off after {count} tokens.", says=DraftCutOff(tokens=count)))
    return sentences


def printable(text: str) -> str:
    """A text on one line, without what cannot be printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
