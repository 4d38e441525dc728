"""Figures of answers about pictures, closed and open, beside chance, majority and the reader asked without the picture.

Pictures are resampled: whose they are is not known, and questions about one picture are not independent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.evaluation import statistics
from inference.evaluation.answers import Answers, Marks, ask
from inference.evaluation.guesses import chance, majority
from inference.evaluation.questions import Question
from inference.evaluation.statistics import Values
from inference.evaluation.tallies import Progress

CLOSED, OPEN = "vqa_closed_accuracy", "vqa_open_f1"


def answered(
    reader: Answers, name: str, questions: Sequence[Question], training: Sequence[Question], progress: Progress
) -> dict[str, Any]:
    """Ask a reader and take the figures; the result as `subset`, raises as `ask` and `majority`."""
    return subset(name, questions, ask(reader, questions, progress), training)


def subset(name: str, questions: Sequence[Question], marks: Marks, training: Sequence[Question]) -> dict[str, Any]:
    """Figures of answers as a subset of `run.report`.

    Parameters
    ----------
    marks
        Of those questions.
    training
        Questions about other pictures, for the majority.

    Returns
    -------
    dict
        {"name", "n_images", "n_cases", "n_closed", "n_open", "metrics", "baselines", "over_baselines"}; cases are
        questions. Of the closed ones "vqa_closed_accuracy", beside it "vqa_chance", "vqa_majority" and "vqa_blind", the
        better of "vqa_blind_blank" and "vqa_blind_shuffled". Of the open ones "vqa_open_f1" and "vqa_open_exact",
        beside them "vqa_open_majority", "vqa_open_blind" and the like, of token F1. "over_baselines" is {METRIC:
        {BASELINE: `statistics.gain`}}, its n pictures, empty with fewer than 2.

    Raises
    ------
    DataError
        As `majority`.
    """
    closed = np.array([question.closed for question in questions], dtype=np.bool_)
    images = np.array([question.image for question in questions])
    guessed = majority(training, questions)
    told: dict[str, Any] = {
        "name": name,
        "n_images": len(set(images)),
        "n_cases": len(questions),
        "n_closed": int(closed.sum()),
        "n_open": int((~closed).sum()),
        **{key: {} for key in ("metrics", "baselines", "over_baselines")},
    }
    blind = {"blind_blank": marks.blank, "blind_shuffled": marks.shuffled}
    drawn = {"chance": chance(questions), "majority": guessed} | blind
    _add(told, images[closed], {CLOSED: marks.seeing[closed]}, {f"vqa_{k}": v[closed] for k, v in drawn.items()})
    known = {"majority": guessed} | blind
    seen = {OPEN: marks.seeing[~closed], "vqa_open_exact": marks.exact[~closed]}
    _add(told, images[~closed], seen, {f"vqa_open_{k}": v[~closed] for k, v in known.items()})
    return told


def _add(told: dict[str, Any], images: NDArray[np.str_], seen: Mapping[str, Values], known: dict[str, Values]) -> None:
    """Figures of one sort of questions; of the metrics the first is compared with the baselines."""
    known = {kind: values for kind, values in known.items() if np.isfinite(values).all()}
    if not len(images):
        return
    names, units = np.unique(images, return_inverse=True)
    count, rows = len(names), statistics.weights(len(names))
    for kind, values in seen.items():
        told["metrics"][kind] = statistics.interval(statistics.means(rows, units, values), count)
    means = {kind: float(values.mean()) for kind, values in known.items()}
    blind = {kind: value for kind, value in means.items() if "_blind_" in kind}
    told["baselines"] |= {next(iter(blind)).rsplit("_", 1)[0]: max(blind.values())} | means
    if count > 1:
        first = next(iter(seen))
        cases = statistics.summed(units, np.ones(len(units)), count)
        told["over_baselines"][first] = {
            kind: statistics.gain(statistics.summed(units, seen[first] - values, count), cases)
            for kind, values in known.items()
        }
