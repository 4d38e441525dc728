"""Figures of studies that were asked about and reported: answers in each prompt mode and of each kind, and reports.

Patients are resampled. Where there is no training part, majority and most frequent report are those of the studies
themselves, which is more than one who guesses could know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from inference.evaluation import report_figures
from inference.evaluation.answer_figures import CLOSED, OPEN, PARTS, counted, figures, gain
from inference.evaluation.answers import Marks
from inference.evaluation.guesses import chance, majority_of_words
from inference.evaluation.judge import Judge
from inference.evaluation.posed import Posed
from inference.evaluation.report_figures import WrittenReport
from inference.evaluation.statistics import Values
from inference.evaluation.studies import Study
from inference.evaluation.study_answers import Answered, marks_of

LOCALISED = "_localised"
"""Ends the name of a figure of questions with what was located before them."""

_GUESSED = ("vqa_chance", "vqa_majority", "vqa_open_majority")  # whatever stands before the question


def subset(
    name: str, found: Sequence[Answered], training: Sequence[Study], abstained: int, judge: Judge | None = None
) -> dict[str, Any]:
    """Figures of studies as a subset of `run.report`.

    Parameters
    ----------
    found
        Those that were read.
    training
        Studies of other patients, for the majority and the most frequent report; empty: `found` themselves.
    abstained
        How many were not read.
    judge
        As in `report_figures.subset`.

    Returns
    -------
    dict
        {"name", "n_patients", "n_cases", "n_abstained", "n_closed", "n_open", "n_reports", "n_unread", "n_training",
        "metrics", "baselines", "over_baselines"}; cases are studies. Of answers as `answer_figures.figures`, of reports
        as `report_figures.subset`. Of each kind K of closed questions "vqa_closed_accuracy_of_K", beside it
        "vqa_majority_of_K" and "vqa_blind_of_K". Figures of questions with what was located before them end in
        "_localised"; where they were asked without it as well, "over_baselines" has "vqa_closed_accuracy_localised"
        over "vqa_closed_accuracy", and of open ones the same.

    Raises
    ------
    DataError
        If a patient of the training part is one of those that were read.
    """
    questions = [question for one in found for question in one.study.questions]
    told: dict[str, Any] = {
        "name": name,
        "n_patients": len({one.study.patient for one in found}),
        **counted(questions),
        "n_cases": len(found),
        "n_abstained": abstained,
        "n_training": len(training),
        **{part: {} for part in PARTS},
    }
    known = majority_of_words([q for study in training for q in study.questions], questions)
    guessed = {"chance": chance(questions), "majority": known}
    modes = found[0].marks if found and questions else ()
    each = {mode: marks_of(found, mode) for mode in modes}
    for mode, marks in each.items():
        whole = figures(questions, marks, guessed)
        _joined(whole, _of_kinds(questions, marks, guessed))
        _joined(told, _named_localised(whole) if mode == "localised" else whole)
    if len(each) == 2 and told["n_patients"] > 1:
        _compare(told, questions, each["localised"].seeing - each["plain"].seeing)
    _add_reports(told, found, training, judge)
    return told


def apart(found: Iterable[Answered], source: str) -> list[Answered]:
    """The same as one of several sources: equal names of patients in two are two patients."""
    return [replace(one, study=study_apart(one.study, source)) for one in found]


def study_apart(study: Study, source: str) -> Study:
    """The same of one study."""
    patient = f"{source}/{study.patient}"
    return replace(study, patient=patient, questions=tuple(replace(q, subject=patient) for q in study.questions))


def _joined(told: dict[str, Any], more: dict[str, Any]) -> None:
    for part in PARTS:
        told[part] |= more[part]


def _named_localised(told: dict[str, Any]) -> dict[str, Any]:
    def named(values: dict[str, Any]) -> dict[str, Any]:
        return {name if name.startswith(_GUESSED) else f"{name}{LOCALISED}": value for name, value in values.items()}

    over = {f"{metric}{LOCALISED}": named(gains) for metric, gains in told["over_baselines"].items()}
    return {"metrics": named(told["metrics"]), "baselines": named(told["baselines"]), "over_baselines": over}


def _of_kinds(questions: Sequence[Posed], marks: Marks, guessed: dict[str, Values]) -> dict[str, Any]:
    """Closed questions by kind."""
    told: dict[str, Any] = {part: {} for part in PARTS}
    for kind in sorted({question.kind for question in questions if question.closed and question.kind}):
        chosen = [index for index, question in enumerate(questions) if question.closed and question.kind == kind]
        part = figures(
            [questions[index] for index in chosen],
            Marks(
                seeing=marks.seeing[chosen],
                blank=marks.blank[chosen],
                shuffled=marks.shuffled[chosen],
                exact=marks.exact[chosen],
            ),
            {"majority": guessed["majority"][chosen]},
        )
        told["metrics"][f"{CLOSED}_of_{kind}"] = part["metrics"][CLOSED]
        for baseline in ("vqa_majority", "vqa_blind"):
            told["baselines"][f"{baseline}_of_{kind}"] = part["baselines"][baseline]
    return told


def _compare(told: dict[str, Any], questions: Sequence[Posed], differences: Values) -> None:
    """Localised over plain, in pairs."""
    closed = np.array([question.closed for question in questions], dtype=np.bool_)
    subjects = np.array([question.subject for question in questions])
    for metric, chosen in ((CLOSED, closed), (OPEN, ~closed)):
        names, units = np.unique(subjects[chosen], return_inverse=True)
        if len(names) > 1:
            over = told["over_baselines"].setdefault(f"{metric}{LOCALISED}", {})
            over[metric] = gain(units, differences[chosen], len(names))


def _add_reports(
    told: dict[str, Any], found: Sequence[Answered], training: Sequence[Study], judge: Judge | None
) -> None:
    written = [
        WrittenReport(
            name=one.study.name,
            patient=one.study.patient,
            reference=one.study.report,
            candidate=one.report,
            facts=one.study.facts,
        )
        for one in found
        if one.study.report is not None and one.report is not None
    ]
    learnt = [study.report for study in training if study.report is not None]
    told |= {"n_reports": len(written), "n_unread": 0}
    if written:
        part = report_figures.subset(told["name"], written, learnt or [report.reference for report in written], judge)
        told |= {key: value for key, value in part.items() if key in ("n_unread", "n_green_unread")}
        _joined(told, part)
