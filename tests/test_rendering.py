"""Which classes a destination gets: the top of the ladder that it takes, and the same content in each of them."""

from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from dicom_node.errors import DefectError
from dicom_node.result_classes import (
    BASIC_TEXT,
    COMPREHENSIVE,
    COMPREHENSIVE_3D,
    ENHANCED,
    LABEL_MAP,
    SECONDARY_CAPTURE,
    SEGMENTATION,
    WRITTEN,
)
from dicom_node.results import objects
from dicom_node.results.content_tree import content_items
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import GENERIC_RENDERING, Rendering, choose
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind, Outcome, ResultObject, SOPClassUID
from inference.findings import Findings
from tests import phantoms
from tests.peers import dciodvfy, dsrdump


def taking(*classes: str) -> dict[str, tuple[str, ...]]:
    """What a destination answers that takes some classes in everything that was proposed."""
    return {each: WRITTEN[each] for each in classes}


def shape(rendering: Rendering) -> tuple[str | None, str | None, str | None, bool]:
    return (
        rendering.seg_form,
        rendering.measurement_class,
        rendering.narrative_class,
        rendering.secondary_capture,
    )


CHOICES = [
    ("generic", None, ("BINARY", COMPREHENSIVE_3D, ENHANCED, False)),
    ("generic", taking(*WRITTEN), ("BINARY", COMPREHENSIVE_3D, ENHANCED, False)),
    ("generic", taking(SEGMENTATION, COMPREHENSIVE, ENHANCED), ("BINARY", COMPREHENSIVE, ENHANCED, False)),
    ("generic", taking(ENHANCED), (None, ENHANCED, ENHANCED, False)),
    ("generic", taking(BASIC_TEXT), (None, None, BASIC_TEXT, False)),
    ("generic", taking(BASIC_TEXT, SECONDARY_CAPTURE), (None, None, BASIC_TEXT, True)),
    ("generic", taking(SECONDARY_CAPTURE), (None, None, None, True)),
    ("generic", taking(LABEL_MAP, COMPREHENSIVE_3D), ("LABELMAP", COMPREHENSIVE_3D, COMPREHENSIVE_3D, False)),
    ("slicer", taking(LABEL_MAP, COMPREHENSIVE_3D), (None, COMPREHENSIVE_3D, COMPREHENSIVE_3D, False)),
    ("weasis", None, ("BINARY", ENHANCED, ENHANCED, False)),
    ("weasis", taking(SEGMENTATION, COMPREHENSIVE, BASIC_TEXT), ("BINARY", COMPREHENSIVE, BASIC_TEXT, False)),
    ("stone", None, ("BINARY", COMPREHENSIVE, ENHANCED, False)),
    ("stone", taking(COMPREHENSIVE_3D), (None, COMPREHENSIVE_3D, COMPREHENSIVE_3D, False)),
    # nothing can be delivered: made as if nobody had been asked, so that it is parked with the reason
    ("generic", {}, ("BINARY", COMPREHENSIVE_3D, ENHANCED, False)),
    ("generic", {"1.2.840.10008.5.1.4.1.1.4": ("1.2.840.10008.1.2.1",)}, ("BINARY", COMPREHENSIVE_3D, ENHANCED, False)),
    # a class that is known and taken in no syntax
    ("generic", {**taking(ENHANCED), SEGMENTATION: ()}, (None, ENHANCED, ENHANCED, False)),
]


@pytest.mark.parametrize(("profile", "accepted", "expected"), CHOICES)
def test_the_best_that_is_taken(
    profile: str, accepted: dict[str, tuple[str, ...]] | None, expected: tuple[str | None, str | None, str | None, bool]
) -> None:
    assert shape(choose(PROFILES[profile], accepted)) == expected


@given(st.sampled_from(sorted(PROFILES)), st.sets(st.sampled_from(sorted(WRITTEN))), st.booleans())
def test_nothing_is_written_that_is_not_taken(name: str, taken: set[str], wanted: bool) -> None:  # noqa: FBT001
    rendering = choose(PROFILES[name], taking(*taken), secondary_capture=wanted)
    written = {rendering.sop_class_uid(kind) for kind in ObjectKind if kind is not ObjectKind.REJECTION} - {None}
    assert written
    top = choose(PROFILES[name], secondary_capture=wanted)
    assert written <= taken or rendering == top
    assert rendering.original_source == (name == "stone")


def test_pictures_are_added_where_asked() -> None:
    assert choose(PROFILES["generic"], secondary_capture=True).secondary_capture
    assert not choose(PROFILES["generic"], taking(SEGMENTATION), secondary_capture=True).secondary_capture


def test_every_rendering_has_a_key_of_its_own() -> None:
    answers = [None, *(taking(*some) for n in range(1, 5) for some in combinations(WRITTEN, n))]
    renderings = {choose(profile, answer) for profile in PROFILES.values() for answer in answers}
    assert len({rendering.key for rendering in renderings}) == len(renderings) > 50
    assert GENERIC_RENDERING.key == "generic: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR"


MEASUREMENTS = (COMPREHENSIVE_3D, COMPREHENSIVE, ENHANCED)
TEXTS = (ENHANCED, BASIC_TEXT, COMPREHENSIVE, COMPREHENSIVE_3D)
SOURCES: dict[str, Callable[[str], Source]] = {
    "single": lambda name: phantoms.single_frame(phantoms.volume(phantoms.ORIENTATIONS[name])),
    "multi": lambda name: phantoms.multi_frame(phantoms.volume(phantoms.ORIENTATIONS[name])),
}


