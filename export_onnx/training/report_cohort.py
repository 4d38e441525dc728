"""Labelled reports from a table, divided by patient; a patient's reports are never on two sides."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export_onnx.errors import ExportError

COLUMNS = ("text", "label", "patient")
_TRAINING, _VALIDATION = 0.7, 0.15  # of the patients; the rest is the test


@dataclass(frozen=True, kw_only=True)
class Report:
    """One labelled report; `repr` shows nothing of it."""

    text: str
    label: str
    patient: str

    def __repr__(self) -> str:
        return f"Report({len(self.text)} characters)"


@dataclass(frozen=True, kw_only=True)
class Division:
    """Reports by what they are for."""

    training: tuple[Report, ...]
    validation: tuple[Report, ...]
    test: tuple[Report, ...]


def read(path: Path) -> list[Report]:
    """Reports of a CSV file with the columns text, label and patient, UTF-8.

    Raises
    ------
    ExportError
        If it cannot be read, or a row has no text, label or patient; the message names the line, never its content.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise ExportError(f"{path.name}: not a table in UTF-8 ({type(error).__name__})") from None
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise ExportError(f"{path.name}: a table with the columns {', '.join(COLUMNS)} is needed")
    for number, row in enumerate(rows, start=1):
        if not all((row[column] or "").strip() for column in COLUMNS):
            raise ExportError(f"{path.name}: report {number} lacks text, label or patient")
    return [Report(text=row["text"], label=row["label"].strip(), patient=row["patient"].strip()) for row in rows]


def divided(reports: Sequence[Report], seed: int) -> Division:
    """70, 15 and 15 % of the patients, drawn by the seed.

    Raises
    ------
    ExportError
        If a part would lack a class that another has: there are too few patients.
    """
    patients = np.random.default_rng(seed).permutation(sorted({report.patient for report in reports})).tolist()
    first, second = round(_TRAINING * len(patients)), round((_TRAINING + _VALIDATION) * len(patients))
    groups = [set(patients[:first]), set(patients[first:second]), set(patients[second:])]
    parts = [tuple(report for report in reports if report.patient in group) for group in groups]
    labels = {report.label for report in reports}
    if len(labels) < 2 or any({report.label for report in part} != labels for part in parts):
        raise ExportError(f"{len(patients)} patients: too few to have every class in training, validation and test")
    return Division(training=parts[0], validation=parts[1], test=parts[2])
