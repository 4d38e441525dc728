"""Reading as a function of bytes: a result on the source's own planes, or why not, and always the same bytes."""

from dataclasses import replace
from io import BytesIO

import highdicom
import numpy as np
import pytest
from highdicom import Volume
from pydicom import Dataset, dcmread
from pydicom.uid import UID, EncapsulatedPDFStorage

from dicom_node.errors import DefectError, TransientError, UnsuitableError
from dicom_node.reading.analysis import read_study
from dicom_node.reading.synthetic_study import Labels
from dicom_node.reading.task import Analysis, Given, ReadingResult, Task
from dicom_node.results.profiles import PROFILES
from dicom_node.results.rendering import choose
from dicom_node.study import ObjectKind, Outcome, derive_uid
from inference.image import Image
from inference.inputs import Inputs
from tests.analyses import DIGEST, analyse, bright, task
from tests.series_files import AXIAL, changed, enhanced, headers, phantom


def study() -> list[Dataset]:
    return headers(head())


def head() -> Volume:
    """A dark volume with one bright box, off every axis of symmetry."""
    volume = phantom(shape=(9, 24, 20))
    volume.array[...] %= 100
    volume.array[2:5, 3:9, 12:17] = 1000
    return volume


def opened(result: ReadingResult, kind: ObjectKind) -> Dataset:
    (found,) = [o for o in result.objects if o.kind is kind]
    ds = dcmread(BytesIO(found.data))
    assert ds.SOPInstanceUID == found.sop_instance_uid
    assert ds.SeriesInstanceUID == found.series_instance_uid
    assert ds.SOPClassUID == found.sop_class_uid
    return ds


def test_a_study_gets_its_objects() -> None:
    result = read_study(task(study()), analyse)
    assert (result.outcome, result.reason) == (Outcome.RESULT, "")
    assert [o.kind for o in result.objects] == [ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE]
    assert result.series == study()[0].SeriesInstanceUID
    assert (result.provider, result.seconds) == ("numpy", 0.25)
    for obj in result.objects:
        ds = dcmread(BytesIO(obj.data))
        assert ds.StudyInstanceUID == study()[0].StudyInstanceUID
        assert ds.PatientID == study()[0].PatientID


def test_the_summary_is_that_of_the_command_line() -> None:
    result = read_study(task(study()), analyse)
    (finding,) = result.findings
    assert set(finding) == {"label", "code", "site", "laterality", "probability", "measurements", "tracking_uid"}
    assert finding["code"] == {"scheme": "SCT", "value": "52988006", "meaning": "Lesion"}
    assert finding["laterality"] is None
    assert finding["probability"] == 0.75
    (volume,) = finding["measurements"]
    assert volume["value"] == pytest.approx(3 * 6 * 5 * 5.0 * 0.7 * 0.8 / 1000)
    assert volume["unit"] == "ml"
    assert finding["tracking_uid"].startswith("2.25.")
    assert result.narrative == "One bright lesion."
    assert finding["tracking_uid"].encode() in result.objects[1].data


def positions_of_mask(seg: Dataset) -> set[tuple[float, ...]]:
    volume = highdicom.seg.Segmentation.from_dataset(seg).get_volume(combine_segments=True)
    indices = np.argwhere(volume.array > 0)
    return {tuple(np.round(p, 3) + 0.0) for p in (volume.affine[:3, :3] @ indices.T).T + volume.affine[:3, 3]}


@pytest.mark.parametrize("multi_frame", [False, True])
def test_the_mask_lies_where_the_source_is_bright(multi_frame: bool) -> None:  # noqa: FBT001
    volume = head()
    datasets = [enhanced(volume, [3, 0, 5, 1, 4, 2, 8, 7, 6])] if multi_frame else headers(volume, "CT")
    seg = opened(read_study(task(datasets), analyse), ObjectKind.SEG)
    indices = np.argwhere(volume.array == 1000)
    expected = {tuple(np.round(p, 3) + 0.0) for p in (AXIAL[:3, :3] @ indices.T).T + AXIAL[:3, 3]}
    assert positions_of_mask(seg) == expected


def test_same_in_same_out_whatever_the_order_of_arrival() -> None:
    one = read_study(task(study()), analyse)
    two = read_study(task(list(reversed(study()))), analyse)
    assert one == two


@pytest.mark.parametrize(
    "change",
    [{"configuration_digest": "ef" * 32}, {"software_version": "0.1.1"}, {"renderings": (choose(PROFILES["ohif"]),)}],
)
def test_what_can_change_a_result_changes_its_uids(change: dict[str, str]) -> None:
    one = read_study(task(study()), analyse)
    two = read_study(task(study(), **change), analyse)
    assert not {o.sop_instance_uid for o in one.objects} & {o.sop_instance_uid for o in two.objects}


