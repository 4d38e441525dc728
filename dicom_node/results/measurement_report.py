"""Findings and measurements as a Comprehensive 3D SR after TID 1500; knows no prose.

A finding with a mask is one group of TID 1410: its outline on its largest slice, which viewers draw, and as
extensions of the template the lines of its axes below their numbers, and the Referenced Segment of TID 1411, which
readers of segmentations look for. (TID 1411 itself allows a segment or regions, not both.) Other findings, and what is
said of the study as a whole, are of TID 1501.
"""

from collections.abc import Sequence

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CompositeContentItem,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
)
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import drawn_axes, placement, provenance, segmentation, slice_numbers
from dicom_node.results.document import document
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity, Predecessor
from dicom_node.results.image_library import image_library
from dicom_node.results.outline import outline
from dicom_node.results.planes import Reference, instance_references, plane_reference
from dicom_node.results.provenance import Device
from dicom_node.results.source import Source, TextSource
from dicom_node.results.text import fit, number
from dicom_node.study import ObjectKind
from inference.findings import Finding, Findings
from inference.imaging.axes import largest_slice

WHOLE_STUDY = "whole study"
"""Tracking Identifier of what is said of no single finding."""

PROCEDURES = {
    "CT": Code("25045-6", "LN", "CT unspecified body region"),
    "MR": Code("25056-3", "LN", "MRI unspecified body region"),
}
"""Procedure Reported by modality (CID 100)."""

_IMAGING = Code("363679005", "SCT", "Imaging procedure")
_LATERALITY = Code("272741003", "SCT", "Laterality")

_Group = PlanarROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


SOURCE_DOCUMENT = codes.DCM.SourceDocument
"""Names the report that a finding was read from."""


def write(
    findings: Findings, source: Source | TextSource, identity: Identity, predecessors: Sequence[Predecessor] = ()
) -> Dataset:
    """A measurement report of all findings; where there are none, it says that the analysis succeeded.

    It refers to the segmentation that `segmentation.write` makes of the same findings, or to the report they were read
    from.
    """
    device = provenance.device_of(findings.algorithm, identity)
    groups = [_group(finding, source, identity, device) for finding in findings.findings]
    if not groups or findings.study_probability is not None or findings.measurements:
        groups.append(_whole_study(findings, source, identity, device))
    report = MeasurementReport(
        observation_context=provenance.observation_context(device),
        procedure_reported=procedure(source.datasets[0]),
        imaging_measurements=groups,
    )
    if isinstance(source, Source):
        shown = [plane_reference(source, key) for finding in findings.findings for key in _key_slices(finding)]
        report[0].ContentSequence.insert(-1, image_library(source, shown or instance_references(source)))
    return document(
        report[0],
        Envelope(kind=ObjectKind.SR, identity=identity, device=device, source=source.datasets[0]),
        [*instance_references(source), *segmentation_reference(findings, identity)],
        predecessors,
    )


def procedure(source: Dataset) -> Code:
    """Procedure Reported (121058): the imaging procedure, not the analysis."""
    return PROCEDURES.get(str(source.get("Modality")), _IMAGING)


def segmentation_reference(findings: Findings, identity: Identity) -> list[Reference]:
    """Reference to the segmentation of these findings; empty where none is written."""
    if segmentation.is_empty(findings):
        return []
    return [
        Reference(
            series_instance_uid=placement.series_instance_uid(identity, ObjectKind.SEG),
            sop_class_uid=placement.PLACES[ObjectKind.SEG].sop_class_uid,
            sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SEG),
        )
    ]


def key_slice(finding: Finding) -> int | None:
    """Index of the slice that shows a finding best: its largest, else its most probable one, else None."""
    if finding.region is not None:
        return largest_slice(finding.region.sum(axis=(1, 2)))
    if finding.slice_probabilities:
        return max(finding.slice_probabilities, key=lambda pair: (pair[1], -pair[0]))[0]
    return None


def _key_slices(finding: Finding) -> list[int]:
    key = key_slice(finding)
    return [] if key is None else [key]


def _group(finding: Finding, source: Source | TextSource, identity: Identity, device: Device) -> _Group:
    if isinstance(source, TextSource) or finding.region is None or finding.segment is None:
        return _unlocated(finding, source, identity, device)
    measurements = _measurements(finding)
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(finding.label, identity),
        referenced_region=_region(finding.region, source),
        finding_type=finding.code,
        finding_sites=_sites(finding),
        algorithm_id=provenance.algorithm_template(device),
        measurements=measurements,
        qualitative_evaluations=_evaluations(finding),
    )
    group[0].ContentSequence.extend(_segment(finding.segment, source, identity))
    drawn_axes.draw(measurements, finding, source)
    slice_numbers.add(measurements, finding.measurements, source)
    return group


