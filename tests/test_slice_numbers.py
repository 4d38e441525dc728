"""Numbers of single slices in the measurement report: below the whole, each inferred from its image."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import measurement_report, objects
from dicom_node.results.content_tree import content_items
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind
from inference.findings import Findings, Measurement
from tests import phantoms
from tests.peers import dciodvfy, dcmjs, dsrdump, tid1500reader

SOURCES: dict[str, Callable[[], Source]] = {
    "single": lambda: phantoms.single_frame(phantoms.volume()),
    "multi": lambda: phantoms.multi_frame(phantoms.volume(), order=[3, -1, 2, 1, 0, -1, 7, 6, 5, 4]),
}
KIND = Code("50960005", "SCT", "Hemorrhage")
NUMBER = Measurement(
    code=Code("x-probability", "99DICOMNODE", "Probability of Hemorrhage"),
    value=61.25,
    unit=codes.UCUM.Percent,
    by_slice=((3, 80.0), (4, 12.345678)),
)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]()


def findings() -> Findings:
    """With the number at a finding with a region, at one without and at the study."""
    made = phantoms.two_lesions()
    each = tuple(replace(one, measurements=(*one.measurements, NUMBER)) for one in made.findings)
    return replace(made, findings=each, study_code=KIND, measurements=(NUMBER,))


def groups(source: Source) -> list[list[Dataset]]:
    dataset = dcmread(BytesIO(to_file(measurement_report.write(findings(), source, phantoms.identity()))))
    return [
        list(i.ContentSequence) for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "125007"
    ]


def test_each_slice_has_its_number_and_its_image(source: Source) -> None:
    for items in groups(source):
        (whole,) = [i for i in items if i.ConceptNameCodeSequence[0].CodeValue == NUMBER.code.value]
        assert whole.MeasuredValueSequence[0].FloatingPointValue == 61.25
        slices = [child for child in whole.ContentSequence if child.ValueType == "NUM"]
        for child, (plane, value) in zip(slices, NUMBER.by_slice, strict=True):
            assert child.RelationshipType == "INFERRED FROM"
            assert child.ConceptNameCodeSequence[0].CodeValue == NUMBER.code.value
            assert child.MeasuredValueSequence[0].FloatingPointValue == value
            (image,) = child.ContentSequence
            header, frame = source.plane(plane)
            assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
            assert image.ReferencedSOPSequence[0].get("ReferencedFrameNumber") == frame
        assert slices[1].MeasuredValueSequence[0].NumericValue == 12.35


def test_the_study_s_probability_says_of_what(source: Source) -> None:
    study = groups(source)[-1]
    (finding,) = [i for i in study if i.ConceptNameCodeSequence[0].CodeValue == "121071"]
    assert finding.ConceptCodeSequence[0].CodeValue == KIND.value
    names = [i.ConceptNameCodeSequence[0].CodeMeaning for i in study if i.ValueType == "NUM"]
    assert names == ["Probability of Hemorrhage", "Certainty of Impression"]


def test_a_number_of_the_study_has_a_group_without_any_probability() -> None:
    made = replace(phantoms.one_lesion(phantoms.box((8, 20, 18), (2, 5), (4, 9), (3, 7))), measurements=(NUMBER,))
    dataset = measurement_report.write(made, SOURCES["single"](), phantoms.identity())
    labels = [i.TextValue for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "112039"]
    assert labels == ["lesion 1", "whole study"]


def test_peers_accept_it(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    path.write_bytes(to_file(measurement_report.write(findings(), source, phantoms.identity())))
    assert dciodvfy(path) == []
    assert "Probability of Hemorrhage" in dsrdump(path)


@pytest.mark.peer
def test_other_readers_list_the_whole(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    path.write_bytes(to_file(measurement_report.write(findings(), source, phantoms.identity())))
    for group in tid1500reader(path, tmp_path / "dcmqi")["Measurements"]:
        values = [i["value"] for i in group["measurementItems"] if i["quantity"]["CodeValue"] == NUMBER.code.value]
        assert values == ["61.25"]
    (report,) = dcmjs(path)
    assert report["groups"][0]["numbers"].count(["Probability of Hemorrhage", 61.25, "%"]) == 1


def test_all_objects_of_a_reading_with_numbers_of_slices_are_valid(source: Source) -> None:
    kinds = [made.kind for made in objects.write_all(findings(), source, phantoms.identity())]
    assert ObjectKind.SR in kinds