def test_a_late_instance_changes_the_digest() -> None:
    one, two = read_study(task(study()[:-1]), analyse), read_study(task(study()), analyse)
    assert one.instances_digest != two.instances_digest
    assert not {o.sop_instance_uid for o in one.objects} & {o.sop_instance_uid for o in two.objects}


def test_a_later_version_tracks_what_an_earlier_one_tracked_in_all_its_objects() -> None:
    first = read_study(task(study()[:-1]), analyse)
    report = next(o.data for o in first.objects if o.kind is ObjectKind.SR)
    later = read_study(task(study(), version=2, earlier=(report,)), analyse)
    assert later.findings[0]["tracking_uid"] == first.findings[0]["tracking_uid"]
    tracked = str(first.findings[0]["tracking_uid"])
    assert opened(later, ObjectKind.SEG).SegmentSequence[0].TrackingUID == tracked
    assert tracked.encode() in opened(later, ObjectKind.SR).to_json().encode()
    assert read_study(task(study(), version=2), analyse).findings[0]["tracking_uid"] != tracked


def never(name: str, given: Given) -> Analysis:
    raise AssertionError("nothing was to be analysed")


def reason_of(read: Task) -> str:
    """The reason of an abstention, which stands in its report."""
    result = read_study(read, never)
    assert result.outcome is Outcome.ABSTAINED
    assert [o.kind for o in result.objects] == [ObjectKind.OUTCOME]
    assert result.reason.encode() in result.objects[0].data
    return result.reason


def test_a_gap_ends_in_an_abstention_with_its_numbers() -> None:
    made = study()
    del made[4]
    assert reason_of(task(made)) == "series 1: slice gap of 10.0 mm at slice 4, spacing elsewhere 5.0 mm"


def test_a_study_that_does_not_fit() -> None:
    inputs = Inputs(modality=("CT",), min_slices=30, min_matrix=96)
    assert reason_of(task(study(), inputs=inputs)) == (
        "series 1: modality MR, needed CT; matrix 24 x 20, at least 96 needed; 9 slices, at least 30 read"
    )


def test_a_study_without_images() -> None:
    def change(_: int, ds: Dataset) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage

    assert reason_of(task(changed(study(), change))) == "the study has no CT or MR image"


def test_what_the_algorithm_declines_is_an_abstention() -> None:
    def decline(name: str, given: Given) -> Analysis:
        raise UnsuitableError("no brain found: 3 mL")

    result = read_study(task(study()), decline)
    assert (result.outcome, result.reason) == (Outcome.ABSTAINED, "no brain found: 3 mL")
    assert [o.kind for o in result.objects] == [ObjectKind.OUTCOME]


@pytest.mark.parametrize("kind", [TransientError, DefectError])
def test_what_fails_around_the_algorithm_is_no_outcome(kind: type[Exception]) -> None:
    def fail(name: str, given: Given) -> Analysis:
        raise kind("out of memory")

    with pytest.raises(kind, match="out of memory"):
        read_study(task(study()), fail)


def test_the_best_series_is_read_and_the_other_says_why() -> None:
    def number(_: int, ds: Dataset) -> None:
        ds.SeriesNumber, ds.StudyInstanceUID = 7, study()[0].StudyInstanceUID

    short = changed(headers(phantom(shape=(4, 24, 20)), labels=Labels(seed="short")), number)
    result = read_study(task([*short, *study()]), analyse)
    assert result.series == study()[0].SeriesInstanceUID
    assert result.left == ((short[0].SeriesInstanceUID, "fits, but series 1 has more slices, 9 against 4"),)


def test_a_forced_outcome_reads_nothing() -> None:
    forced = task(study(), inputs=None, forced=(Outcome.FAILED, "gave up after 3 attempts"), algorithm_digest=DIGEST)
    result = read_study(forced, never)
    assert (result.outcome, result.reason) == (Outcome.FAILED, "gave up after 3 attempts")
    assert b"gave up after 3 attempts" in result.objects[0].data


def test_a_forced_outcome_copes_with_what_cannot_be_parsed() -> None:
    forced = task(study()[:2], inputs=None, forced=(Outcome.FAILED, "x"))
    result = read_study(replace(forced, instances=(*forced.instances, b"junk")), never)
    assert [o.kind for o in result.objects] == [ObjectKind.OUTCOME]
    assert read_study(replace(forced, instances=(b"junk",)), never).objects == ()


def test_no_report_where_none_is_wanted() -> None:
    assert read_study(task(study()[:2], outcome_report=False), never).objects == ()