def _unlocated(finding: Finding, source: Source | TextSource, identity: Identity, device: Device) -> _Group:
    """TID 1501: what has no mask, with the slice that shows it best or the document that says it."""
    measurements = _measurements(finding, device)
    if isinstance(source, Source):
        slice_numbers.add(measurements, finding.measurements, source)
    images = [plane_reference(source, key) for key in _key_slices(finding)] if isinstance(source, Source) else []
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(finding.label, identity),
        finding_type=finding.code,
        finding_sites=_sites(finding),
        algorithm_id=provenance.algorithm_template(device),
        measurements=measurements,
        qualitative_evaluations=_evaluations(finding),
        source_images=[SourceImageForMeasurementGroup(i.sop_class_uid, i.sop_instance_uid, _frames(i)) for i in images],
    )
    group[0].ContentSequence.extend(_document(source))
    return group


def _whole_study(findings: Findings, source: Source | TextSource, identity: Identity, device: Device) -> _Group:
    measurements = [_measurement(m.code, m.value, m.unit, device) for m in findings.measurements]
    if isinstance(source, Source):
        slice_numbers.add(measurements, findings.measurements, source)
    if findings.study_probability is not None:
        measurements.append(_certainty(codes.DCM.CertaintyOfImpression, findings.study_probability, device))
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(WHOLE_STUDY, identity),
        finding_type=findings.study_code,
        algorithm_id=provenance.algorithm_template(device),
        measurements=measurements or None,
        qualitative_evaluations=[QualitativeEvaluation(codes.DCM.SummaryOfAnalyses, codes.DCM.Succeeded)],
    )
    group[0].ContentSequence.extend(_document(source))
    return group


def _document(source: Source | TextSource) -> list[CompositeContentItem]:
    """The document a finding was read from, as an extension of TID 1501, which names images alone."""
    if isinstance(source, Source) or source.document is None:
        return []
    return [document_evidence(source.document, RelationshipTypeValues.CONTAINS)]


def document_evidence(header: Dataset, relationship: RelationshipTypeValues) -> CompositeContentItem:
    """Reference to a document in a content tree."""
    return CompositeContentItem(
        name=SOURCE_DOCUMENT,
        referenced_sop_class_uid=str(header.SOPClassUID),
        referenced_sop_instance_uid=str(header.SOPInstanceUID),
        relationship_type=relationship,
    )


def _tracking(label: str, identity: Identity) -> TrackingIdentifier:
    return TrackingIdentifier(uid=placement.tracking_uid(identity, label), identifier=fit(label, 64))


def _segment(index: int, source: Source, identity: Identity) -> ReferencedSegment:
    return ReferencedSegment(
        sop_class_uid=placement.PLACES[ObjectKind.SEG].sop_class_uid,
        sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SEG),
        segment_number=index + 1,
        source_series=SourceSeriesForSegmentation(str(source.datasets[0].SeriesInstanceUID)),
    )


def _region(region: NDArray[np.bool_], source: Source) -> ImageRegion:
    key = largest_slice(region.sum(axis=(1, 2)))
    image = plane_reference(source, key)
    return ImageRegion(
        graphic_type=GraphicTypeValues.POLYLINE,
        graphic_data=outline(region[key]),
        source_image=SourceImageForRegion(image.sop_class_uid, image.sop_instance_uid, _frames(image)),
    )


def _frames(reference: Reference) -> list[int] | None:
    return None if reference.frame_number is None else [reference.frame_number]


def _sites(finding: Finding) -> list[FindingSite]:
    return [FindingSite(finding.site, laterality=finding.laterality)] if finding.site else []


def _evaluations(finding: Finding) -> list[QualitativeEvaluation]:
    """A side without a site has no place in TID 1501 row 6."""
    return [QualitativeEvaluation(_LATERALITY, finding.laterality)] if finding.laterality and not finding.site else []


def _measurements(finding: Finding, device: Device | None = None) -> list[Measurement]:
    measured = [_measurement(m.code, m.value, m.unit, device) for m in finding.measurements]
    if finding.probability is not None:
        measured.append(_certainty(codes.DCM.CertaintyOfFinding, finding.probability, device))
    return measured


def _certainty(name: Code, probability: float, device: Device | None) -> Measurement:
    return _measurement(name, 100 * probability, codes.UCUM.Percent, device)


def _measurement(name: Code, value: float, unit: Code, device: Device | None) -> Measurement:
    """A number with four digits for the reader and its full value besides (PS3.3 C.18.1, Floating Point Value).

    `device` goes below the number in groups without a region, where OHIF reads a child of every number and stops at one
    without.
    """
    algorithm = AlgorithmIdentification(device.model_name, device.software_version) if device else None
    measurement = Measurement(name=name, value=float(value), unit=unit, algorithm_id=algorithm)
    measurement[0].MeasuredValueSequence[0].NumericValue = number(value)
    return measurement
