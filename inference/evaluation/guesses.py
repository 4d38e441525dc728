"""Answers without a look at the image: chance, and what is said most often to that question or kind of question."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from inference.errors import DataError
from inference.evaluation.answers import Answer, mark
from inference.evaluation.posed import Posed
from inference.evaluation.statistics import Values
from inference.evaluation.words import answer_words

Group = tuple[bool, bool]
"""Whether closed, and whether its options are known: as much as the words of a question tell."""


def chance(questions: Sequence[Posed]) -> Values:
    """(question,): how right a draw among the options is; 1/2 of a closed question whose options are not known, which
    has two or more. Of open questions NaN.
    """
    return np.array([1.0 / (len(q.options) or 2) if q.closed else np.nan for q in questions])


def majority(training: Sequence[Posed], questions: Sequence[Posed]) -> Values:
    """How right the most frequent answers of a training part are, (question,), as `answers.mark`.

    Of its own kind, then of all kinds; where options are known, the most frequent one of them. Ties by text.

    Parameters
    ----------
    training
        Questions about other subjects.

    Raises
    ------
    DataError
        If there is none, or one about a subject of `questions`.
    """
    _check_apart(training, questions)
    return _most_frequent(training, questions, (_kind, _any))


def majority_of_words(training: Sequence[Posed], questions: Sequence[Posed]) -> Values:
    """The same for questions that come again word by word with each subject: of these words, then as `majority`.

    Without a training part, of `questions` themselves: more than anyone could know who guesses.

    Raises
    ------
    DataError
        If a question of the training part is about a subject of `questions`.
    """
    if training:
        _check_apart(training, questions)
    return _most_frequent(training or questions, questions, (_text, _kind, _any))


def _check_apart(training: Sequence[Posed], questions: Sequence[Posed]) -> None:
    shared = {q.subject for q in training} & {q.subject for q in questions}
    if shared or not training:
        raise DataError(f"the majority needs a training part about others; {len(shared)} of them are the same")


def _text(question: Posed) -> str:
    return " ".join(answer_words(question.text))


def _kind(question: Posed) -> str:
    return question.kind


def _any(_question: Posed) -> str:
    return ""


_Level = Callable[[Posed], str]


def _most_frequent(training: Sequence[Posed], questions: Sequence[Posed], levels: Sequence[_Level]) -> Values:
    counts: dict[tuple[_Level, Group, str], Counter[str]] = {}
    for question in training:
        answer = " ".join(answer_words(question.answer))
        for level in levels:
            counts.setdefault((level, _group(question), level(question)), Counter())[answer] += 1
    nothing: Counter[str] = Counter()
    return np.array(
        [_guessed(q, [counts.get((level, _group(q), level(q)), nothing) for level in levels]) for q in questions]
    )


def _group(question: Posed) -> Group:
    return question.closed, bool(question.options)


def _guessed(question: Posed, said: Sequence[Counter[str]]) -> float:
    """`said`: from the narrowest to the widest; a wider one counts where the narrower ones are silent or tie."""
    narrowest: Counter[str] = next((counter for counter in said if counter), Counter())
    known = [" ".join(answer_words(option)) for option in question.options] or sorted(narrowest)
    if not known:
        return 0.0
    best = min(range(len(known)), key=lambda index: (*(-counter[known[index]] for counter in said), known[index]))
    if question.options:
        chances = {option: float(index == best) for index, option in enumerate(question.options)}
        return mark(question, Answer(text=question.options[best], options=chances))
    return mark(question, Answer(text=known[best]))