@pytest.mark.parametrize("keyword", ["PatientID", "StudyInstanceUID", "IssuerOfPatientID"])
@pytest.mark.parametrize("forced", [None, (Outcome.FAILED, "x")])
def test_two_patients_or_studies_get_nothing(keyword: str, forced: tuple[Outcome, str] | None) -> None:
    made = study()
    for ds in made:
        ds.IssuerOfPatientID = "HOSPITAL"
    setattr(made[3], keyword, "1.2.3")
    facts = {"inputs": None, "forced": forced} if forced else {}
    with pytest.raises(DefectError, match=r"2 (patient identities|Study Instance UIDs)") as caught:
        read_study(task(made, **facts), never)
    assert "PHANTOM" not in str(caught.value)


def test_an_issuer_that_only_some_instances_name_is_no_other_patient() -> None:
    made = study()
    made[3].IssuerOfPatientID = "HOSPITAL"
    assert read_study(task(made), analyse).outcome is Outcome.RESULT


def test_an_instance_sent_twice_counts_once() -> None:
    one, two = read_study(task(study()), analyse), read_study(task([*study(), study()[2]]), analyse)
    assert one == two


def test_one_uid_with_two_contents_is_an_abstention() -> None:
    other = headers(phantom(shape=(9, 24, 20), seed=3))[2]
    assert other.SOPInstanceUID == study()[2].SOPInstanceUID
    assert "two different instances have one SOP Instance UID" in reason_of(task([*study(), other]))


def test_an_instance_that_cannot_be_parsed_is_an_abstention() -> None:
    broken = task(study())
    text = reason_of(replace(broken, instances=(*broken.instances[:-1], broken.instances[-1][:-40])))
    assert text == "1 of 9 instances cannot be used: an instance is cut short: 920 of 960 bytes of Pixel Data are there"


def test_an_instance_without_a_valid_uid_is_an_abstention() -> None:
    made = study()
    made[1].SeriesInstanceUID = UID("")
    assert "1 of 9 instances cannot be used: an instance without a valid SeriesInstanceUID" in reason_of(task(made))


def test_no_text_of_the_patient_in_any_reason() -> None:
    canary = "CANARY"

    def poison(index: int, ds: Dataset) -> None:
        ds.PatientName = ds.SeriesDescription = ds.ProtocolName = ds.BodyPartExamined = canary
        ds.Modality, ds.ImageType = canary, [canary, "LOCALIZER"]
        ds.PatientID = ds.ManufacturerModelName = canary
        ds.EchoTime = str(index)

    made = changed([*study(), *study()], poison)
    for index, ds in enumerate(made[9:]):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(derive_uid("again", str(index)))
        ds.PixelData = bytes(len(ds.PixelData))
    inputs = Inputs(modality=("MR",), body_part=("HEAD",), weighting=("T2",), contrast_agent=True, min_slices=99)
    result = read_study(task(made, inputs=inputs), never)
    assert result.outcome is Outcome.ABSTAINED
    assert "2 images at each of 9 places" in result.reason
    assert canary not in result.reason + str(result.left) + str(result.notes)


def test_a_reading_takes_no_path_and_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    read_study(task(study()), analyse)  # what is imported late is imported now
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    assert read_study(task(study()), analyse).outcome is Outcome.RESULT


def test_a_bright_volume_is_not_changed_by_rescaling() -> None:
    seen: list[float] = []

    def look(name: str, image: Given) -> Analysis:
        assert isinstance(image, Image)
        seen.append(float(image.volume.array.max()))
        return Analysis(findings=bright(image, 500), provider="numpy", seconds=0.0)

    def rescale(_: int, ds: Dataset) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = "2", "-1000"

    read_study(task(changed(study(), rescale)), look)
    assert seen == [1000.0]


def test_one_content_is_written_in_every_rendering_that_is_asked_for() -> None:
    calls: list[str] = []

    def counted(name: str, given: Given) -> Analysis:
        calls.append(name)
        return analyse(name, given)

    renderings = (choose(PROFILES["generic"]), choose(PROFILES["stone"]))
    result = read_study(task(study(), renderings=renderings), counted)
    assert calls == ["bright-spots"]
    assert [(o.rendering.partition(":")[0], o.kind) for o in result.objects] == [
        (profile, kind) for profile in ("generic", "stone") for kind in ("SEG", "SR", "NARRATIVE")
    ]
    assert len({o.sop_instance_uid for o in result.objects}) == 6
    (finding,) = result.findings
    assert [finding["tracking_uid"].encode() in o.data for o in result.objects if o.kind == "SR"] == [True, True]


def test_an_outcome_is_written_in_every_rendering_that_holds_text() -> None:
    silent = replace(choose(PROFILES["stone"]), narrative_class=None)
    renderings = (choose(PROFILES["generic"]), choose(PROFILES["weasis"]), silent)
    result = read_study(task(study()[:2], renderings=renderings), analyse)
    assert result.outcome is Outcome.ABSTAINED
    assert [o.rendering.partition(":")[0] for o in result.objects] == ["generic", "weasis"]
