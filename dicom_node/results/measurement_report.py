"""Findings and measurements as an SR after TID 1500, in the class of the rendering; knows no prose.

A finding with a mask is one group of TID 1410: its outline on its largest slice, which viewers draw, and as
extensions of the template the lines of its axes below their numbers, and the Referenced Segment of TID 1411, which
readers of segmentations look for. (TID 1411 itself allows a segment or regions, not both.) Other findings, and what is
said of the study as a whole, are of TID 1501.
"""

from collections.abc import Sequence

import numpy as np
from highdicom.sr import CompositeContentItem, RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import content, drawn_axes, placement, provenance, segmentation, slice_numbers
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

WHOLE_STUDY = "whole study"
"""Tracking Identifier of what is said of no single finding."""

PROCEDURES = {
    "CT": Code("25045-6", "LN", "CT unspecified body region"),
    "MR": Code("25056-3", "LN", "MRI unspecified body region"),
}
"""Procedure Reported by modality (CID 100)."""

ORIGINAL_SOURCE = Code("111040", "DCM", "Original Source")
"""Names the image below a region where a profile wants it named so."""

SOURCE_DOCUMENT = codes.DCM.SourceDocument
"""Names the report that a finding was read from."""

_IMAGING = Code("363679005", "SCT", "Imaging procedure")
_LATERALITY = Code("272741003", "SCT", "Laterality")
_FINDING_SITE = Code("363698007", "SCT", "Finding Site")
_ENGLISH = Code("en-US", "RFC5646", "English (United States)")

_CONTEXT, _MODIFIER = RelationshipTypeValues.HAS_OBS_CONTEXT, RelationshipTypeValues.HAS_CONCEPT_MOD


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
    return document(
        _root(findings, source, device, groups),
        Envelope(kind=ObjectKind.SR, identity=identity, device=device, source=source.datasets[0]),
        [*instance_references(source), *segmentation_reference(findings, identity)],
        predecessors,
    )


def _root(findings: Findings, source: Source | TextSource, device: Device, groups: Sequence[Dataset]) -> Dataset:
    """TID 1500: language, observer, procedure, images, measurements."""
    children = [
        content.code(codes.DCM.LanguageOfContentItemAndDescendants, _ENGLISH, _MODIFIER),
        *provenance.observation_context(device),
        content.code(codes.DCM.ProcedureReported, procedure(source.datasets[0]), _MODIFIER),
    ]
    if isinstance(source, Source):
        shown = [plane_reference(source, key) for finding in findings.findings for key in _key_slices(finding)]
        children.append(image_library(source, shown or instance_references(source)))
    children.append(content.container(codes.DCM.ImagingMeasurements, groups))
    return content.container(codes.DCM.ImagingMeasurementReport, children, relationship=None, template="1500")


def procedure(source: Dataset) -> Code:
    """Procedure Reported (121058): the imaging procedure, not the analysis."""
    return PROCEDURES.get(str(source.get("Modality")), _IMAGING)


def segmentation_reference(findings: Findings, identity: Identity) -> list[Reference]:
    """Reference to the segmentation of these findings; empty where none is written."""
    if identity.rendering.seg_form is None or segmentation.is_empty(findings):
        return []
    return [
        Reference(
            series_instance_uid=placement.series_instance_uid(identity, ObjectKind.SEG),
            sop_class_uid=placement.sop_class_uid(identity, ObjectKind.SEG),
            sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SEG),
        )
    ]


def key_slice(finding: Finding) -> int | None:
    """Index of the slice that shows a finding best: its largest, else its most probable one, else None."""
    if finding.largest_slice is None and finding.slice_probabilities:
        return max(finding.slice_probabilities, key=lambda pair: (pair[1], -pair[0]))[0]
    return finding.largest_slice


def _key_slices(finding: Finding) -> list[int]:
    key = key_slice(finding)
    return [] if key is None else [key]


def _group(finding: Finding, source: Source | TextSource, identity: Identity, device: Device) -> Dataset:
    if isinstance(source, TextSource) or finding.region is None or finding.segment is None:
        return _unlocated(finding, source, identity, device)
    measurements = _measurements(finding)
    drawn_axes.draw(measurements, finding, source)
    slice_numbers.add(measurements, finding.measurements, source)
    return _measurement_group(
        "1410",
        [
            *_tracking(finding.label, identity),
            content.code(codes.DCM.Finding, finding.code),
            *_sites(finding),
            *_algorithm(device),
            *measurements,
            *_evaluations(finding),
            *_region(finding, source, identity),
            *_segment(finding.segment, source, identity),
        ],
    )


