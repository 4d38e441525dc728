"""Folders of questions about pictures as VQA-RAD comes: `train.json` and `images/`; parts that share no picture.

Where it is known whose pictures they are, the patient is the unit that is divided and resampled. Else it is the
picture, and two pictures of one patient may fall into two parts.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import UnidentifiedImageError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from inference.errors import DataError
from inference.evaluation.posed import Posed, options_of

FILE = "train.json"
IMAGES = "images"

FOLDS = 4
"""Parts by picture."""

Pixels = NDArray[np.uint8]
"""(row, column, 3), red, green and blue, as displayed."""


@dataclass(frozen=True, kw_only=True)
class Question(Posed):
    """A question about a picture; its subject is the patient, or the picture where nobody knows whose it is.

    Attributes
    ----------
    fold
        Part by subject, 1 to `FOLDS`.
    image_file
        The picture.
    """

    fold: int
    image_file: Path

    @property
    def image(self) -> str:
        """Name of the picture."""
        return self.image_file.name

    def load(self) -> Pixels:
        """Read the picture.

        Raises
        ------
        DataError
            If it cannot be read.
        """
        try:
            with Picture.open(self.image_file) as opened:
                return np.asarray(opened.convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{self.image} cannot be read as a picture") from error


class _Entry(BaseModel):
    image_name: str = Field(pattern=r"^[^/\\]+$")
    question: str
    answer: str
    answer_type: str
    question_type: str
    options: tuple[str, ...] = ()
    patient: str | None = Field(default=None, min_length=1)
    fold: int | None = Field(default=None, ge=1, le=FOLDS)

    @model_validator(mode="after")
    def _patients_are_divided(self) -> Self:
        if (self.patient is None) != (self.fold is None):
            raise ValueError("a patient has a fold, and a picture of nobody known is divided by its name")
        return self


_ENTRIES = TypeAdapter(list[_Entry])


def holds_questions(folder: Path) -> bool:
    """Whether a folder is of this layout."""
    return (folder / FILE).is_file() and (folder / IMAGES).is_dir()


def questions(folder: Path) -> list[Question]:
    """Every question of a folder, as the file has them.

    Parameters
    ----------
    folder
        With `images/` and `train.json`, a list of objects with image_name, question, answer, answer_type ("CLOSED" or
        "OPEN"), question_type (the first of several counts) and, where they are known, options; and where it is known
        whose picture it is, patient and fold.

    Raises
    ------
    DataError
        If the file cannot be read or is another, or a patient is in two folds; the message names the place.
    """
    try:
        entries = _ENTRIES.validate_json((folder / FILE).read_bytes())
    except OSError as error:
        raise DataError(f"{folder.name}/{FILE}: {error.strerror}") from error
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "file"
        raise DataError(f"{folder.name}/{FILE}: {place}: {error.errors()[0]['msg']}") from error
    folds: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if entry.patient is not None and folds.setdefault(entry.patient, entry.fold or 0) != entry.fold:
            raise DataError(f"{folder.name}/{FILE}: {number}: its patient is in another fold as well")
    return [_question(number, entry, folder) for number, entry in enumerate(entries)]


def fold_of(image: str) -> int:
    """Part of a picture by its name alone, 1 to `FOLDS`: the same wherever and in whatever order it is read."""
    return hashlib.sha256(f"questions\x1f{image}".encode()).digest()[0] % FOLDS + 1


def _question(number: int, entry: _Entry, folder: Path) -> Question:
    closed = entry.answer_type.strip().upper() == "CLOSED"
    place = f"{folder.name}/{FILE}: {number}"
    options = options_of(entry.answer, entry.options, place) if closed or entry.options else ()
    return Question(
        subject=entry.patient or entry.image_name,
        text=entry.question.strip(),
        answer=entry.answer.strip(),
        kind=entry.question_type.split(",")[0].strip().upper(),
        closed=closed,
        options=options,
        fold=entry.fold or fold_of(entry.image_name),
        image_file=folder / IMAGES / entry.image_name,
    )
