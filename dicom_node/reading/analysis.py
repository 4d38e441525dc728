"""Reading one study as a function of bytes: instances in, objects and outcome out; takes no path, connection or global.

The model is asked through a function that is given, so that the same code runs in a cage, in a script or as a task of
another engine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dicom_node.errors import UnsuitableError
from dicom_node.reading.back_on_planes import on_planes
from dicom_node.reading.header_values import text
from dicom_node.reading.moment import newest
from dicom_node.reading.part10 import Part10, parse
from dicom_node.reading.patient import check_one_patient
from dicom_node.reading.report_document import choose_document, documents, no_text
from dicom_node.reading.selection import Choice, choose, nothing_fits
from dicom_node.reading.series import ImageSeries, survey
from dicom_node.reading.side_by_side import side_by_side
from dicom_node.reading.summary import answered, summarised
from dicom_node.reading.task import Analyse, Analysis, Given, Question, ReadingResult, Task
from dicom_node.reading.volume import load
from dicom_node.results.drafts import drafted
from dicom_node.results.identity import Identity
from dicom_node.results.objects import write_all, write_answer, write_outcome
from dicom_node.results.source import Source, TextSource
from dicom_node.results.spoken import spoken
from dicom_node.results.tracked import tracked
from dicom_node.results.tracking import follow
from dicom_node.study import Language, Outcome, ResultObject, is_uid
from inference.asked import ImageWithQuestion
from inference.findings import Findings
from inference.inputs import TextInputs
from inference.report_text import ReportText
from inference.text_opinion import ImageWithText

GIVEN = "a report given with the task"
"""Origin of a text that no document of the study holds."""

NOT_ANALYSED = "none"
"""Execution provider in the identity of a report that says why nothing was analysed."""


def read_study(task: Task, analyse: Analyse) -> ReadingResult:
    """Read one study with one algorithm.

    Parameters
    ----------
    task
        Instances and settings.
    analyse
        Name of the algorithm, and volume or report, to its analysis; called at most once.

    Returns
    -------
    ReadingResult
        `result` with its objects; `abstained` with the reason and, unless switched off, an outcome report; or what the
        task forces.

    Raises
    ------
    DefectError
        If the instances are not of one patient and one study, or an object cannot be written.
    StudyError
        Whatever `analyse` raises, but UnsuitableError, which is an abstention.
    """
    received = _received(task)
    check_one_patient([part.header for part in received.parts])
    if task.forced is not None:
        return _without_result(task, received, *task.forced)
    if task.inputs is None:
        raise ValueError("a task that forces no outcome has inputs")
    if received.faults:
        reason = f"{len(received.faults)} of {len(task.instances)} instances cannot be used: {received.faults[0]}"
        return _without_result(task, received, Outcome.ABSTAINED, reason)
    if isinstance(task.inputs, TextInputs):
        return _read_report(task, received, task.inputs, analyse)
    found = survey(received.parts)
    choice = choose([series.candidate for series in found], task.inputs)
    try:
        return _read(task, received, found, choice, analyse)
    except UnsuitableError as error:
        return _without_result(task, received, Outcome.ABSTAINED, str(error), choice.left)


@dataclass(frozen=True, kw_only=True)
class _Received:
    """The instances: each parsed once, by SOP Instance UID; what cannot be used; and the digest of all that was given.

    An instance that cannot be parsed spoils the study: nobody knows which series it is missing from.
    """

    parts: tuple[Part10, ...]
    faults: tuple[str, ...]
    digest: str


def _received(task: Task) -> _Received:
    parts: dict[str, Part10] = {}
    faults: list[str] = []
    lines: set[str] = set()
    parsed = [_parsed(data) for data in task.instances]
    side_by_side(lambda part: part.dataset_sha256, [part for part in parsed if isinstance(part, Part10)])
    for data, part in zip(task.instances, parsed, strict=True):
        if isinstance(part, UnsuitableError):
            faults.append(str(part))
            lines.add(f"- {hashlib.sha256(data).hexdigest()}")
            continue
        uid = text(part.header, "SOPInstanceUID")
        lines.add(f"{uid} {part.dataset_sha256}")
        if parts.setdefault(uid, part).dataset_sha256 != part.dataset_sha256:
            faults.append("two different instances have one SOP Instance UID")
    if task.report is not None:
        lines.add(f"report {hashlib.sha256(task.report.encode()).hexdigest()}")
    return _Received(
        parts=tuple(parts[uid] for uid in sorted(parts)),
        faults=tuple(sorted(faults)),
        digest=hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest(),
    )


def _parsed(data: bytes) -> Part10 | UnsuitableError:
    try:
        return _identified(parse(data))
    except UnsuitableError as error:
        return error


def _identified(part: Part10) -> Part10:
    for keyword in ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID"):
        if not is_uid(text(part.header, keyword)):
            raise UnsuitableError(f"an instance without a valid {keyword}")
    return part


def _read(
    task: Task, received: _Received, found: Sequence[ImageSeries], choice: Choice, analyse: Analyse
) -> ReadingResult:
    chosen = next((series for series in found if series.candidate.uid == choice.series), None)
    if chosen is None:
        raise nothing_fits([series.candidate for series in found], choice)
    loaded = load(chosen)
    report, notes = _report_beside(task, received)
    given: Given = loaded.image
    if task.question is not None:
        given = ImageWithQuestion(image=loaded.image, asked=task.question.asked)
    if task.beside is not None and report is not None:
        given = ImageWithText(image=loaded.image, report=report, text_reader=task.beside.name)
    analysis = analyse(task.algorithm, given)
    analysis = replace(analysis, findings=on_planes(analysis.findings, loaded.laying))
    read = _Read(
        source=loaded.source,
        pixels=loaded.laying.shown(loaded.image.volume.array),
        series=chosen.candidate.uid,
        left=choice.left,
        notes=(*loaded.source.remarks, *notes),
        joined=task.beside.digest if task.beside is not None and report is not None else "",
    )
    return _with_result(task, received, read, analysis)


def _report_beside(task: Task, received: _Received) -> tuple[ReportText | None, tuple[str, ...]]:
    """The text to be read beside the images, and what should be known of it."""
    if task.beside is None:
        return None, ()
    if task.report is not None:
        return ReportText(text=task.report, origin=GIVEN), ()
    choice = choose_document(documents(received.parts), task.beside.inputs)
    if choice.document is None:
        return None, (str(no_text(choice, len(received.parts))),)
    return ReportText(text=choice.document.text, origin=choice.document.label), (f"read too: {choice.document.label}",)


def _read_report(task: Task, received: _Received, inputs: TextInputs, analyse: Analyse) -> ReadingResult:
    """The text given with the task, else that of a document of the study."""
    left: tuple[tuple[str, str], ...] = ()
    try:
        if task.report is not None:
            given = ReportText(text=task.report, origin=GIVEN)
            source = TextSource(datasets=tuple(part.header for part in received.parts), document=None)
            read = _Read(source=source, notes=("the text was given with the task, not found in the study",))
            return _with_result(task, received, read, analyse(task.algorithm, given))
        choice = choose_document(documents(received.parts), inputs)
        left, chosen = tuple((series, f"{label}: {why}") for series, label, why in choice.left), choice.document
        if chosen is None:
            raise no_text(choice, len(received.parts))
        source = TextSource(datasets=(chosen.header,), document=chosen.header)
        read = _Read(source=source, series=chosen.series, left=left, notes=(f"read: {chosen.label}",))
        given = ReportText(text=chosen.text, origin=chosen.label)
        return _with_result(task, received, read, analyse(task.algorithm, given))
    except UnsuitableError as error:
        return _without_result(task, received, Outcome.ABSTAINED, str(error), left)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What was read, and what else is to be known of it, as in `ReadingResult`; `joined` is the digest of the bundle
    that read a text beside the images.
    """

    source: Source | TextSource
    pixels: NDArray[np.float32] | None = None
    series: str = ""
    left: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    joined: str = ""