def _unlocated(finding: Finding, source: Source | TextSource, identity: Identity, device: Device) -> Dataset:
    """TID 1501: what has no mask, with the slice that shows it best or the document that says it."""
    measurements = _measurements(finding, device)
    if isinstance(source, Source):
        slice_numbers.add(measurements, finding.measurements, source)
    images = [plane_reference(source, key) for key in _key_slices(finding)] if isinstance(source, Source) else []
    return _measurement_group(
        "1501",
        [
            *_tracking(finding.label, identity),
            content.code(codes.DCM.Finding, finding.code),
            *_sites(finding),
            *_algorithm(device),
            *measurements,
            *_evaluations(finding),
            *(content.image(codes.DCM.SourceOfMeasurement, image) for image in images),
            *_document(source),
        ],
    )


def _whole_study(findings: Findings, source: Source | TextSource, identity: Identity, device: Device) -> Dataset:
    measurements = [_measurement(m.code, m.value, m.unit, device) for m in findings.measurements]
    if isinstance(source, Source):
        slice_numbers.add(measurements, findings.measurements, source)
    if findings.study_probability is not None:
        measurements.append(_certainty(codes.DCM.CertaintyOfImpression, findings.study_probability, device))
    return _measurement_group(
        "1501",
        [
            *_tracking(WHOLE_STUDY, identity),
            *([content.code(codes.DCM.Finding, findings.study_code)] if findings.study_code else []),
            *_algorithm(device),
            *measurements,
            content.code(codes.DCM.SummaryOfAnalyses, codes.DCM.Succeeded),
            *_document(source),
        ],
    )


def _measurement_group(template: str, children: Sequence[Dataset]) -> Dataset:
    return content.container(codes.DCM.MeasurementGroup, children, template=template)


def _document(source: Source | TextSource) -> list[Dataset]:
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


def _tracking(label: str, identity: Identity) -> list[Dataset]:
    return [
        content.text(codes.DCM.TrackingIdentifier, fit(label, 64), _CONTEXT),
        content.uid(codes.DCM.TrackingUniqueIdentifier, placement.tracking_uid(identity, label), _CONTEXT),
    ]


def _algorithm(device: Device) -> list[Dataset]:
    """TID 4019 of a group: name, version and hash.

    No more of the parameters, or every group would be hard to read; not the family, which readers take for an
    evaluation.
    """
    return [
        *_name_and_version(device),
        content.text(codes.DCM.AlgorithmParameters, device.parameters[0], _MODIFIER),
    ]


def _name_and_version(device: Device) -> list[Dataset]:
    return [
        content.text(codes.DCM.AlgorithmName, device.model_name, _MODIFIER),
        content.text(codes.DCM.AlgorithmVersion, device.software_version, _MODIFIER),
    ]


def _segment(index: int, source: Source, identity: Identity) -> list[Dataset]:
    if identity.rendering.seg_form is None:
        return []
    written = Reference(
        series_instance_uid=placement.series_instance_uid(identity, ObjectKind.SEG),
        sop_class_uid=placement.sop_class_uid(identity, ObjectKind.SEG),
        sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SEG),
    )
    return [
        content.image(codes.DCM.ReferencedSegment, written, index + 1),
        content.uid(codes.DCM.SourceSeriesForSegmentation, str(source.datasets[0].SeriesInstanceUID)),
    ]


def _region(finding: Finding, source: Source, identity: Identity) -> list[Dataset]:
    """The finding's outline on its largest slice."""
    if finding.region is None or finding.largest_slice is None:
        return []
    _, rows, columns = finding.box
    corner = np.array([columns.start, rows.start])
    vertices = corner + outline(finding.region[finding.largest_slice, rows, columns])
    image = plane_reference(source, finding.largest_slice)
    name = ORIGINAL_SOURCE if identity.rendering.original_source else content.SOURCE
    return [content.polyline(codes.DCM.ImageRegion, vertices.ravel().tolist(), image, source_name=name)]


def _sites(finding: Finding) -> list[Dataset]:
    if finding.site is None:
        return []
    side = [content.code(_LATERALITY, finding.laterality, _MODIFIER)] if finding.laterality else []
    return [content.code(_FINDING_SITE, finding.site, _MODIFIER, side)]


def _evaluations(finding: Finding) -> list[Dataset]:
    """A side without a site has no place in TID 1501 row 6."""
    return [content.code(_LATERALITY, finding.laterality)] if finding.laterality and not finding.site else []


def _measurements(finding: Finding, device: Device | None = None) -> list[Dataset]:
    measured = [_measurement(m.code, m.value, m.unit, device) for m in finding.measurements]
    if finding.probability is not None:
        measured.append(_certainty(codes.DCM.CertaintyOfFinding, finding.probability, device))
    return measured


def _certainty(name: Code, probability: float, device: Device | None) -> Dataset:
    return _measurement(name, 100 * probability, codes.UCUM.Percent, device)


def _measurement(name: Code, value: float, unit: Code, device: Device | None) -> Dataset:
    """A number with four digits for the reader and its full value besides (TID 300).

    `device` goes below the number in groups without a region, where OHIF reads a child of every number and stops at one
    without.
    """
    return content.number(name, value, unit, number(value), children=_name_and_version(device) if device else ())
