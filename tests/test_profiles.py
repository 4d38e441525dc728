"""Every demand of every viewer, held against what is written for it; and that each demand can be missed."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread

from dicom_node.result_classes import WRITTEN
from dicom_node.results import objects, profiles
from dicom_node.results.content_tree import content_items
from dicom_node.results.profiles import PROFILES, Demand, Profile
from dicom_node.results.rendering import choose, segmentation_class
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind
from tests import phantoms

Objects = dict[ObjectKind, Dataset]


def single() -> Source:
    return phantoms.single_frame(phantoms.volume())


def multi() -> Source:
    return phantoms.multi_frame(phantoms.volume())


def made(profile: Profile, source: Source) -> Objects:
    """What is written for a profile when nobody was asked, read back."""
    identity = phantoms.identity(rendering=choose(profile))
    results = objects.write_all(phantoms.two_lesions(), source, identity)
    return {r.kind: dcmread(BytesIO(r.data)) for r in results}


def code(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def named(items: list[Dataset], value: str) -> list[Dataset]:
    return [item for item in items if code(item) == value]


def groups(written: Objects) -> list[list[Dataset]]:
    return [list(group.ContentSequence) for group in named(list(content_items(written[ObjectKind.SR])), "125007")]


def regions(written: Objects) -> list[Dataset]:
    return [i for i in content_items(written[ObjectKind.SR]) if i.ValueType in {"SCOORD", "SCOORD3D"}]


def frames(written: Objects) -> list[Dataset]:
    return list(written[ObjectKind.SEG].PerFrameFunctionalGroupsSequence)


def evidence(dataset: Dataset) -> list[str]:
    (study,) = dataset.CurrentRequestedProcedureEvidenceSequence
    return [str(i.ReferencedSOPInstanceUID) for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence]


def frame_numbers(written: Objects) -> bool:
    sources = [frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in frames(written)]
    images = [region.ContentSequence[0].ReferencedSOPSequence[0] for region in regions(written)]
    return all("ReferencedFrameNumber" in reference for reference in (*sources, *images))


def region_beside_segment(written: Objects) -> bool:
    return all(named(group, "111030") for group in groups(written) if named(group, "121191"))


def child_of_every_number(written: Objects) -> bool:
    without = [group for group in groups(written) if not named(group, "111030")]
    return all("ContentSequence" in item for group in without for item in group if item.ValueType == "NUM")


def once(written: Objects) -> bool:
    listed = [evidence(dataset) for kind, dataset in written.items() if kind is not ObjectKind.SEG]
    return all(len(each) == len(set(each)) for each in listed)


def text_elsewhere(written: Objects) -> bool:
    narrative = written[ObjectKind.NARRATIVE]
    return narrative.SOPInstanceUID != written[ObjectKind.SR].SOPInstanceUID and code(narrative) != "126000"


# each with what spoils it, so that no check passes whatever is written
CHECKS: dict[Demand, tuple[Callable[[Objects], bool], Callable[[Objects], None]]] = {
    profiles.ONE_OBJECT_A_SERIES: (
        lambda w: len({d.SeriesInstanceUID for d in w.values()}) == len(w),
        lambda w: setattr(w[ObjectKind.SR], "SeriesInstanceUID", w[ObjectKind.SEG].SeriesInstanceUID),
    ),
    profiles.REFERENCED_SERIES: (
        lambda w: (
            w[ObjectKind.SEG].ReferencedSeriesSequence[0].SeriesInstanceUID == single().datasets[0].SeriesInstanceUID
        ),
        lambda w: setattr(w[ObjectKind.SEG].ReferencedSeriesSequence[0], "SeriesInstanceUID", "2.25.1"),
    ),
    profiles.DERIVATION_OF_EVERY_FRAME: (
        lambda w: all(len(frame.DerivationImageSequence[0].SourceImageSequence) == 1 for frame in frames(w)),
        lambda w: setattr(frames(w)[-1].DerivationImageSequence[0], "SourceImageSequence", []),
    ),
    profiles.FRAME_NUMBERS: (
        frame_numbers,
        lambda w: delattr(regions(w)[0].ContentSequence[0].ReferencedSOPSequence[0], "ReferencedFrameNumber"),
    ),
    profiles.TRACKING_FIRST: (
        lambda w: all([code(item) for item in group[:2]] == ["112039", "112040"] for group in groups(w)),
        lambda w: named(list(content_items(w[ObjectKind.SR])), "125007")[1].ContentSequence.reverse(),
    ),
    profiles.REGION_BESIDE_SEGMENT: (
        region_beside_segment,
        lambda w: setattr(regions(w)[0].ConceptNameCodeSequence[0], "CodeValue", "1"),
    ),
    profiles.CHILD_OF_EVERY_NUMBER: (
        child_of_every_number,
        lambda w: delattr(next(i for i in groups(w)[2] if i.ValueType == "NUM"), "ContentSequence"),
    ),
    profiles.PLANAR_REGIONS_ONLY: (
        lambda w: {region.ValueType for region in regions(w)} == {"SCOORD"},
        lambda w: setattr(regions(w)[0], "ValueType", "SCOORD3D"),
    ),
    profiles.IMAGE_REGION: (
        lambda w: {(code(r), r.GraphicType) for r in regions(w)} == {("111030", "POLYLINE")},
        lambda w: setattr(regions(w)[0], "GraphicType", "POINT"),
    ),
    profiles.ORIGINAL_SOURCE: (
        lambda w: {code(region.ContentSequence[0]) for region in regions(w)} == {"111040"},
        lambda w: setattr(regions(w)[0].ContentSequence[0].ConceptNameCodeSequence[0], "CodeValue", "260753009"),
    ),
    profiles.EVIDENCE_ONCE: (
        once,
        lambda w: (
            w[ObjectKind.SR]
            .CurrentRequestedProcedureEvidenceSequence[0]
            .ReferencedSeriesSequence.extend(
                w[ObjectKind.SR].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
            )
        ),
    ),
    profiles.NARRATIVE_OUTSIDE_TID_1500: (
        text_elsewhere,
        lambda w: setattr(w[ObjectKind.NARRATIVE].ConceptNameCodeSequence[0], "CodeValue", "126000"),
    ),
}


def test_every_demand_is_checked() -> None:
    assert set(CHECKS) == {demand for profile in PROFILES.values() for demand in profile.demands}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("source", [single, multi], ids=["single", "multi"])
def test_what_is_written_for_a_viewer_meets_its_demands(name: str, source: Callable[[], Source]) -> None:
    profile = PROFILES[name]
    written = made(profile, source())
    assert set(written) == {ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE}
    for demand in profile.demands - ({profiles.FRAME_NUMBERS} if source is single else set()):
        assert CHECKS[demand][0](written), demand.says


@pytest.mark.parametrize("demand", CHECKS, ids=lambda demand: str(demand.says))
def test_a_demand_can_be_missed(demand: Demand) -> None:
    meets, spoil = CHECKS[demand]
    written = made(PROFILES["stone"], multi())
    assert meets(written)
    spoil(written)
    assert not meets(written)


def test_only_stone_is_told_of_an_original_source() -> None:
    meets, _ = CHECKS[profiles.ORIGINAL_SOURCE]
    assert [name for name in PROFILES if meets(made(PROFILES[name], single()))] == ["stone"]


def test_a_profile_names_only_what_is_written() -> None:
    for profile in PROFILES.values():
        classes = {segmentation_class(form) for form in profile.seg_forms}
        assert classes | set(profile.measurement_classes) | set(profile.narrative_classes) <= set(WRITTEN)
        assert replace(profile, demands=frozenset()) != profile
        assert all(demand.source for demand in profile.demands)
