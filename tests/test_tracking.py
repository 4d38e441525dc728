"""The same lesion keeps its name and its UID from version to version, and no other lesion gets them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import measurement_report
from dicom_node.results.envelope import to_file
from dicom_node.results.identity import Identity
from dicom_node.results.placement import tracking_uid
from dicom_node.results.source import Source
from dicom_node.results.tracked import Tracked, tracked
from dicom_node.results.tracking import LEAST_SHARED, Followed, follow
from inference.draft import Draft
from inference.findings import Finding, Findings, Mask, Narrative, Sentence
from inference.statements import AsCoded
from tests import phantoms

SHAPE = (8, 20, 18)
SOURCE = phantoms.single_frame(phantoms.volume())


def at(row: int, column: int, size: int = 4, slices: tuple[int, int] = (2, 5)) -> Mask:
    return phantoms.box(SHAPE, slices, (row, row + size), (column, column + size))


def said(*regions: Mask, stem: str = "lesion", code: Code | None = None) -> Findings:
    """Lesions in the order given, each with its sentence."""
    whole: Mask = np.logical_or.reduce([np.zeros(SHAPE, np.bool_), *regions])
    found = [phantoms.finding(region, f"{stem} {n}") for n, region in enumerate(regions, start=1)]
    sentences = [Sentence(text=f"{f.label.capitalize()}: probability 90 %.", finding=f.label) for f in found]
    return Findings(
        algorithm=phantoms.algorithm(),
        segments=(phantoms.segment(whole),),
        findings=tuple(replace(f, code=code) if code else f for f in found),
        narrative=Narrative(sentences=(Sentence(text="Lesion 1 is the largest, lesion 12 is none."), *sentences)),
    )


class Node:
    """Writes one version after the other, each knowing the reports before it."""

    def __init__(self) -> None:
        self.reports: list[tuple[Tracked, ...]] = []

    def read(self, findings: Findings, source: Source = SOURCE) -> tuple[Followed, Identity, dict[str, str]]:
        """Followed, the identity, and tracking UID by label."""
        followed = follow(findings, source, self.reports)
        identity = replace(phantoms.identity(f"{len(self.reports):02x}"), inherited=followed.inherited)
        report = tracked(to_file(measurement_report.write(followed.findings, source, identity)))
        self.reports.insert(0, report)
        return followed, identity, {one.identifier: one.uid for one in report}


def labels(followed: Followed) -> list[str]:
    return [f.label for f in followed.findings.findings]


def texts(followed: Followed) -> list[str]:
    return [s.text for s in followed.findings.narrative.sentences]


def test_a_first_version_is_left_as_it_is() -> None:
    findings = said(at(2, 2), at(10, 10))
    followed = follow(findings, SOURCE, [])
    assert followed.findings is findings
    assert followed.inherited == ()


def test_lesions_that_change_places_keep_their_names_and_a_new_one_gets_a_new_name() -> None:
    node = Node()
    _, _, first = node.read(said(at(2, 2), at(10, 10)))
    followed, _, second = node.read(said(at(10, 10, 5), at(14, 2, 3), at(2, 2)))
    assert labels(followed) == ["lesion 2", "lesion 3", "lesion 1"]
    assert (second["lesion 1"], second["lesion 2"]) == (first["lesion 1"], first["lesion 2"])
    assert second["lesion 3"] not in first.values()
    assert second["lesion 3"] != tracking_uid(phantoms.identity("01"), "lesion 1")
    assert texts(followed) == [
        "Lesion 2 is the largest, lesion 12 is none.",
        "Lesion 2: probability 90 %.",
        "Lesion 3: probability 90 %.",
        "Lesion 1: probability 90 %.",
    ]
    assert [s.finding for s in followed.findings.narrative.sentences] == [None, "lesion 2", "lesion 3", "lesion 1"]


def test_a_draft_names_its_evidence_by_the_new_labels() -> None:
    node = Node()
    node.read(said(at(2, 2), at(10, 10)))
    again = said(at(10, 10, 5), at(14, 2, 3), at(2, 2))
    draft = Draft(verdict="contradicted", reason="side", evidence=("lesion 1", "lesion 3"), withheld=True)
    with_draft = replace(
        again, narrative=Narrative(sentences=(Sentence(text="A lesion.", draft=draft, says=AsCoded()),))
    )
    followed, _, _ = node.read(with_draft)
    (sentence,) = followed.findings.narrative.sentences
    assert sentence.draft == replace(draft, evidence=("lesion 2", "lesion 1"))
    assert sentence.says == AsCoded()


def test_a_lesion_that_is_gone_leaves_its_name_to_no_other() -> None:
    node = Node()
    _, _, first = node.read(said(at(2, 2), at(10, 10)))
    followed, _, second = node.read(said(at(14, 2), at(2, 12)))
    assert labels(followed) == ["lesion 3", "lesion 4"]
    assert not set(first.values()) & set(second.values())
    again, _, third = node.read(said(at(10, 10), at(14, 2)))
    assert labels(again) == ["lesion 2", "lesion 3"]  # known from before the last version
    assert (third["lesion 2"], third["lesion 3"]) == (first["lesion 2"], second["lesion 3"])


def test_two_that_became_one_keep_the_name_of_the_larger_share_and_one_that_fell_apart_too() -> None:
    node = Node()
    _, _, first = node.read(said(at(2, 2, 4), at(2, 6, 3)))
    followed, _, second = node.read(said(phantoms.box(SHAPE, (2, 5), (2, 6), (2, 9))))
    assert labels(followed) == ["lesion 1"]
    assert second["lesion 1"] == first["lesion 1"]
    apart, _, third = node.read(said(at(2, 2, 2), at(2, 5, 4)))
    assert labels(apart) == ["lesion 3", "lesion 1"]
    assert third["lesion 1"] == first["lesion 1"]


@pytest.mark.parametrize(("moved", "same"), [(2, True), (3, False)])
def test_a_quarter_of_the_pixels_makes_it_the_same(moved: int, same: bool) -> None:  # noqa: FBT001
    size = 4
    share = (size - moved) * size / ((size + moved) * size)
    assert (share >= LEAST_SHARED) == same
    node = Node()
    _, _, first = node.read(said(at(2, 2, size)))
    followed, _, second = node.read(said(at(2, 2 + moved, size)))
    assert labels(followed) == ["lesion 1" if same else "lesion 2"]
    assert (first["lesion 1"] in second.values()) == same


def test_what_lies_on_other_slices_is_another() -> None:
    node = Node()
    node.read(said(at(2, 2, slices=(1, 2))))
    followed, _, _ = node.read(said(at(2, 2, slices=(5, 7))))
    assert labels(followed) == ["lesion 2"]


def test_slices_that_came_between_and_an_order_of_frames_do_not_matter() -> None:
    of = phantoms.volume()
    whole = phantoms.single_frame(of)
    part = Source(datasets=whole.datasets[2:], frame_numbers=(), planes=whole.planes[2:])
    region = at(2, 2, slices=(3, 6))
    segment, finding = phantoms.segment(region[2:]), phantoms.finding(region[2:], "lesion 1")
    small = Findings(
        algorithm=phantoms.algorithm(), segments=(segment,), findings=(finding,), narrative=Narrative(sentences=())
    )
    node = Node()
    _, _, first = node.read(small, part)
    followed, _, second = node.read(said(at(12, 12), region), whole)
    assert labels(followed) == ["lesion 2", "lesion 1"]
    assert second["lesion 1"] == first["lesion 1"]


def test_a_kind_that_is_named_otherwise_is_the_same_lesion_and_another_family_of_another_code_is_not() -> None:
    glioma = Code("393564001", "SCT", "Glioma")
    node = Node()
    _, _, first = node.read(said(at(2, 2)))
    _, _, second = node.read(said(at(2, 2), code=glioma))
    assert second["lesion 1"] == first["lesion 1"]
    followed, _, third = node.read(said(at(2, 2), stem="tumour", code=glioma))
    assert labels(followed) == ["lesion 1"]  # one code: the name goes on, in the sentences as well
    assert texts(followed)[1] == "Lesion 1: probability 90 %."
    assert third["lesion 1"] == first["lesion 1"]
    other, _, _ = node.read(said(at(2, 2), stem="vessel", code=codes.SCT.BloodVessel))
    assert labels(other) == ["vessel 1"]


def test_what_there_is_only_one_of_is_known_by_its_name() -> None:
    def brain(region: Mask) -> Findings:
        return Findings(
            algorithm=phantoms.algorithm(),
            segments=(phantoms.segment(region, "Brain"),),
            findings=(Finding(label="brain", code=codes.SCT.Brain, segment=0, region=region),),
            narrative=Narrative(sentences=(Sentence(text="The brain in the images measures 9 mL.", finding="brain"),)),
            study_probability=0.5,
        )

    node = Node()
    _, _, first = node.read(brain(at(2, 2, 3)))
    followed, _, second = node.read(brain(at(9, 9, 8)))
    assert second == first  # the study as a whole among them
    assert texts(followed) == ["The brain in the images measures 9 mL."]


def test_what_has_no_place_is_not_taken_for_another() -> None:
    def nowhere() -> Findings:
        return Findings(
            algorithm=phantoms.algorithm(),
            segments=(),
            findings=(Finding(label="lesion 1", code=codes.SCT.Lesion),),
            narrative=Narrative(sentences=()),
        )

    node = Node()
    node.read(nowhere())
    followed, _, _ = node.read(nowhere())
    assert labels(followed) == ["lesion 2"]


def test_reports_that_gave_one_name_to_two_do_not_do_so_again() -> None:
    """As it is where an earlier report was not there when a later one was written."""
    apart, together = Node(), Node()
    apart.read(said(at(2, 2)))
    together.read(said(at(10, 10)))
    together.reports += apart.reports
    followed, _, _ = together.read(said(at(2, 2), at(10, 10)))
    assert labels(followed) == ["lesion 2", "lesion 1"]


PLACES = [(2, 2), (2, 10), (12, 2), (12, 10)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PLACES), unique=True, max_size=4), min_size=2, max_size=5))
def test_over_any_history_a_name_means_one_place(history: Sequence[Sequence[tuple[int, int]]]) -> None:
    """Whatever comes, goes and changes order: one name, one UID, one place, in every version alike."""
    node, names, uids = Node(), dict[str, tuple[int, int]](), dict[tuple[int, int], str]()
    for places in history:
        followed, _, tracking = node.read(said(*(at(*place) for place in places)))
        for place, label in zip(places, labels(followed), strict=True):
            assert names.setdefault(label, place) == place
            assert uids.setdefault(place, tracking[label]) == tracking[label]
    assert len(set(uids.values())) == len(uids)
