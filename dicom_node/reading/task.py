"""What one reading takes and gives: Task, Analysis, ReadingResult; plain values that cross a process border."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from dicom_node.results.identity import Predecessor
from dicom_node.results.rendering import Rendering
from dicom_node.study import Language, Outcome, ResultObject
from inference.asked import Asked, ImageWithQuestion
from inference.findings import Findings
from inference.image import Image
from inference.inputs import Inputs, TextInputs
from inference.report_text import ReportText
from inference.text_opinion import ImageWithText


@dataclass(frozen=True, kw_only=True)
class TextReading:
    """A report-classifier bundle that reads the study's text beside the images.

    Attributes
    ----------
    name, digest
        Of the bundle.
    inputs
        Which text it reads.
    """

    name: str
    digest: str
    inputs: TextInputs


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to be answered in the place of a reading.

    Attributes
    ----------
    asked
        The question.
    tracked
        (label, Tracking Unique Identifier) of each of `asked.found`.
    """

    asked: Asked
    tracked: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if [label for label, _ in self.tracked] != [finding.label for finding in self.asked.found]:
            raise ValueError("everything that was found is tracked")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One algorithm on the instances of one study.

    Attributes
    ----------
    instances
        Whole DICOM files (PS3.10), in any order.
    algorithm
        Name of the algorithm or bundle.
    algorithm_digest
        `inference.findings.Algorithm.digest` of it; 64 zeros where `forced` says there was none.
    inputs
        Which series, or which text, it reads; None only with `forced`.
    configuration_digest, software_version, version
        As in `dicom_node.results.identity.Identity`.
    renderings
        Profiles and classes the content is written in, each once; at least one.
    analysed_at
        Start of the analysis, aware; None: when the newest instance was made.
    predecessors
        Objects of the study's previous version.
    earlier
        Measurement reports of the study's earlier versions as whole DICOM files, the newest first: what is found
        again keeps their tracking identifiers.
    forced
        Outcome and reason where no analysis is to be made: only the outcome report is written.
    outcome_report
        Write an outcome SR where there is no result.
    report
        Text given with the task, for an algorithm that reads text; None: it is looked for in the study.
    language
        Of the sentences in the results.
    beside
        What reads the text beside the images, and is joined to what they say; None: nothing does.
    question
        What the algorithm is asked about the images; None: they are read.
    """

    instances: tuple[bytes, ...]
    algorithm: str
    algorithm_digest: str
    inputs: Inputs | TextInputs | None
    configuration_digest: str
    software_version: str
    renderings: tuple[Rendering, ...]
    analysed_at: datetime | None
    version: int = 1
    predecessors: tuple[Predecessor, ...] = ()
    earlier: tuple[bytes, ...] = field(default=(), repr=False)
    forced: tuple[Outcome, str] | None = None
    outcome_report: bool = True
    report: str | None = field(default=None, repr=False)
    beside: TextReading | None = None
    language: Language = "en"
    question: Question | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.instances:
            raise ValueError("a task without instances")
        if not self.renderings or len(set(self.renderings)) != len(self.renderings):
            raise ValueError("a task has at least one rendering, and each once")
        if (self.inputs is None) == (self.forced is None):
            raise ValueError("a task has either inputs to choose a series by, or a forced outcome")
        if self.report is not None and not isinstance(self.inputs, TextInputs) and self.beside is None:
            raise ValueError("a report's text for an algorithm that reads none")
        if self.beside is not None and not isinstance(self.inputs, Inputs):
            raise ValueError("a text is read beside images")
        if self.question is not None and (self.beside is not None or not isinstance(self.inputs, Inputs)):
            raise ValueError("a question is asked about images alone")
        if self.forced is not None and self.forced[0] is Outcome.RESULT:
            raise ValueError("a result cannot be forced")
        if self.language not in get_args(Language):
            raise ValueError("a language that results are not written in")
        if self.analysed_at is not None and self.analysed_at.tzinfo is None:
            raise ValueError("analysed_at must be aware")


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What the session host answers: findings, the execution provider that computed them, and how long it took, s."""

    findings: Findings
    provider: str
    seconds: float


Given = Image | ReportText | ImageWithText | ImageWithQuestion
"""What an algorithm is given to read."""

Analyse = Callable[[str, Given], Analysis]
"""Name of an algorithm and what it is given to its analysis; raises errors of `dicom_node.errors`."""


@dataclass(frozen=True, kw_only=True)
class ReadingResult:
    """How a reading ended.

    Attributes
    ----------
    outcome, reason
        What the study gets; the reason is empty for a result.
    objects
        Of every rendering, ready to be kept and sent; may be none.
    instances_digest
        As in `dicom_node.results.identity.Identity`.
    series
        Series Instance UID of what was read; empty where nothing of the study was.
    left
        (Series Instance UID, why) of the image series, or of the documents, that were not read.
    notes
        What should be known of the series that was read.
    findings
        Coded findings, JSON values: code, site, laterality, probability, measurements, tracking_uid.
    narrative
        The text, in the task's language.
    provider, seconds
        As in `Analysis`; empty and 0 where nothing was analysed.
    answers
        Of a question, JSON values as `dicom_node.reading.summary.answered` gives them.
    """

    outcome: Outcome
    reason: str
    objects: tuple[ResultObject, ...]
    instances_digest: str
    series: str = ""
    left: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = field(default=())
    narrative: str = ""
    provider: str = ""
    seconds: float = 0.0
    answers: tuple[dict[str, Any], ...] = field(default=(), repr=False)
