"""`studies.json`, the file that lists volumes with their questions and reference reports: its keys, and what they hold.

    [{"patient": "p1", "fold": 1, "volume": "p1/t1c.nii.gz", "modality": "MR", "weighting": "T1",
      "mask": "p1/lesion.nii.gz", "location": "Marked: glioma, left temporal lobe, longest axis 23 mm.",
      "report": "A 23 mm glioma in the left temporal lobe. No haemorrhage.",
      "facts": {"present": [{"finding": "glioma", "sides": ["left"], "sites": ["temporal"], "size_mm": 23}],
                "denied": ["haemorrhage"]},
      "questions": [{"text": "On which side is the lesion?", "options": ["left", "right", "both", "none"],
                     "answer": "left", "kind": "location"},
                    {"text": "Is there a haemorrhage?", "answer": "no", "kind": "abnormality"},
                    {"text": "What does the image show?", "answer": "a glioma"}]}]

Needed are `patient`, `volume`, of a NIfTI file `modality`, and `report` or a question. `facts` use the names of
`inference.evaluation.report_words`.
"""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from inference.errors import DataError
from inference.evaluation import report_words
from inference.evaluation.report_facts import Fact, Facts
from inference.image import Weighting
from inference.strict import Strict

FILE = "studies.json"

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


def _beside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in path:
        raise ValueError("not the path of a file in this folder")
    return path


Beside = Annotated[str, AfterValidator(_beside)]
"""Path of a file, or of a folder, from the folder of `studies.json`."""


def _word_of(words: report_words.Words) -> AfterValidator:
    def check(name: str) -> str:
        if name not in words:
            raise ValueError(f"none of {', '.join(words)}")
        return name

    return AfterValidator(check)


Finding = Annotated[str, _word_of(report_words.FINDINGS)]
Side = Annotated[str, _word_of(report_words.SIDES)]
Site = Annotated[str, _word_of(report_words.SITES)]


class FactEntry(Strict):
    """A finding that is there, with what is known of it."""

    finding: Finding
    sides: tuple[Side, ...] = ()
    sites: tuple[Site, ...] = ()
    size_mm: float | None = Field(default=None, gt=0)
    grade: Literal[1, 2, 3] | None = None

    def fact(self) -> Fact:
        """As the report score compares it."""
        return Fact(
            finding=self.finding,
            sides=frozenset(self.sides),
            sites=frozenset(self.sites),
            size_mm=self.size_mm,
            grade=self.grade,
        )


class FactsEntry(Strict):
    """What the reference says."""

    present: tuple[FactEntry, ...] = ()
    denied: tuple[Finding, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if {one.finding for one in self.present} & set(self.denied):
            raise ValueError("a finding is present and denied")
        return self

    def facts(self) -> Facts:
        """As the report score compares them."""
        return Facts(present=tuple(one.fact() for one in self.present), denied=frozenset(self.denied))


class QuestionEntry(Strict):
    """A question and its answer."""

    text: Text
    answer: Text
    options: tuple[Text, ...] = ()
    kind: str = Field(default="", pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$")


class StudyEntry(Strict):
    """One volume."""

    patient: Text
    fold: int | None = None
    volume: Beside
    modality: Literal["CT", "MR"] | None = None
    weighting: Weighting = "unknown"
    mask: Beside | None = None
    location: Text | None = None
    report: Text | None = None
    facts: FactsEntry | None = None
    questions: tuple[QuestionEntry, ...] = ()

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if not self.questions and self.report is None:
            raise ValueError("neither questions nor a report")
        if self.facts is not None and self.report is None:
            raise ValueError("facts of a report that is not there")
        return self


_ENTRIES = TypeAdapter(list[StudyEntry])


def entries(folder: Path) -> list[StudyEntry]:
    """What a folder's `studies.json` lists.

    Raises
    ------
    DataError
        If the file cannot be read, is another or lists nothing; the message names the place, and nothing that is there.
    """
    try:
        found = _ENTRIES.validate_json((folder / FILE).read_bytes())
    except OSError as error:
        raise DataError(f"{folder.name}/{FILE}: {error.strerror}") from error
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "file"
        raise DataError(f"{folder.name}/{FILE}: {place}: {error.errors()[0]['msg']}") from error
    if not found:
        raise DataError(f"{folder.name}/{FILE}: lists no study")
    return found
