"""How well kinds of finding are told apart, patient by patient: accuracy, F1, AUC and calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.ranking import auroc, ratio

ECE_BINS = 10
"""Of equal width over the probability of the class that is named."""

_LEAST = 1e-7  # a probability of 0 would outvote everything

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassTable:
    """Patients with one known class each; one whose cases show two classes has two lines.

    Attributes
    ----------
    patient
        (line,): index of the patient.
    truth
        (line,): index of the class.
    probability
        (line, class): geometric mean over the patient's cases, scaled to sum to 1.
    """

    patient: NDArray[np.int64]
    truth: NDArray[np.int64]
    probability: Values

    @property
    def named(self) -> NDArray[np.int64]:
        """(line,): index of the class named, the most probable."""
        index: NDArray[np.int64] = np.argmax(self.probability, axis=1)
        return index


def table(patient: Sequence[int], labels: Sequence[str], classes: Sequence[Mapping[str, float]]) -> ClassTable:
    """Put the cases of each patient together.

    Parameters
    ----------
    patient, labels, classes
        Of each case: index of its patient, its class, and the probability of every class by label.
    """
    names = sorted(classes[0])
    lines = sorted({(who, names.index(label)) for who, label in zip(patient, labels, strict=True)})
    place = {line: index for index, line in enumerate(lines)}
    log, count = np.zeros((len(lines), len(names))), np.zeros((len(lines), 1))
    for who, label, told in zip(patient, labels, classes, strict=True):
        line = place[who, names.index(label)]
        log[line] += np.log(np.clip([told[name] for name in names], _LEAST, 1.0))
        count[line] += 1.0
    raised = np.exp(log / count)
    return ClassTable(
        patient=np.array([who for who, _ in lines], dtype=np.int64),
        truth=np.array([truth for _, truth in lines], dtype=np.int64),
        probability=raised / raised.sum(axis=1, keepdims=True),
    )


def figures(weights: Values, lines: ClassTable) -> dict[str, Values]:
    """Figures on each row of weights, (row, patient); name to (row,), NaN where a row does not define it."""
    of_line = weights[:, lines.patient]
    right = lines.named == lines.truth
    return {
        "class_accuracy": ratio(of_line @ right.astype(np.float64), of_line.sum(axis=1)),
        "f1": _f1(of_line, lines),
        "auc": _auc(of_line, lines),
        "ece": _ece(of_line, lines.probability.max(axis=1), right),
    }


def baselines(lines: ClassTable) -> dict[str, float]:
    """Accuracy of always naming the most frequent class."""
    return {"class_majority": float(np.bincount(lines.truth).max() / len(lines.truth))}


def _f1(of_line: Values, lines: ClassTable) -> Values:
    """Mean over the classes that are there or named of 2 TP / (2 TP + FP + FN)."""
    each = []
    for index in range(lines.probability.shape[1]):
        there, named = lines.truth == index, lines.named == index
        both = of_line @ (there & named).astype(np.float64)
        each.append(ratio(2 * both, of_line @ (there.astype(np.float64) + named)))
    return _mean(each)


def _auc(of_line: Values, lines: ClassTable) -> Values:
    """Mean over the classes of the AUROC of each against the rest; a class that none or all have is passed over."""
    each = []
    for index in range(lines.probability.shape[1]):
        levels, level = np.unique(lines.probability[:, index], return_inverse=True)
        there = lines.truth == index
        at = np.eye(len(levels))[level]
        each.append(auroc(of_line @ (at * there[:, None]), of_line @ (at * ~there[:, None])))
    return _mean(each)


def _ece(of_line: Values, sure: Values, right: NDArray[np.bool_]) -> Values:
    """Expected calibration error: mean over the lines of |accuracy - probability| of their bin."""
    index = np.minimum((sure * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = of_line @ (np.eye(ECE_BINS)[index] * (right - sure)[:, None])
    return ratio(np.abs(gaps).sum(axis=1), of_line.sum(axis=1))


def _mean(each: Sequence[Values]) -> Values:
    """Mean of those that are defined, row by row."""
    stacked = np.array(each)
    known = np.isfinite(stacked)
    return ratio(np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
