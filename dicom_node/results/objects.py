"""All objects of one reading in one rendering as files: written, read back, compared and checked before they count."""

from collections.abc import Callable, Sequence
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
    segmentation,
    validation,
)
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.source import Source, TextSource
from dicom_node.study import ObjectKind, Outcome, ResultObject, SeriesInstanceUID, SOPClassUID, SOPInstanceUID
from inference.findings import Findings

log = structlog.get_logger(__name__)


def write_all(
    findings: Findings, source: Source | TextSource, identity: Identity, predecessors: tuple[Predecessor, ...] = ()
) -> tuple[ResultObject, ...]:
    """Segmentation, measurement report and narrative report of one reading, in this order, in one rendering.

    No empty segmentation is written. The same arguments give the same bytes.

    Parameters
    ----------
    findings
        Masks on the grid of `source`.
    source
        The series or the report that was read.
    identity
        Source of UIDs and times, and the rendering.
    predecessors
        Objects of the study's previous version; those that this rendering replaces are named by the documents.

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
    rendering, replaced = identity.rendering, _replaced(predecessors, identity)
    if isinstance(source, Source) and rendering.seg_form and not segmentation.is_empty(findings):
        series, form = source, rendering.seg_form
        files[ObjectKind.SEG] = _file(ObjectKind.SEG, lambda: segmentation.write(findings, series, identity, form))
        mask_comparison.compare(files[ObjectKind.SEG], findings, series)
    if rendering.measurement_class:
        files[ObjectKind.SR] = _file(
            ObjectKind.SR, lambda: measurement_report.write(findings, source, identity, replaced)
        )
    if rendering.narrative_class:
        files[ObjectKind.NARRATIVE] = _file(
            ObjectKind.NARRATIVE, lambda: narrative_report.write(findings, source, identity, replaced)
        )
    return _checked(files, source.datasets, replaced, identity)


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
    data = _file(
        ObjectKind.OUTCOME,
        lambda: outcome_report.write(outcome, reason, algorithm_name, headers, identity, replaced),
    )
    return _checked({ObjectKind.OUTCOME: data}, headers, replaced, identity)[0]


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


def _file(kind: ObjectKind, write: Callable[[], Dataset]) -> bytes:
    try:
        return envelope.to_file(write())
    except (ValueError, TypeError, AttributeError, LookupError) as error:  # of highdicom and pydicom, for a wrong value
        raise DefectError(f"the {kind} object could not be built: {type(error).__name__}") from error


def _checked(
    files: dict[ObjectKind, bytes],
    headers: Sequence[Dataset],
    predecessors: Sequence[Predecessor],
    identity: Identity,
) -> tuple[ResultObject, ...]:
    read = {kind: dcmread(BytesIO(data)) for kind, data in files.items()}
    validation.check(list(read.values()), headers, predecessors)
    return tuple(_result(kind, read[kind], data, identity) for kind, data in files.items())


def _result(kind: ObjectKind, dataset: Dataset, data: bytes, identity: Identity) -> ResultObject:
    return ResultObject(
        kind=kind,
        sop_class_uid=SOPClassUID(str(dataset.SOPClassUID)),
        sop_instance_uid=SOPInstanceUID(str(dataset.SOPInstanceUID)),
        series_instance_uid=SeriesInstanceUID(str(dataset.SeriesInstanceUID)),
        data=data,
        rendering=identity.rendering.key,
    )


def _tell_repairs(source: Dataset) -> None:
    repaired = header.read(source).repaired
    if repaired:
        log.warning("source_header_repaired", attributes=list(repaired))
