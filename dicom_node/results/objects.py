"""All objects of one reading in one rendering as files: written, read back, compared and checked before they count."""

from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import structlog
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from dicom_node.errors import DefectError
from dicom_node.results import (
    answer_report,
    envelope,
    header,
    mask_comparison,
    measurement_report,
    narrative_report,
    outcome_report,
    rejection_note,
    secondary_capture,
    segmentation,
    validation,
)
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.source import Source, TextSource
from dicom_node.study import (
    ObjectKind,
    Outcome,
    Rejection,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
)
from inference.asked import Asked
from inference.findings import Findings

log = structlog.get_logger(__name__)


Files = list[tuple[ObjectKind, bytes]]
"""Objects as files, in order; pages of a summary are several of one kind."""


def write_all(
    findings: Findings,
    source: Source | TextSource,
    identity: Identity,
    predecessors: tuple[Predecessor, ...] = (),
    pixels: NDArray[np.float32] | None = None,
) -> tuple[ResultObject, ...]:
    """Segmentation, measurement report, narrative report and pictures of one reading, as far as its rendering has them.

    No empty segmentation. The same arguments give the same bytes.

    Parameters
    ----------
    findings
        Masks on the planes of `source`.
    source
        The series or the report that was read.
    identity
        Source of UIDs and times; its rendering says what is written.
    predecessors
        Objects of the study's previous version; the documents name those that this rendering replaces.
    pixels
        (plane, row, column), float32: what the planes show, for pictures; None of a text.

    Raises
    ------
    UnsuitableError
        If the source has no frame of reference, in which a mask could be placed.
    DefectError
        If an object cannot be built, is not what was drawn, or would not be valid.
    """
    _check_agreement(findings, source, identity)
    _tell_repairs(source.datasets[0])
    rendering, replaced = identity.rendering, _replaced(predecessors, identity)
    files: Files = []
    if isinstance(source, Source) and rendering.seg_form and not segmentation.is_empty(findings):
        series, form = source, rendering.seg_form
        files += _files(ObjectKind.SEG, lambda: (segmentation.write(findings, series, identity, form),))
    if rendering.measurement_class:
        files += _files(ObjectKind.SR, lambda: (measurement_report.write(findings, source, identity, replaced),))
    if rendering.narrative_class:
        files += _files(ObjectKind.NARRATIVE, lambda: (narrative_report.write(findings, source, identity, replaced),))
    if rendering.secondary_capture:
        files += _files(ObjectKind.CAPTURE, lambda: secondary_capture.write(findings, pixels, source, identity))
    return check_files(files, findings, source, identity, replaced)


def check_files(
    files: Files,
    findings: Findings,
    source: Source | TextSource,
    identity: Identity,
    predecessors: tuple[Predecessor, ...] = (),
) -> tuple[ResultObject, ...]:
    """The files of a reading as results, once they were read back, found valid and compared with what was drawn.

    Raises
    ------
    DefectError
        At the first thing that is wrong with one of them.
    """
    research = findings.algorithm.clinical_use != "cleared"
    results = _valid(files, source.datasets, identity, predecessors, research=research)
    for kind, data in files:
        if isinstance(source, Source) and kind is ObjectKind.SEG:
            mask_comparison.compare(data, findings, source)
    return results


def write_outcome(
    outcome: Outcome,
    reason: str,
    algorithm_name: str,
    headers: Sequence[Dataset],
    identity: Identity,
    predecessors: tuple[Predecessor, ...] = (),
) -> ResultObject:
    """The report of a study without result; parameters as for `outcome_report.write`.

    Raises
    ------
    DefectError
        If it cannot be built or would not be valid, or the rendering has no class for it.
    """
    _tell_repairs(headers[0])
    replaced = _replaced(predecessors, identity)
    files = _files(
        ObjectKind.OUTCOME,
        lambda: (outcome_report.write(outcome, reason, algorithm_name, headers, identity, replaced),),
    )
    return _valid(files, headers, identity, replaced, research=True)[0]


def write_answer(findings: Findings, asked: Asked, source: Source, identity: Identity) -> ResultObject:
    """The report of a question and its answers; parameters as for `answer_report.write`.

    Raises
    ------
    DefectError
        If it cannot be built or would not be valid, or the rendering has no class for it.
    """
    _check_agreement(findings, source, identity)
    _tell_repairs(source.datasets[0])
    files = _files(ObjectKind.ANSWER, lambda: (answer_report.write(findings, asked, source, identity),))
    return check_files(files, findings, source, identity)[0]


def write_rejection(
    reason: Rejection, algorithm_name: str, withdrawn: Sequence[Dataset], identity: Identity
) -> ResultObject:
    """The note that objects are withdrawn; parameters as for `rejection_note.write`.

    Raises
    ------
    DefectError
        If it cannot be built or would not be valid.
    """
    files = _files(ObjectKind.REJECTION, lambda: (rejection_note.write(reason, algorithm_name, withdrawn, identity),))
    return _valid(files, withdrawn, identity, (), research=True)[0]


def _replaced(predecessors: Sequence[Predecessor], identity: Identity) -> tuple[Predecessor, ...]:
    return tuple(each for each in predecessors if each.rendering in ("", identity.rendering.key))


def _check_agreement(findings: Findings, source: Source | TextSource, identity: Identity) -> None:
    if findings.algorithm.digest != identity.algorithm_digest:
        raise DefectError("the findings come from another algorithm than the one the result is to be identified by")
    masks = [s.mask for s in findings.segments] + [f.region for f in findings.findings if f.region is not None]
    if isinstance(source, TextSource):
        if masks or any(finding.slice_probabilities for finding in findings.findings):
            raise DefectError("a reading of text speaks of images")
        return
    for shape in {mask.shape for mask in masks} - {source.shape}:
        raise DefectError(f"a mask of {shape} for a source of {source.shape} (slice, row, column)")


def _files(kind: ObjectKind, write: Callable[[], Sequence[Dataset]]) -> Files:
    try:
        return [(kind, envelope.to_file(written)) for written in write()]
    except (ValueError, TypeError, AttributeError, LookupError) as error:  # of highdicom and pydicom, for a wrong value
        raise DefectError(f"the {kind} object could not be built: {type(error).__name__}") from error


def _valid(
    files: Files,
    headers: Sequence[Dataset],
    identity: Identity,
    predecessors: tuple[Predecessor, ...],
    *,
    research: bool,
) -> tuple[ResultObject, ...]:
    read = [(kind, dcmread(BytesIO(data)), data) for kind, data in files]
    wanted = identity.rendering.measurement_class
    subject = Subject(
        objects=tuple(Written(kind=kind, dataset=dataset) for kind, dataset, _ in read),
        received=tuple(headers),
        predecessors=predecessors,
        analysed_at=identity.analysed_at,
        research=research,
        measurement_classes=frozenset({str(wanted)} if wanted else ()),
    )
    validation.check(subject)
    return tuple(_result(kind, dataset, data, identity) for kind, dataset, data in read)


def _result(kind: ObjectKind, dataset: Dataset, data: bytes, identity: Identity) -> ResultObject:
    return ResultObject(
        kind=kind,
        sop_class_uid=SOPClassUID(str(dataset.SOPClassUID)),
        sop_instance_uid=SOPInstanceUID(str(dataset.SOPInstanceUID)),
        series_instance_uid=SeriesInstanceUID(str(dataset.SeriesInstanceUID)),
        rendering=identity.rendering.key,
        data=data,
    )


def _tell_repairs(source: Dataset) -> None:
    repaired = header.read(source).repaired
    if repaired:
        log.warning("source_header_repaired", attributes=list(repaired))
