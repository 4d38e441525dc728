"""Figures of answers, closed and open, beside chance, majority and the reader asked without the picture or volume.

Subjects are resampled: patients, or pictures where it is not known whose they are. Questions about one of them are not
independent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.evaluation import statistics
from inference.evaluation.answers import Answers, Marks, ask
from inference.evaluation.guesses import chance, majority
from inference.evaluation.posed import Posed
from inference.evaluation.questions import Question
from inference.evaluation.statistics import Values
from inference.evaluation.tallies import Progress

CLOSED, OPEN, EXACT = "vqa_closed_accuracy", "vqa_open_f1", "vqa_open_exact"

PARTS = ("metrics", "baselines", "over_baselines")
"""What figures are told in."""


def answered(
    reader: Answers, name: str, questions: Sequence[Question], training: Sequence[Question], progress: Progress
) -> dict[str, Any]:
    """Ask a reader and take the figures; the result as `subset`, raises as `ask` and `majority`."""
    return subset(name, questions, ask(reader, questions, progress), training)


def subset(name: str, questions: Sequence[Question], marks: Marks, training: Sequence[Question]) -> dict[str, Any]:
    """Figures of answers about pictures as a subset of `run.report`.

    Parameters
    ----------
    marks
        Of those questions.
    training
        Questions about other pictures, for the majority.

    Returns
    -------
    dict
        {"name", "n_images", "n_patients", "n_cases", "n_closed", "n_open", "metrics", "baselines", "over_baselines"};
        cases are questions, patients subjects, the rest as `figures`, with chance and majority.

    Raises
    ------
    DataError
        As `majority`.
    """
    guessed = {"chance": chance(questions), "majority": majority(training, questions)}
    images, patients = {question.image for question in questions}, {question.subject for question in questions}
    counts = {"name": name, "n_images": len(images), "n_patients": len(patients), **counted(questions)}
    return counts | figures(questions, marks, guessed)


def counted(questions: Sequence[Posed]) -> dict[str, int]:
    """{"n_cases", "n_closed", "n_open"}."""
    closed = sum(question.closed for question in questions)
    return {"n_cases": len(questions), "n_closed": closed, "n_open": len(questions) - closed}


def figures(questions: Sequence[Posed], marks: Marks, guessed: Mapping[str, Values]) -> dict[str, Any]:
    """Figures of answers.

    Parameters
    ----------
    marks
        Of those questions.
    guessed
        By name, (question,): how right guesses are, NaN where nothing can be guessed.

    Returns
    -------
    dict
        {"metrics", "baselines", "over_baselines"}. Of the closed ones "vqa_closed_accuracy", beside it "vqa_" with each
        name of `guessed` and "vqa_blind", the better of "vqa_blind_blank" and "vqa_blind_shuffled". Of the open ones
        "vqa_open_f1" and "vqa_open_exact", beside them "vqa_open_majority", "vqa_open_blind" and the like, of token F1.
        "over_baselines" is {METRIC: {BASELINE: `statistics.gain`}}, its n subjects, empty with fewer than 2.
    """
    closed = np.array([question.closed for question in questions], dtype=np.bool_)
    subjects = np.array([question.subject for question in questions])
    told: dict[str, Any] = {part: {} for part in PARTS}
    drawn = dict(guessed) | {"blind_blank": marks.blank, "blind_shuffled": marks.shuffled}
    of_closed = {f"vqa_{k}": v[closed] for k, v in drawn.items()}
    _add(told, subjects[closed], {CLOSED: marks.seeing[closed]}, of_closed)
    seen = {OPEN: marks.seeing[~closed], EXACT: marks.exact[~closed]}
    of_open = {f"vqa_open_{k}": v[~closed] for k, v in drawn.items()}
    _add(told, subjects[~closed], seen, of_open)
    return told


def _add(
    told: dict[str, Any], subjects: NDArray[np.str_], seen: Mapping[str, Values], known: dict[str, Values]
) -> None:
    """Figures of one sort of questions; of the metrics the first is compared with the baselines."""
    known = {kind: values for kind, values in known.items() if np.isfinite(values).all()}
    if not len(subjects):
        return
    names, units = np.unique(subjects, return_inverse=True)
    count, rows = len(names), statistics.weights(len(names))
    for kind, values in seen.items():
        told["metrics"][kind] = statistics.interval(statistics.means(rows, units, values), count)
    means = {kind: float(values.mean()) for kind, values in known.items()}
    blind = {kind: value for kind, value in means.items() if "_blind_" in kind}
    told["baselines"] |= {next(iter(blind)).rsplit("_", 1)[0]: max(blind.values())} | means
    if count > 1:
        first = next(iter(seen))
        told["over_baselines"][first] = {
            kind: gain(units, seen[first] - values, count) for kind, values in known.items()
        }


def gain(units: NDArray[np.int64], differences: Values, count: int) -> dict[str, Any]:
    """`statistics.gain` of differences, (question,), by the index of each one's subject."""
    cases = statistics.summed(units, np.ones(len(units)), count)
    return statistics.gain(statistics.summed(units, differences, count), cases)
