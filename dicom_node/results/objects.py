"""All objects of one reading as files: written, read back, compared and checked before they count."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import structlog
from pydicom import Dataset, dcmread

from dicom_node.errors import DefectError
from dicom_node.results import (
    envelope,
    header,
    mask_comparison,
    measurement_report,
    narrative_report,
    outcome_report,
    rejection_note,
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
from inference.findings import Findings

log = structlog.get_logger(__name__)


def write_all(
    findings: Findings, source: Source | TextSource, identity: Identity, predecessors: tuple[Predecessor, ...] = ()
) -> tuple[ResultObject, ...]:
    """Segmentation, measurement report and narrative report of one reading, in this order; no empty segmentation.

    The same arguments give the same bytes.

    Parameters
    ----------
    findings
        Masks on the grid of `source`.
    source
        The series or the report that was read.
    identity
        Source of UIDs and times.
    predecessors
        Objects of the study's previous version, which the documents name.

    Raises
    ------
    UnsuitableError
        If the source has no frame of reference, in which a mask could be placed.
    DefectError
        If an object cannot be built, is not what was drawn, or would not be valid.
    """
    _check_agreement(findings, source, identity)
    _tell_repairs(source.datasets[0])
    files: dict[ObjectKind, bytes] = {}
    if isinstance(source, Source) and not segmentation.is_empty(findings):
        series = source
        files[ObjectKind.SEG] = _file(ObjectKind.SEG, lambda: segmentation.write(findings, series, identity))
    files[ObjectKind.SR] = _file(
        ObjectKind.SR, lambda: measurement_report.write(findings, source, identity, predecessors)
    )
    files[ObjectKind.NARRATIVE] = _file(
        ObjectKind.NARRATIVE, lambda: narrative_report.write(findings, source, identity, predecessors)
    )
    return check_files(files, findings, source, identity, predecessors)


def check_files(
    files: Mapping[ObjectKind, bytes],
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
    if isinstance(source, Source) and ObjectKind.SEG in files:
        mask_comparison.compare(files[ObjectKind.SEG], findings, source)
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
        If it cannot be built or would not be valid.
    """
    _tell_repairs(headers[0])
    data = _file(
        ObjectKind.OUTCOME,
        lambda: outcome_report.write(outcome, reason, algorithm_name, headers, identity, predecessors),
    )
    return _valid({ObjectKind.OUTCOME: data}, headers, identity, predecessors, research=True)[0]


def write_rejection(
    reason: Rejection, algorithm_name: str, withdrawn: Sequence[Dataset], identity: Identity
) -> ResultObject:
    """The note that objects are withdrawn; parameters as for `rejection_note.write`.

    Raises
    ------
    DefectError
        If it cannot be built or would not be valid.
    """
    data = _file(ObjectKind.REJECTION, lambda: rejection_note.write(reason, algorithm_name, withdrawn, identity))
    return _valid({ObjectKind.REJECTION: data}, withdrawn, identity, (), research=True)[0]


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


def _file(kind: ObjectKind, write: Callable[[], Dataset]) -> bytes:
    try:
        return envelope.to_file(write())
    except (ValueError, TypeError, AttributeError, LookupError) as error:  # of highdicom and pydicom, for a wrong value
        raise DefectError(f"the {kind} object could not be built: {type(error).__name__}") from error


def _valid(
    files: Mapping[ObjectKind, bytes],
    headers: Sequence[Dataset],
    identity: Identity,
    predecessors: tuple[Predecessor, ...],
    *,
    research: bool,
) -> tuple[ResultObject, ...]:
    read = {kind: dcmread(BytesIO(data)) for kind, data in files.items()}
    subject = Subject(
        objects=tuple(Written(kind=kind, dataset=dataset) for kind, dataset in read.items()),
        received=tuple(headers),
        predecessors=predecessors,
        analysed_at=identity.analysed_at,
        research=research,
    )
    validation.check(subject)
    return tuple(_result(kind, read[kind], data) for kind, data in files.items())


def _result(kind: ObjectKind, dataset: Dataset, data: bytes) -> ResultObject:
    return ResultObject(
        kind=kind,
        sop_class_uid=SOPClassUID(str(dataset.SOPClassUID)),
        sop_instance_uid=SOPInstanceUID(str(dataset.SOPInstanceUID)),
        series_instance_uid=SeriesInstanceUID(str(dataset.SeriesInstanceUID)),
        data=data,
    )


def _tell_repairs(source: Dataset) -> None:
    repaired = header.read(source).repaired
    if repaired:
        log.warning("source_header_repaired", attributes=list(repaired))
