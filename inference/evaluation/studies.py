"""Volumes with questions and reference reports as `studies.json` lists them: `studies(folder)` reads the list alone.

What is not in the file is not made up.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inference.errors import DataError
from inference.evaluation.posed import Posed, options_of
from inference.evaluation.report_facts import Facts, facts_of
from inference.evaluation.studies_file import FILE, QuestionEntry, StudyEntry, entries
from inference.image import Weighting


@dataclass(frozen=True, kw_only=True)
class Study:
    """A volume, and what is known of it. Patient data: never in a message, a log or a result.

    Attributes
    ----------
    name
        Its place in the file.
    fold
        Part by patient; None where the data have none.
    volume, mask
        NIfTI files, or a folder of one DICOM series and a segmentation of it.
    modality
        Of a NIfTI file; None for DICOM, whose headers say it.
    location
        What was localised, in a sentence; None where nobody wrote one.
    report
        The reference; None where there is none.
    facts
        Of the reference: as the file states them, else as its words say them.
    questions
        With the patient as their subject.
    """

    name: str
    patient: str
    fold: int | None
    volume: Path
    modality: Literal["CT", "MR"] | None
    weighting: Weighting
    mask: Path | None
    location: str | None
    report: str | None
    facts: Facts
    questions: tuple[Posed, ...]

    def __repr__(self) -> str:
        return f"Study({self.name}: {len(self.questions)} questions)"


def holds_studies(folder: Path) -> bool:
    """Whether a folder is of this layout."""
    return (folder / FILE).is_file()


def studies(folder: Path) -> list[Study]:
    """Every study of a folder, as the file has them; no volume is read.

    Parameters
    ----------
    folder
        With `studies.json`, as `inference.evaluation.studies_file` says. A question with `options` is closed, one
        answered yes or no as well, any other open.

    Raises
    ------
    DataError
        If the file cannot be read or is another, a file that it names is not there, a patient is in two folds, or a
        volume is there twice; the message names the place.
    """
    found = [_study(f"{folder.name}/{FILE}: {number}", entry, folder) for number, entry in enumerate(entries(folder))]
    _apart(found)
    return found


def _study(name: str, entry: StudyEntry, folder: Path) -> Study:
    volume, mask = folder / entry.volume, None if entry.mask is None else folder / entry.mask
    if not volume.exists():
        raise DataError(f"{name}: its volume is not there")
    if mask is not None and not mask.is_file():
        raise DataError(f"{name}: its mask is not there")
    if (entry.modality is None) != volume.is_dir():
        raise DataError(f"{name}: modality is said of a NIfTI file, and of DICOM by its headers alone")
    return Study(
        name=name,
        patient=entry.patient,
        fold=entry.fold,
        volume=volume,
        modality=entry.modality,
        weighting=entry.weighting,
        mask=mask,
        location=entry.location,
        report=entry.report,
        facts=facts_of(entry.report or "") if entry.facts is None else entry.facts.facts(),
        questions=tuple(_posed(f"{name}.questions.{n}", q, entry.patient) for n, q in enumerate(entry.questions)),
    )


def _posed(place: str, entry: QuestionEntry, patient: str) -> Posed:
    options = options_of(entry.answer, entry.options, place)
    return Posed(
        subject=patient,
        text=entry.text.strip(),
        answer=entry.answer.strip(),
        kind=entry.kind,
        closed=bool(options),
        options=options,
    )


def _apart(found: list[Study]) -> None:
    folds: dict[str, int | None] = {}
    volumes: set[Path] = set()
    for study in found:
        if folds.setdefault(study.patient, study.fold) != study.fold:
            raise DataError(f"{study.name}: its patient is in another fold as well")
        if study.volume in volumes:
            raise DataError(f"{study.name}: its volume is another study's as well")
        volumes.add(study.volume)
