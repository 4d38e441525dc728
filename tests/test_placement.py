"""Series of results: names a radiologist can read, UIDs of their own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.results import placement
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import choose
from dicom_node.study import ObjectKind, is_uid
from tests import phantoms


@pytest.mark.parametrize(
    ("kind", "research", "version", "expected"),
    [
        (ObjectKind.SEG, True, 1, "AI segmentation: lesion-segmenter (unverified), RESEARCH USE"),
        (ObjectKind.SR, False, 1, "AI measurements: lesion-segmenter (unverified)"),
        (ObjectKind.NARRATIVE, False, 2, "AI report: lesion-segmenter (unverified), v2"),
        (ObjectKind.OUTCOME, True, 3, "AI no result: lesion-segmenter (unverified), RESEARCH USE, v3"),
        (ObjectKind.REJECTION, True, 2, "AI withdrawn: lesion-segmenter (unverified), RESEARCH USE, v2"),
    ],
)
def test_the_description_says_what_it_is(kind: ObjectKind, research: bool, version: int, expected: str) -> None:  # noqa: FBT001
    assert placement.series_description(kind, "lesion-segmenter", research=research, version=version) == expected


@given(st.sampled_from(ObjectKind), st.text(max_size=100), st.booleans(), st.integers(1, 9999))
def test_the_description_fits_and_keeps_its_marks(kind: ObjectKind, name: str, research: bool, version: int) -> None:  # noqa: FBT001
    text = placement.series_description(kind, name, research=research, version=version)
    assert len(text) <= 64
    assert text.startswith(f"AI {placement.PLACES[kind].contents}: ")
    assert "(unverified)" in text
    assert ("RESEARCH USE" in text) == research
    assert (f", v{version}" in text) == (version > 1)


def test_every_kind_has_a_series_and_uids_of_its_own() -> None:
    identity = phantoms.identity(rendering=phantoms.WITH_PICTURES)
    kinds = list(placement.PLACES)
    assert set(kinds) == set(ObjectKind)
    uids = [placement.sop_instance_uid(identity, k) for k in kinds]
    uids += [placement.series_instance_uid(identity, k) for k in kinds]  # type: ignore[misc]
    assert len(set(uids)) == 2 * len(kinds)
    assert all(is_uid(uid) for uid in uids)
    assert [placement.PLACES[k].series_number for k in kinds] == [9001, 9002, 9003, 9004, 9005, 9006, 9007]


def test_tracking_identifiers_differ_by_label_and_reading() -> None:
    one, other = phantoms.identity(), phantoms.identity("cd")
    assert placement.tracking_uid(one, "lesion 1") != placement.tracking_uid(one, "lesion 2")
    assert placement.tracking_uid(one, "lesion 1") != placement.tracking_uid(other, "lesion 1")


def test_tracking_identifiers_are_one_for_all_renderings_and_go_on_from_an_earlier_version() -> None:
    one, other = phantoms.identity(), phantoms.identity(rendering=choose(PROFILES["stone"]))
    assert placement.tracking_uid(one, "lesion 1") == placement.tracking_uid(other, "lesion 1")
    assert placement.sop_instance_uid(one, ObjectKind.SEG) != placement.sop_instance_uid(other, ObjectKind.SEG)
    known = replace(one, inherited=(("lesion 1", "2.25.7"),))
    assert placement.tracking_uid(known, "lesion 1") == "2.25.7"
    assert placement.tracking_uid(known, "lesion 2") == placement.tracking_uid(one, "lesion 2")
