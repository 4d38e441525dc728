"""A reader's answers to questions about pictures: asked with the picture, with an empty one, and with another's.

A closed question is right where the option that the reader thinks most probable is the right one; a tie is no answer.
A reader without probabilities must say an option, or its letter, and nothing else: a part of its text is not searched.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from inference.evaluation.posed import Posed
from inference.evaluation.questions import Pixels, Question
from inference.evaluation.statistics import SEED, Values
from inference.evaluation.tallies import Progress
from inference.evaluation.words import answer_words, same, token_f1
from inference.findings import Algorithm

_LETTER = re.compile(r"\(?([A-Za-z])[).]?\Z")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a reader says.

    Attributes
    ----------
    text
        Its words.
    options
        Probability of each option of a closed question; empty where the reader gives none.
    """

    text: str
    options: Mapping[str, float] = field(default_factory=dict)


class Answers(Protocol):
    """A reader of pictures that answers questions."""

    @property
    def algorithm(self) -> Algorithm:
        """Who answers."""

    def answer(self, question: str, options: Sequence[str], image: Pixels) -> Answer:
        """Answer one question about one picture; `options` is empty where there is nothing to choose from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Marks:
    """How right the answers are, (question,): of closed questions 0 or 1, of open ones token F1.

    Attributes
    ----------
    seeing
        Asked with the picture or volume.
    blank
        Asked with a black one of the same size.
    shuffled
        Asked with another subject's; NaN where there is one subject alone.
    exact
        Whether the words are the right ones after normalisation, asked with the picture or volume.
    """

    seeing: Values
    blank: Values
    shuffled: Values
    exact: Values

    @staticmethod
    def of(told: Values) -> "Marks":
        """From (question, 4), in the order above."""
        return Marks(seeing=told[:, 0], blank=told[:, 1], shuffled=told[:, 2], exact=told[:, 3])


def ask(reader: Answers, questions: Sequence[Question], progress: Progress) -> Marks:
    """Ask every question three times.

    Raises
    ------
    DataError
        If a picture cannot be read.
    InferenceError
        If the reader fails.
    """
    others = _others(questions)
    told = np.full((len(questions), 4), np.nan)
    for index, question in enumerate(questions):
        image, other = question.load(), others.get(question.image)
        answer = _ask(reader, question, image)
        told[index, 0], told[index, 3] = mark(question, answer), float(same(answer.text, question.answer))
        told[index, 1] = mark(question, _ask(reader, question, np.zeros_like(image)))
        if other is not None:
            told[index, 2] = mark(question, _ask(reader, question, other.load()))
        progress(index + 1, len(questions))
    return Marks.of(told)


def mark(question: Posed, answer: Answer) -> float:
    """How right an answer is, as `Marks`."""
    if not question.closed:
        return token_f1(answer_words(answer.text), answer_words(question.answer))
    if not question.options:
        return float(same(answer.text, question.answer))
    index = chosen(answer, question.options)
    return float(index is not None and same(question.options[index], question.answer))


def chosen(answer: Answer, options: Sequence[str]) -> int | None:
    """Index of the option that an answer is, None where it is none."""
    if answer.options:
        chances = [answer.options.get(option, 0.0) for option in options]
        best = [index for index, chance in enumerate(chances) if chance == max(chances)]
        return best[0] if len(best) == 1 else None
    said = [index for index, option in enumerate(options) if same(answer.text, option)]
    letter = _LETTER.match(answer.text.strip())
    if not said and letter:
        said = [index for index in range(len(options)) if chr(ord("A") + index) == letter[1].upper()]
    return said[0] if len(said) == 1 else None


def _ask(reader: Answers, question: Question, image: Pixels) -> Answer:
    return reader.answer(question.text, question.options, image)


def _others(questions: Sequence[Question]) -> dict[str, Question]:
    """For each picture a question about another one, the same in every run."""
    first = {question.image: question for question in reversed(questions)}
    names = sorted(first)
    if len(names) < 2:
        return {}
    order = [names[index] for index in np.random.default_rng(SEED).permutation(len(names))]
    return {name: first[other] for name, other in zip(order, [*order[1:], order[0]], strict=True)}
