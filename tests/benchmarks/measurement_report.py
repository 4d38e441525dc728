"""A measurement report of 50 findings, built and saved, beside highdicom's own classes for the same content tree.

Ours outlines each finding, measures its axes again and draws them; theirs is given outlines and axes. Both list the
same 300 images as evidence and write one file.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    CoordinatesForMeasurement,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementReport,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    ReferencedSegment,
    SourceImageForRegion,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
)
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from dicom_node.results import measurement_report, placement, provenance, segmentation
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.results.image_library import image_library
from dicom_node.results.planes import plane_reference
from dicom_node.results.provenance import Device
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind
from inference.findings import Finding, Findings
from tests import phantoms
from tests.benchmarks.turns import Compared, turn_by_turn

Item = tuple[str, str, str]


def compare(findings: Findings, source: Source, folder: Path, turns: int) -> Compared:
    """Time both; fails where the trees differ."""
    identity = phantoms.identity()
    ours, theirs = folder / "ours-sr.dcm", folder / "theirs-sr.dcm"
    segments = segmentation.write(findings, source, identity)
    given = _regions(measurement_report.write(findings, source, identity))

    def we_write() -> None:
        ours.write_bytes(to_file(measurement_report.write(findings, source, identity)))

    def highdicom_writes() -> None:
        _highdicom(findings, source, segments, given).save_as(theirs)

    compared = turn_by_turn(
        f"SR of {len(findings.findings)} findings", we_write, highdicom_writes, limit=0.6, turns=turns
    )
    if (one := list(_items(dcmread(ours)))) != (other := list(_items(dcmread(theirs)))):
        raise ValueError(f"the trees differ: {len(one)} and {len(other)} items")
    return compared


def _regions(report: Dataset) -> list[list[np.ndarray]]:
    """(vertex, 2) lines of each finding in the order of the tree: those of the axes, then the outline."""
    groups = report.ContentSequence[-1].ContentSequence
    return [
        [np.reshape(item.GraphicData, (-1, 2)) for item in content_items(group) if item.ValueType == "SCOORD"]
        for group in groups
    ]


def _items(report: Dataset) -> Iterator[Item]:
    """Value type, name and value of every item."""
    for item in content_items(report):
        values = [str(item.get(keyword)) for keyword in ("TextValue", "UID", "GraphicData", "ReferencedSOPSequence")]
        numbers = [str(one.get("FloatingPointValue")) for one in item.get("MeasuredValueSequence", ())]
        yield item.ValueType, item.ConceptNameCodeSequence[0].CodeValue, " ".join([*values, *numbers])


def _highdicom(findings: Findings, source: Source, segments: Dataset, given: list[list[np.ndarray]]) -> Dataset:
    identity = phantoms.identity()
    device = provenance.device_of(findings.algorithm, identity)
    report = MeasurementReport(
        observation_context=provenance.observation_context(device),
        procedure_reported=measurement_report.procedure(source.datasets[0]),
        imaging_measurements=[
            _group(finding, source, segments, device, lines)
            for finding, lines in zip(findings.findings, given, strict=True)
        ],
    )
    shown = [plane_reference(source, finding.largest_slice or 0) for finding in findings.findings]
    report[0].ContentSequence.insert(-1, image_library(source, shown))
    return Comprehensive3DSR(
        evidence=[*source.datasets, segments],
        content=report,
        series_number=1,
        series_instance_uid=placement.series_instance_uid(identity, ObjectKind.SR),
        sop_instance_uid=placement.sop_instance_uid(identity, ObjectKind.SR),
        instance_number=1,
        manufacturer=provenance.MANUFACTURER,
        is_complete=True,
    )


def _group(
    finding: Finding, source: Source, segments: Dataset, device: Device, lines: list[np.ndarray]
) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    image = plane_reference(source, finding.largest_slice or 0)
    seen_on = SourceImageForRegion(image.sop_class_uid, image.sop_instance_uid)
    *axes, outline = lines
    drawn = dict(zip((codes.SCT.LongAxis, codes.SCT.ShortAxis), axes, strict=True))
    measurements = [Measurement(name=m.code, value=m.value, unit=m.unit) for m in finding.measurements]
    certainty = 100 * (finding.probability or 0.0)
    measurements.append(Measurement(name=codes.DCM.CertaintyOfFinding, value=certainty, unit=codes.UCUM.Percent))
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=placement.tracking_uid(phantoms.identity(), finding.label), identifier=finding.label
        ),
        referenced_region=ImageRegion(GraphicTypeValues.POLYLINE, outline, seen_on),
        finding_type=finding.code,
        finding_sites=[FindingSite(finding.site, laterality=finding.laterality)] if finding.site else None,
        algorithm_id=AlgorithmIdentification(
            name=device.model_name, version=device.software_version, parameters=[device.parameters[0]]
        ),
        measurements=measurements,
    )
    for written, m in zip(measurements, finding.measurements, strict=False):
        if m.code in drawn:  # which the template itself has no place for
            written[0].ContentSequence = [_line(drawn[m.code], seen_on)]
    group[0].ContentSequence.extend(
        ReferencedSegment(
            sop_class_uid=str(segments.SOPClassUID),
            sop_instance_uid=str(segments.SOPInstanceUID),
            segment_number=(finding.segment or 0) + 1,
            source_series=SourceSeriesForSegmentation(str(source.datasets[0].SeriesInstanceUID)),
        )
    )
    return group


def _line(vertices: np.ndarray, seen_on: SourceImageForRegion) -> CoordinatesForMeasurement:
    return CoordinatesForMeasurement(GraphicTypeValues.POLYLINE, vertices, seen_on, purpose=codes.DCM.Path)