def _with_result(task: Task, received: _Received, read: _Read, analysis: Analysis) -> ReadingResult:
    identities = _identities(task, received, analysis.findings.algorithm.digest, analysis.provider)
    if read.joined:  # which weights read the text is a setting of the site's
        settings = hashlib.sha256(f"{task.configuration_digest} {read.joined}".encode()).hexdigest()
        identities = [replace(each, configuration_digest=settings) for each in identities]
    findings = analysis.findings
    if task.question is not None and isinstance(read.source, Source):
        return _with_answers(task, received, read, analysis, task.question, read.source)
    if task.earlier and isinstance(read.source, Source):
        followed = follow(findings, read.source, [tracked(report) for report in task.earlier])
        findings = followed.findings
        identities = [replace(each, inherited=followed.inherited) for each in identities]
    objects = [write_all(findings, read.source, each, task.predecessors, read.pixels) for each in identities]
    return ReadingResult(
        outcome=Outcome.RESULT,
        reason="",
        objects=tuple(made for rendered in objects for made in rendered),
        instances_digest=received.digest,
        series=read.series,
        left=read.left,
        notes=read.notes,
        findings=summarised(findings, identities[0]),
        narrative=_in_words(findings, task.language),
        provider=analysis.provider,
        seconds=analysis.seconds,
    )


def _with_answers(
    task: Task, received: _Received, read: _Read, analysis: Analysis, question: Question, source: Source
) -> ReadingResult:
    identities = [
        replace(each, inherited=question.tracked)
        for each in _identities(task, received, analysis.findings.algorithm.digest, analysis.provider)
        if each.rendering.narrative_class
    ]
    return ReadingResult(
        outcome=Outcome.RESULT,
        reason="",
        objects=tuple(write_answer(analysis.findings, question.asked, source, each) for each in identities),
        instances_digest=received.digest,
        series=read.series,
        left=read.left,
        notes=read.notes,
        provider=analysis.provider,
        seconds=analysis.seconds,
        answers=answered(analysis.findings, task.language),
    )


def _in_words(findings: Findings, language: Language) -> str:
    coded = [sentence.text for sentence in spoken(findings, language)]
    return " ".join([*coded, *(one.text for one in drafted(findings, language))])


def _without_result(
    task: Task, received: _Received, outcome: Outcome, reason: str, left: tuple[tuple[str, str], ...] = ()
) -> ReadingResult:
    objects: tuple[ResultObject, ...] = ()
    if task.outcome_report and received.parts:
        headers = [part.header for part in received.parts]
        objects = tuple(
            write_outcome(outcome, reason, task.algorithm, headers, identity, task.predecessors)
            for identity in _identities(task, received, task.algorithm_digest, NOT_ANALYSED)
            if identity.rendering.narrative_class
        )
    return ReadingResult(outcome=outcome, reason=reason, objects=objects, instances_digest=received.digest, left=left)


def _identities(task: Task, received: _Received, algorithm_digest: str, provider: str) -> list[Identity]:
    """One for each rendering."""
    identity = Identity(
        instances_digest=received.digest,
        algorithm_digest=algorithm_digest,
        configuration_digest=task.configuration_digest,
        software_version=task.software_version,
        provider=provider,
        rendering=task.renderings[0],
        analysed_at=task.analysed_at or newest([part.header for part in received.parts]),
        version=task.version,
        language=task.language,
    )
    return [replace(identity, rendering=rendering) for rendering in task.renderings]
