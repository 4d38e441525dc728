"""Measurement reports read back with highdicom and DCMTK: groups, regions, references, numbers."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom.sr import Comprehensive3DSR, MeasurementReport
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from dicom_node.results import measurement_report, placement
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.results.identity import Predecessor
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind, SeriesInstanceUID, SOPInstanceUID
from inference.findings import Finding, Findings, Narrative
from tests import phantoms
from tests.peers import dciodvfy, dsrdump

SOURCES: dict[str, Callable[[], Source]] = {
    "single": lambda: phantoms.single_frame(phantoms.volume()),
    "multi": lambda: phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4]),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]()


def _read(findings: Findings, source: Source, predecessors: tuple[Predecessor, ...] = ()) -> Dataset:
    written = measurement_report.write(findings, source, phantoms.identity(), predecessors)
    return dcmread(BytesIO(to_file(written)))


def _content(dataset: Dataset) -> MeasurementReport:
    content = Comprehensive3DSR.from_dataset(dataset).content
    assert isinstance(content, MeasurementReport)
    return content


def test_each_finding_has_its_segment_and_its_outline(source: Source) -> None:
    findings = phantoms.two_lesions()
    dataset = _read(findings, source)
    content = _content(dataset)
    for finding, items in zip(findings.findings[:2], _groups(dataset), strict=False):
        uid = placement.tracking_uid(phantoms.identity(), finding.label)
        (group,) = content.get_planar_roi_measurement_groups(tracking_uid=uid)
        assert group.tracking_identifier == finding.label
        assert group.finding_type == finding.code
        assert group.finding_sites[0].value == codes.SCT.Brain
        assert group.finding_sites[0].laterality == codes.SCT.Left
        segment = next(i for i in items if i.ConceptNameCodeSequence[0].CodeMeaning == "Referenced Segment")
        reference = segment.ReferencedSOPSequence[0]
        assert reference.ReferencedSOPInstanceUID == placement.sop_instance_uid(phantoms.identity(), ObjectKind.SEG)
        assert reference.ReferencedSegmentNumber == 2


def test_the_outline_is_drawn_on_the_largest_slice_around_the_region(source: Source) -> None:
    content = _content(_read(phantoms.two_lesions(), source))
    uid = placement.tracking_uid(phantoms.identity(), "lesion 2")
    roi = content.get_planar_roi_measurement_groups(tracking_uid=uid)[0].roi
    assert roi is not None
    # slice 4 lacks a corner of the box, so slice 5 is the largest: rows 12 to 14, columns 9 to 13
    assert roi.value.tolist() == [[9, 12], [14, 12], [14, 15], [9, 15], [9, 12]]
    image = roi.ContentSequence[0]
    header, frame = source.plane(5)
    assert image.referenced_sop_instance_uid == header.SOPInstanceUID
    assert image.referenced_frame_numbers == (None if frame is None else [frame])


def test_numbers_are_short_to_read_and_exact_to_compute_with(source: Source) -> None:
    dataset = _read(phantoms.two_lesions(), source)
    volume = next(i for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeMeaning == "Volume")
    measured = volume.MeasuredValueSequence[0]
    assert str(measured.NumericValue) == "12.35"
    assert measured.FloatingPointValue == 12.345678
    assert measured.MeasurementUnitsCodeSequence[0].CodeValue == "mL"


def test_probabilities_are_in_percent() -> None:
    content = _content(_read(phantoms.two_lesions(), SOURCES["single"]()))
    group = content.get_planar_roi_measurement_groups()[0]
    (certainty,) = group.get_measurements(codes.DCM.CertaintyOfFinding)
    assert certainty.value == pytest.approx(93.12)
    assert certainty.unit == codes.UCUM.Percent
    study = next(g for g in content.get_image_measurement_groups() if g.tracking_identifier == "whole study")
    assert study.get_measurements(codes.DCM.CertaintyOfImpression)[0].value == pytest.approx(97.0)


def test_a_finding_without_mask_names_its_most_probable_slice(source: Source) -> None:
    content = _content(_read(phantoms.two_lesions(), source))
    group = next(g for g in content.get_image_measurement_groups() if g.tracking_identifier == "haemorrhage")
    header, frame = source.plane(3)  # slices 3 and 5 are equally probable: the first of them
    (image,) = group.source_images
    assert image.referenced_sop_instance_uid == header.SOPInstanceUID
    assert image.referenced_frame_numbers == (None if frame is None else [frame])
    assert group.get_qualitative_evaluations()[0].value == codes.SCT.Right  # a side without a site


def test_every_number_has_a_child_where_its_group_has_no_region() -> None:
    groups = _groups(_read(phantoms.two_lesions(), SOURCES["single"]()))
    without = [group for group in groups if not {"111030", "121191"} & set(_names(group))]
    assert len(without) == 2
    assert all("ContentSequence" in item for group in without for item in group if item.ValueType == "NUM")


def _groups(dataset: Dataset) -> list[list[Dataset]]:
    groups = [i for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "125007"]
    return [list(group.ContentSequence) for group in groups]


def _names(items: list[Dataset]) -> list[str]:
    return [str(item.ConceptNameCodeSequence[0].CodeValue) for item in items]


def test_tracking_comes_first_in_every_group(source: Source) -> None:
    groups = _groups(_read(phantoms.two_lesions(), source))
    assert len(groups) == 4  # two findings with a mask, one without, the study
    for group in groups:
        assert _names(group)[:2] == ["112039", "112040"]
        assert {"111001", "111003"} <= set(_names(group))


def test_outline_and_segment_stand_in_the_same_group() -> None:
    groups = _groups(_read(phantoms.two_lesions(), SOURCES["single"]()))
    assert [{"111030", "121191", "121232"} <= set(_names(group)) for group in groups] == [True, True, False, False]


def test_evidence_lists_each_instance_once_and_the_segmentation(source: Source) -> None:
    dataset = _read(phantoms.two_lesions(), source)
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    listed = [str(i.ReferencedSOPInstanceUID) for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence]
    expected = [str(ds.SOPInstanceUID) for ds in source.datasets]
    assert listed == [*expected, placement.sop_instance_uid(phantoms.identity(), ObjectKind.SEG)]


def test_a_reading_without_findings_says_that_it_succeeded() -> None:
    dataset = _read(phantoms.nothing(), SOURCES["single"]())
    (group,) = _content(dataset).get_image_measurement_groups()
    assert group.tracking_identifier == "whole study"
    assert group.get_qualitative_evaluations()[0].value == codes.DCM.Succeeded
    assert "Segmentation Storage" not in str(dataset)  # none was written


def test_flags_title_and_procedure() -> None:
    dataset = _read(phantoms.two_lesions(), SOURCES["single"]())
    assert (dataset.CompletionFlag, dataset.VerificationFlag, dataset.PreliminaryFlag) == (
        "COMPLETE",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert dataset.ConceptNameCodeSequence[0].CodeValue == "126000"
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    procedure = next(i for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "121058")
    assert procedure.ConceptCodeSequence[0].CodeMeaning == "MRI unspecified body region"


def test_the_previous_version_is_named() -> None:
    previous = tuple(
        Predecessor(
            kind=kind,
            sop_class_uid=placement.sop_class_uid(phantoms.identity(rendering=phantoms.WITH_PICTURES), kind),
            sop_instance_uid=SOPInstanceUID(f"2.25.{n}"),
            series_instance_uid=SeriesInstanceUID(f"2.25.{n}0"),
        )
        for n, kind in enumerate(ObjectKind, start=7)
    )
    by_kind = {p.kind: p for p in previous}
    dataset = _read(phantoms.two_lesions(), SOURCES["single"](), previous)
    assert _predecessors(dataset) == [by_kind[ObjectKind.SR].sop_instance_uid]
    after_outcome = _read(phantoms.two_lesions(), SOURCES["single"](), (by_kind[ObjectKind.OUTCOME],))
    assert _predecessors(after_outcome) == [by_kind[ObjectKind.OUTCOME].sop_instance_uid]
    no_documents = (by_kind[ObjectKind.SEG], by_kind[ObjectKind.CAPTURE])
    assert "PredecessorDocumentsSequence" not in _read(phantoms.two_lesions(), SOURCES["single"](), no_documents)


def _predecessors(dataset: Dataset) -> list[str]:
    (study,) = dataset.PredecessorDocumentsSequence
    return [i.ReferencedSOPInstanceUID for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence]


@pytest.mark.parametrize("findings", [phantoms.two_lesions(), phantoms.nothing()], ids=["two lesions", "nothing"])
def test_peers_accept_it(findings: Findings, source: Source, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    path.write_bytes(to_file(measurement_report.write(findings, source, phantoms.identity())))
    assert dciodvfy(path) == []
    printed = dsrdump(path)
    assert "Imaging Measurement Report" in printed
    assert "AI, unverified, RESEARCH USE" in printed


def test_fifty_findings_are_written() -> None:
    shape = (50, 20, 18)
    regions = [phantoms.box(shape, (k, k + 1), (2, 9), (3, 8)) for k in range(50)]
    findings = Findings(
        algorithm=phantoms.algorithm(),
        segments=(phantoms.segment(np.logical_or.reduce(regions)),),
        findings=tuple(phantoms.finding(region, f"lesion {k}") for k, region in enumerate(regions)),
        narrative=Narrative(sentences=()),
    )
    content = _content(_read(findings, phantoms.single_frame(phantoms.volume(shape=shape))))
    assert len(content.get_planar_roi_measurement_groups()) == 50


def test_a_finding_known_by_its_code_alone_is_a_group() -> None:
    findings = Findings(
        algorithm=phantoms.algorithm(),
        segments=(),
        findings=(Finding(label="impression", code=codes.SCT.Normal, probability=0.5),),
        narrative=Narrative(sentences=()),
    )
    (group,) = _content(_read(findings, SOURCES["single"]())).get_image_measurement_groups()
    assert (group.finding_type, group.source_images, group.finding_sites) == (codes.SCT.Normal, [], [])
