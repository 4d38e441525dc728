"""Content items are those that highdicom's classes make, attribute for attribute."""

import numpy as np
import pytest
from highdicom.sr import (
    CodeContentItem,
    ContainerContentItem,
    ContentSequence,
    GraphicTypeValues,
    ImageContentItem,
    ImageRegion,
    NumContentItem,
    RelationshipTypeValues,
    SourceImageForRegion,
    TextContentItem,
    UIDRefContentItem,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import content
from dicom_node.results.item import coded, item
from dicom_node.results.planes import Reference

CONTAINS, CONTEXT = RelationshipTypeValues.CONTAINS, RelationshipTypeValues.HAS_OBS_CONTEXT
IMAGE = Reference(series_instance_uid="1.2.3", sop_class_uid="1.2.840.10008.5.1.4.1.1.4", sop_instance_uid="1.2.3.4")
FRAME = Reference(
    series_instance_uid="1.2.3", sop_class_uid="1.2.840.10008.5.1.4.1.1.4.1", sop_instance_uid="1.2.5", frame_number=7
)


def same(ours: Dataset, theirs: Dataset) -> None:
    assert ours.to_json_dict() == theirs.to_json_dict()


@pytest.mark.parametrize("relationship", [CONTAINS, CONTEXT])
def test_words_codes_and_uids(relationship: RelationshipTypeValues) -> None:
    name = codes.DCM.Finding
    same(content.text(name, "ein Text", relationship), TextContentItem(name, "ein Text", relationship))
    same(content.code(name, codes.SCT.Brain, relationship), CodeContentItem(name, codes.SCT.Brain, relationship))
    same(content.uid(name, "1.2.3", relationship), UIDRefContentItem(name, "1.2.3", relationship))


def test_a_number_has_its_full_value_and_one_to_read() -> None:
    theirs = NumContentItem(codes.SCT.Volume, 12.345678, codes.UCUM.CubicMillimeter, relationship_type=CONTAINS)
    theirs.MeasuredValueSequence[0].NumericValue = "12.35"
    same(content.number(codes.SCT.Volume, 12.345678, codes.UCUM.CubicMillimeter, "12.35"), theirs)


@pytest.mark.parametrize("reference", [IMAGE, FRAME])
@pytest.mark.parametrize("segment", [None, 3])
def test_images(reference: Reference, segment: int | None) -> None:
    theirs = ImageContentItem(
        codes.DCM.ReferencedSegment,
        *(reference.sop_class_uid, reference.sop_instance_uid, reference.frame_number, segment),
        relationship_type=CONTAINS,
    )
    same(content.image(codes.DCM.ReferencedSegment, reference, segment), theirs)


@pytest.mark.parametrize("reference", [IMAGE, FRAME])
def test_lines(reference: Reference) -> None:
    vertices = np.array([[1.0, 2.0], [3.5, 4.0], [1.0, 2.0]])
    frames = None if reference.frame_number is None else [reference.frame_number]
    theirs = ImageRegion(
        GraphicTypeValues.POLYLINE,
        vertices,
        SourceImageForRegion(reference.sop_class_uid, reference.sop_instance_uid, frames),
    )
    same(content.polyline(codes.DCM.ImageRegion, vertices.ravel().tolist(), reference), theirs)


def test_containers_and_what_is_below() -> None:
    child = content.text(codes.DCM.Finding, "a")
    theirs = ContainerContentItem(codes.DCM.MeasurementGroup, template_id="1410", relationship_type=CONTAINS)
    theirs.ContentSequence = ContentSequence([TextContentItem(codes.DCM.Finding, "a", CONTAINS)])
    same(content.container(codes.DCM.MeasurementGroup, [child], template="1410"), theirs)
    root = content.container(codes.DCM.MeasurementGroup, [], relationship=None)
    assert "RelationshipType" not in root
    assert "ContentSequence" not in root
    content.below(root, [child])
    content.below(root, [child])
    assert [one.TextValue for one in root.ContentSequence] == ["a", "a"]


def test_codes_of_every_length() -> None:
    assert coded(Code("1", "99X", "one", "2")).CodingSchemeVersion == "2"
    long = coded(Code("12345678901234567", "99X", "long"))
    assert (long.LongCodeValue, "CodeValue" in long) == ("12345678901234567", False)


@pytest.mark.parametrize("code", [Code("1", "99X", "m" * 65), Code("1", "9" * 17, "scheme")])
def test_a_code_that_fits_no_value_representation_is_refused(code: Code) -> None:
    with pytest.raises(ValueError, match="maximum length"):
        coded(code)


def test_a_value_that_is_none_of_its_representation_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid value for VR UI"):
        item(ReferencedSOPInstanceUID="no uid")
