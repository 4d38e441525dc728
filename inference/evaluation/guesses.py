"""Answers without a look at the picture: chance, and what a training part says most often to that kind of question."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from inference.errors import DataError
from inference.evaluation.answers import Answer, mark
from inference.evaluation.questions import Question
from inference.evaluation.statistics import Values
from inference.evaluation.words import answer_words

Group = tuple[bool, bool]
"""Whether closed, and whether its options are known: as much as the words of a question tell."""


def chance(questions: Sequence[Question]) -> Values:
    """(question,): how right a draw among the options is; 1/2 of a closed question whose options are not known, which
    has two or more. Of open questions NaN.
    """
    return np.array([1.0 / (len(q.options) or 2) if q.closed else np.nan for q in questions])


def majority(training: Sequence[Question], questions: Sequence[Question]) -> Values:
    """How right the most frequent answers are, (question,), as `answers.mark`.

    Of its own kind, then of all kinds; where options are known, the most frequent one of them. Ties by text.

    Parameters
    ----------
    training
        Questions about other pictures.

    Raises
    ------
    DataError
        If there is none, or one about a picture of `questions`.
    """
    shared = {q.image for q in training} & {q.image for q in questions}
    if shared or not training:
        raise DataError(f"the majority needs a training part with other pictures; {len(shared)} of them are the same")
    by_kind: dict[tuple[Group, str], Counter[str]] = {}
    by_group: dict[Group, Counter[str]] = {}
    for question in training:
        answer = " ".join(answer_words(question.answer))
        by_kind.setdefault((_group(question), question.kind), Counter())[answer] += 1
        by_group.setdefault(_group(question), Counter())[answer] += 1
    nothing: Counter[str] = Counter()
    return np.array(
        [_guessed(q, by_kind.get((_group(q), q.kind), nothing), by_group.get(_group(q), nothing)) for q in questions]
    )


def _group(question: Question) -> Group:
    return question.closed, bool(question.options)


def _guessed(question: Question, of_kind: Counter[str], of_group: Counter[str]) -> float:
    known = [" ".join(answer_words(option)) for option in question.options] or sorted(of_kind or of_group)
    if not known:
        return 0.0
    best = min(range(len(known)), key=lambda index: (-of_kind[known[index]], -of_group[known[index]], known[index]))
    if question.options:
        chances = {option: float(index == best) for index, option in enumerate(question.options)}
        return mark(question, Answer(text=question.options[best], options=chances))
    return mark(question, Answer(text=known[best]))
