"""A reader of volumes asked about each study: with its volume, without one, with another patient's; and its report.

Each volume is looked at once. Another patient's is that of the patient before, in an order drawn once for all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np

from inference.errors import UnsuitableImageError
from inference.evaluation.answers import Answer, Marks, mark
from inference.evaluation.cases import Labelled
from inference.evaluation.posed import Posed
from inference.evaluation.statistics import SEED, Values
from inference.evaluation.studies import Study
from inference.evaluation.tallies import Progress
from inference.evaluation.words import same
from inference.findings import Algorithm
from inference.image import Image

Mode = Literal["plain", "localised"]
"""What stands before a question: nothing, or what was located."""

Look = TypeVar("Look")
"""What a reader has of a volume once it looked at it."""

Load = Callable[[Study], Labelled]
"""Reads the volume of a study, and its mask if it has one; raises UnsuitableImageError where the node abstains."""

Locate = Callable[[Study, Labelled], str]
"""The sentence that says what was located in a study; raises DataError where nothing tells."""


class VolumeAnswers(Protocol[Look]):
    """A reader of volumes that answers questions and writes reports."""

    @property
    def algorithm(self) -> Algorithm:
        """Who answers."""

    def looked_at(self, image: Image) -> Look:
        """Look at a volume; raises UnsuitableImageError if it does not read such."""

    def blank(self) -> Look:
        """Look at nothing: a volume of zeros as the reader's network takes it."""

    def answer(self, seen: Look, question: str, options: Sequence[str]) -> Answer:
        """Answer one question; `options` is empty where there is nothing to choose from."""

    def report(self, seen: Look) -> str | None:
        """Write a report; None where the reader writes none."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How studies are asked.

    Attributes
    ----------
    modes
        Each question is asked in each of them.
    load, locate
        Of a study.
    """

    modes: Sequence[Mode]
    load: Load
    locate: Locate


@dataclass(frozen=True, kw_only=True, eq=False)
class Answered:
    """One study that was read.

    Attributes
    ----------
    marks
        By mode, (question, 4), in the order of `Marks`.
    report
        What the reader wrote, where the study has a reference; None else.
    """

    study: Study
    marks: dict[Mode, Values]
    report: str | None


def answered(
    reader: VolumeAnswers[Look], studies: Sequence[Study], asking: Asking, progress: Progress
) -> list[Answered]:
    """Ask about every study that the reader reads, in the order given; those that it abstains from are left out.

    Raises
    ------
    DataError
        If a volume cannot be read, a question cannot be asked, or nothing tells what was located.
    InferenceError
        If the reader fails.
    """
    blank, found = reader.blank(), dict[str, Answered]()
    before: Look | None = None
    first: list[_Asked] = []
    for patient in _patients(studies):
        look: Look | None = None
        for study in patient:
            progress(len(found), len(studies))
            try:
                labelled = asking.load(study)
                look = reader.looked_at(labelled.image)
            except UnsuitableImageError:
                continue
            told = _Asked(study, _texts(study, labelled, asking))
            told.fill(reader, look, _SEEING)
            told.fill(reader, blank, _BLANK)
            if before is None:
                first.append(told)
            else:
                told.fill(reader, before, _SHUFFLED)
            report = None if study.report is None else reader.report(look)
            found[study.name] = Answered(study=study, marks=told.marks, report=report)
        before = before if look is None else look
    alone = len({one.study.patient for one in found.values()}) < 2
    for told in first:
        if before is not None and not alone:
            told.fill(reader, before, _SHUFFLED)
    progress(len(studies), len(studies))
    return [found[study.name] for study in studies if study.name in found]


_SEEING, _BLANK, _SHUFFLED, _EXACT = range(4)


class _Asked:
    """Marks of one study as they come in."""

    def __init__(self, study: Study, texts: dict[Mode, list[str]]) -> None:
        self._questions, self._texts = study.questions, texts
        self.marks: dict[Mode, Values] = {mode: np.full((len(study.questions), 4), np.nan) for mode in texts}

    def fill(self, reader: VolumeAnswers[Look], seen: Look, column: int) -> None:
        """Ask every question of a volume that was looked at."""
        for mode, index, question, text in self._all():
            answer = reader.answer(seen, text, question.options)
            self.marks[mode][index, column] = mark(question, answer)
            if column == _SEEING:
                self.marks[mode][index, _EXACT] = float(same(answer.text, question.answer))

    def _all(self) -> Iterator[tuple[Mode, int, Posed, str]]:
        for mode, texts in self._texts.items():
            for index, (question, text) in enumerate(zip(self._questions, texts, strict=True)):
                yield mode, index, question, text


def marks_of(found: Sequence[Answered], mode: Mode) -> Marks:
    """Marks of all their questions, in order."""
    return Marks.of(np.concatenate([np.empty((0, 4)), *(one.marks[mode] for one in found)]))


def _texts(study: Study, labelled: Labelled, asking: Asking) -> dict[Mode, list[str]]:
    plain = [question.text for question in study.questions]
    if "localised" not in asking.modes or not plain:
        return dict.fromkeys(asking.modes, plain)
    location = asking.locate(study, labelled)
    with_it = [f"{location} {text}" if location else text for text in plain]
    return {mode: plain if mode == "plain" else with_it for mode in asking.modes}


def _patients(studies: Sequence[Study]) -> Iterator[list[Study]]:
    """Studies by patient, in an order that is the same in every run."""
    names = sorted({study.patient for study in studies})
    for index in np.random.default_rng(SEED).permutation(len(names)):
        yield [study for study in studies if study.patient == names[index]]