def rendering(
    form: SegForm | None = SegForm.BINARY,
    measurements: SOPClassUID | None = COMPREHENSIVE_3D,
    texts: SOPClassUID | None = ENHANCED,
    *,
    original_source: bool = False,
) -> Rendering:
    return Rendering(
        profile="generic",
        seg_form=form,
        measurement_class=measurements,
        narrative_class=texts,
        original_source=original_source,
    )


def errors(results: Sequence[ResultObject], folder: Path) -> list[str]:
    """What the validators of others say of the objects."""
    told = []
    for result in results:
        path = folder / f"{result.kind}.dcm"
        path.write_bytes(result.data)
        told += [f"{result.kind}: {line}" for line in dciodvfy(path)]
        if result.kind != "SEG":
            assert dsrdump(path)
    return told


@pytest.mark.parametrize("orientation", phantoms.ORIENTATIONS)
@pytest.mark.parametrize("frames", SOURCES)
@pytest.mark.parametrize("findings", [phantoms.two_lesions(), phantoms.nothing()], ids=["two lesions", "nothing"])
def test_the_same_content_is_valid_in_every_class(
    orientation: str, frames: str, findings: Findings, tmp_path: Path
) -> None:
    source = SOURCES[frames](orientation)
    for number, texts in enumerate(TEXTS):
        measurements = MEASUREMENTS[number % 3]
        identity = phantoms.identity(rendering=rendering(None, measurements, texts, original_source=number < 3))
        results = objects.write_all(findings, source, identity)
        assert [(r.kind, r.sop_class_uid) for r in results] == [("SR", measurements), ("NARRATIVE", texts)]
        assert errors(results, tmp_path) == []


@pytest.mark.parametrize("texts", TEXTS)
def test_an_outcome_is_valid_in_every_class_of_texts(texts: SOPClassUID, tmp_path: Path) -> None:
    headers = SOURCES["single"]("axial").datasets
    identity = phantoms.identity(rendering=rendering(texts=texts))
    result = objects.write_outcome(Outcome.FAILED, "no memory", "lesion-segmenter", headers, identity)
    assert result.sop_class_uid == texts
    assert errors([result], tmp_path) == []


def test_an_outcome_that_no_class_can_hold_is_a_defect() -> None:
    headers = SOURCES["single"]("axial").datasets
    with pytest.raises(DefectError, match="no OUTCOME object belongs to the rendering 'generic: BINARY SEG"):
        objects.write_outcome(
            Outcome.FAILED, "no memory", "a", headers, phantoms.identity(rendering=rendering(texts=None))
        )


def written(chosen: Rendering) -> dict[str, Dataset]:
    """The objects of two lesions, by kind."""
    results = objects.write_all(phantoms.two_lesions(), SOURCES["single"]("axial"), phantoms.identity(rendering=chosen))
    assert {r.rendering for r in results} == {chosen.key}
    return {str(r.kind): dcmread(BytesIO(r.data)) for r in results}


def told(dataset: Dataset) -> list[tuple[str, str]]:
    """Every content item but references to instances: what it is, and what it says."""
    values = ("TextValue", "UID", "ConceptCodeSequence", "MeasuredValueSequence", "GraphicData")
    return [
        (str(item.ConceptNameCodeSequence[0].CodeMeaning), str([item.get(value) for value in values]))
        for item in content_items(dataset)
        if item.ValueType != "IMAGE"
    ]


def tracked(dataset: Dataset) -> set[str]:
    return {str(i.UID) for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeValue == "112040"}


def test_the_content_is_the_same_in_every_rendering_and_the_objects_are_not() -> None:
    first = written(rendering())
    others = [
        written(rendering(measurements=c, texts=t)) for c, t in ((COMPREHENSIVE, BASIC_TEXT), (ENHANCED, ENHANCED))
    ]
    for other in others:
        for kind in ("SR", "NARRATIVE"):
            assert told(other[kind]) == told(first[kind])
        assert tracked(other["SR"]) == tracked(first["SR"])
        assert not {str(d.SOPInstanceUID) for d in other.values()} & {str(d.SOPInstanceUID) for d in first.values()}
    assert len(tracked(first["SR"])) == 4
    assert {s.TrackingUID for s in first["SEG"].SegmentSequence} == {
        s.TrackingUID for s in others[0]["SEG"].SegmentSequence
    }


def test_without_a_segmentation_no_report_speaks_of_one() -> None:
    results = written(rendering(None))
    assert set(results) == {"SR", "NARRATIVE"}
    for dataset in results.values():
        (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
        assert len(study.ReferencedSeriesSequence) == 1  # that of the images
        assert not [
            i for i in content_items(dataset) if i.ConceptNameCodeSequence[0].CodeMeaning == "Referenced Segment"
        ]
    regions = [i for i in content_items(results["SR"]) if i.ValueType == "SCOORD"]
    assert len(regions) == 2


def test_each_object_can_be_left_out() -> None:
    assert set(written(rendering(measurements=None))) == {"SEG", "NARRATIVE"}
    assert set(written(rendering(texts=None))) == {"SEG", "SR"}
