"""Objects made wrong one way at a time: each is stopped, and the message names what is wrong without the patient."""

from collections.abc import Callable
from io import BytesIO

import pytest
from pydicom import Dataset, config, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicom_node.errors import DefectError
from dicom_node.results import objects, validation
from dicom_node.results.content_tree import content_items
from dicom_node.results.identity import Predecessor
from dicom_node.results.source import Source
from tests import phantoms

Written = dict[str, Dataset]


@pytest.fixture
def source() -> Source:
    return phantoms.multi_frame(phantoms.volume())


@pytest.fixture
def written(source: Source) -> Written:
    results = objects.write_all(phantoms.two_lesions(), source, phantoms.identity())
    return {result.kind: dcmread(BytesIO(result.data)) for result in results}


def _item(dataset: Dataset, value_type: str, code: str | None = None) -> Dataset:
    items = [i for i in content_items(dataset) if i.ValueType == value_type]
    return next(i for i in items if code is None or i.ConceptNameCodeSequence[0].CodeValue == code)


def _set(kind: str, keyword: str, value: object) -> Callable[[Written], None]:
    def damage(written: Written) -> None:
        vr = dictionary_VR(keyword)
        written[kind][keyword] = DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE)

    return damage


def _delete(kind: str, keyword: str) -> Callable[[Written], None]:
    return lambda written: delattr(written[kind], keyword)


def _reference(**values: object) -> Callable[[Written], None]:
    def damage(written: Written) -> None:
        reference = _item(written["SR"], "SCOORD").ContentSequence[0].ReferencedSOPSequence[0]
        for keyword, value in values.items():
            setattr(reference, keyword, value)

    return damage


def _segment(written: Written) -> None:
    _item(written["SR"], "IMAGE", "121191").ReferencedSOPSequence[0].ReferencedSegmentNumber = 3


def _unlisted(written: Written) -> None:
    series = written["SR"].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    written["SR"].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence = series[:1]


def _outside(written: Written) -> None:
    _item(written["SR"], "SCOORD").GraphicData = [0.0, 0.0, 19.0, 3.0]


def _no_device(written: Written) -> None:
    del written["NARRATIVE"].ContributingEquipmentSequence[1].DeviceUID


def _other_observer(written: Written) -> None:
    _item(written["NARRATIVE"], "TEXT", "121015").TextValue = "another"


def _other_algorithm(written: Written) -> None:
    written["SEG"].SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion = "9"


DAMAGES: list[tuple[Callable[[Written], None], str]] = [
    (_set("SEG", "SOPInstanceUID", "1.2.03"), "SOPInstanceUID of the SEG object of series 9001 is not a UID"),
    (_set("SR", "SpecificCharacterSet", "ISO_IR 100"), "not in ISO_IR 192"),
    (_set("SEG", "ContentLabel", ""), "SEG object of series 9001 lacks ContentLabel"),
    (_delete("SR", "CompletionFlag"), "SR object of series 9002 lacks CompletionFlag"),
    (_delete("NARRATIVE", "ReferringPhysicianName"), "ReferringPhysicianName"),
    (_set("SR", "SOPClassUID", "1.2.3"), "no tables for SOP class 1.2.3"),
    (_set("SR", "StudyInstanceUID", "2.25.9"), "StudyInstanceUID .* is not that of the source"),
    (_set("SEG", "PatientID", "OTHER"), "PatientID .* is not that of the source"),
    (_set("NARRATIVE", "PatientName", "Other^One"), "PatientName .* is not that of the source"),
    (_reference(ReferencedSOPInstanceUID="2.25.9"), "an instance that was not received"),
    (_reference(ReferencedSOPClassUID="1.2.3"), "another SOP class"),
    (_reference(ReferencedFrameNumber=9), "refers to frame 9 of 8"),
    (_segment, "refers to segment 3 of 2"),
    (_unlisted, "evidence does not list"),
    (_outside, "outside its image of 20x18"),
    (_no_device, "names 0 algorithms with a Device UID"),
    (_other_observer, "Device Observer Model Name .* does not agree with ManufacturerModelName"),
    (_other_algorithm, "AlgorithmVersion .* does not agree with SoftwareVersions"),
    (_set("SEG", "FrameOfReferenceUID", "2.25.9"), "FrameOfReferenceUID .* is not that of the source"),
    (_set("SEG", "Rows", 21), "Rows .* is not that of the source"),
    (_set("SR", "VerificationFlag", "VERIFIED"), "claims to be verified"),
]


def test_objects_as_they_are_made_pass(written: Written, source: Source) -> None:
    validation.check(list(written.values()), source.datasets)


@pytest.mark.parametrize(("damage", "message"), DAMAGES, ids=[message[:40] for _, message in DAMAGES])
def test_each_fault_is_named(damage: Callable[[Written], None], message: str, written: Written, source: Source) -> None:
    damage(written)
    with pytest.raises(DefectError, match=message) as caught:
        validation.check(list(written.values()), source.datasets)
    for secret in ("Phantom", "PHANTOM-1", "19700101", str(source.datasets[0].StudyInstanceUID)):
        assert secret not in str(caught.value)


def test_a_reference_to_a_predecessor_needs_that_predecessor(source: Source) -> None:
    before = objects.write_all(phantoms.two_lesions(), source, phantoms.identity("cd"))
    previous = tuple(
        Predecessor(
            kind=r.kind,
            sop_class_uid=r.sop_class_uid,
            sop_instance_uid=r.sop_instance_uid,
            series_instance_uid=r.series_instance_uid,
        )
        for r in before
    )
    after = objects.write_all(phantoms.two_lesions(), source, phantoms.identity(version=2), previous)
    read = [dcmread(BytesIO(r.data)) for r in after]
    validation.check(read, source.datasets, previous)
    with pytest.raises(DefectError, match="not received"):
        validation.check(read, source.datasets)
