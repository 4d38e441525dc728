"""`dicom-node evaluate` on volumes with questions and reports: a volume-report bundle beside guesses and templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_node.operation.labelled_studies import labelled
from inference.algorithms import Reader
from inference.algorithms.report_judge import ReportJudge
from inference.algorithms.volume_report import VolumeReport
from inference.errors import DataError, UnsuitableImageError
from inference.evaluation import drawn
from inference.evaluation.answers import Answer
from inference.evaluation.cases import Labelled
from inference.evaluation.studies import Study, holds_studies, studies
from inference.evaluation.study_answers import Answered, Asking, Locate, Mode, answered
from inference.evaluation.study_figures import apart, study_apart, subset
from inference.findings import Algorithm
from inference.image import Image
from inference.language.conversation import Seen
from inference.language.localisation import located
from inference.language.prompts import listed


@dataclass(frozen=True, kw_only=True)
class StudiesAsked:
    """How a bundle is asked about studies.

    Attributes
    ----------
    modes
        What stands before the questions.
    letters
        Options are listed by letter behind the question, and a letter is the answer; else the options themselves are.
    localiser
        Says what was located; None: the location or the mask of the study.
    judge
        Gives GREEN of the reports.
    """

    modes: Sequence[Mode] = ("plain",)
    letters: bool = False
    localiser: Reader | None = None
    judge: ReportJudge | None = None


class VolumeReader:
    """A volume-report bundle that is asked; a `VolumeAnswers`."""

    def __init__(self, reader: VolumeReport, *, letters: bool) -> None:
        self._reader, self._letters = reader, letters

    @property
    def algorithm(self) -> Algorithm:
        """Who answers."""
        return self._reader.algorithm

    def looked_at(self, image: Image) -> Seen:
        """Look at a volume."""
        return self._reader.looked_at(image)

    def blank(self) -> Seen:
        """Look at nothing."""
        return self._reader.blank()

    def answer(self, seen: Seen, question: str, options: Sequence[str]) -> Answer:
        """Answer one question."""
        asked, written = listed(question, options) if options and self._letters else (question, options)
        text, probabilities = self._reader.replied(seen, asked, written)
        if not options:
            return Answer(text=text)
        return Answer(text=options[written.index(text)], options=dict(zip(options, probabilities, strict=True)))

    def report(self, seen: Seen) -> str | None:
        """Write a report."""
        return self._reader.reported(seen)


def evaluate_studies(
    reader: VolumeReport,
    folders: Sequence[tuple[str, Path]],
    fold: int | None,
    how: StudiesAsked,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Figures of a bundle's answers and reports.

    Parameters
    ----------
    folders
        Each with `studies.json`, a subset, by name.
    fold
        Studies of this part, by patient, are asked about, and those without a part; those of the other parts say what
        the majority and the most frequent report are. None: all are asked about, and say it themselves.

    Returns
    -------
    dict
        {"bundle", "digest", "subsets"}, each as `inference.evaluation.study_figures.subset`; the last is "all". With a
        judge its name and digest as "judge" and "judge_digest".

    Raises
    ------
    DataError
        If a folder holds no such studies or none of the fold, or they cannot be read.
    """
    if strange := [name for name, folder in folders if not holds_studies(folder)]:
        raise DataError(f"{', '.join(strange)}: {reader.algorithm.name} is asked about volumes (studies.json)")
    judge = how.judge
    asking = Asking(modes=how.modes, load=_loading(reader), locate=_locating(how.localiser))
    every: list[Answered] = []
    learnt: list[Study] = []
    subsets, whole = [], 0
    for name, folder in folders:
        test, training = _divided(studies(folder), name, fold)
        found = answered(VolumeReader(reader, letters=how.letters), test, asking, progress)
        subsets.append(subset(name, found, training, len(test) - len(found), judge))
        every += apart(found, name)
        learnt += [study_apart(study, name) for study in training]
        whole += len(test)
    alone = len(subsets) == 1
    subsets.append({**subsets[0], "name": "all"} if alone else subset("all", every, learnt, whole - len(every), judge))
    told = _named("bundle", "digest", reader.algorithm) | {"subsets": subsets}
    return told if judge is None else _named("judge", "judge_digest", judge.algorithm) | told


def _named(name: str, digest: str, algorithm: Algorithm) -> dict[str, Any]:
    return {name: f"{algorithm.name}-{algorithm.version}", digest: algorithm.digest}


def _divided(each: Sequence[Study], name: str, fold: int | None) -> tuple[list[Study], list[Study]]:
    test = [study for study in each if fold is None or study.fold in (None, fold)]
    if not test:
        raise DataError(f"{name}: none of its {len(each)} studies is of fold {fold}")
    return test, [study for study in each if study not in test]


def _loading(reader: VolumeReport) -> Callable[[Study], Labelled]:
    return lambda study: labelled(study, reader.inputs)


def _locating(localiser: Reader | None) -> Locate:
    return _by_study if localiser is None else lambda _, given: _by_reader(localiser, given)


def _by_study(study: Study, given: Labelled) -> str:
    if study.location is not None:
        return study.location
    if given.truth is None:
        raise DataError(f"{study.name}: neither location nor mask: nothing to put before its questions")
    return located(drawn.findings(given))


def _by_reader(localiser: Reader, given: Labelled) -> str:
    """Nothing where it abstains, as in the node."""
    try:
        return located(localiser.read(given.image).findings)
    except UnsuitableImageError:
        return ""
