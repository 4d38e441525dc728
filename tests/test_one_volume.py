"""One volume out of a series that holds several: which is read, and what is said of those left."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import UID

from dicom_node.reading.synthetic_study import Labels
from tests.series_files import changed, directed, enhanced, fault, headers, loaded, phantom, value_at_each_position


def test_the_largest_of_three_orientations_is_read_and_the_others_named() -> None:
    axial, coronal, sagittal = (
        directed((2, 1, 0), (1, 1, 1)),
        directed((1, 2, 0), (1, -1, 1)),
        directed((0, 2, 1), (1, -1, 1)),
    )
    made = [
        *headers(phantom(axial, (3, 7, 7))),
        *headers(phantom(coronal, (2, 7, 7)), labels=Labels(seed="coronal")),
        *headers(phantom(sagittal, (1, 7, 7)), labels=Labels(seed="sagittal")),
    ]

    def join(_: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID, ds.FrameOfReferenceUID = made[0].SeriesInstanceUID, made[0].FrameOfReferenceUID

    series = loaded(changed(made, join))
    (text,) = series.source.remarks
    assert "axial" in text.split(" was read, left were ")[0]
    for share in ("coronal", "sagittal", "2 images", "1 image"):
        assert share in text.split(" was read, left were ")[1]
    assert value_at_each_position(series.image.volume) == value_at_each_position(phantom(axial, (3, 7, 7)))


def test_slices_turned_a_little_are_refused() -> None:
    def turn(index: int, ds: Dataset) -> None:
        if index > 3:
            ds.ImageOrientationPatient = [1, 0, 0, 0, np.cos(0.1).round(6), np.sin(0.1).round(6)]

    assert fault(changed(headers(), turn)).startswith("2 orientations in one series (axial 1: 4 images, axial 2: 2")


def test_repeated_images_are_left_out_with_a_note() -> None:
    made = headers()
    again = headers()[2]
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    series = loaded([*made, again])
    assert series.source.remarks == ("1 of 7 images repeat another one and were left out",)
    np.testing.assert_array_equal(series.image.volume.array, phantom().array)
    assert series.source.datasets[2].SOPInstanceUID == min("1.2.3", str(made[2].SOPInstanceUID))


def test_another_image_at_one_place_is_refused() -> None:
    made = headers()
    other = headers(phantom(seed=1))[2]
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    assert fault([*made, other]) == "2 images at 1 of 6 places"


@pytest.mark.parametrize(
    ("keyword", "values", "named"),
    [
        ("EchoTime", ("12.5", "90"), "Echo Time (ms) 12.5 was read, 90 left"),
        ("DiffusionBValue", (1000.0, 0.0), "b-value (s/mm2) 0 was read, 1000 left"),
        ("TemporalPositionIdentifier", ("1", "2"), "time point 1 was read, 2 left"),
    ],
)
def test_one_of_two_volumes_in_one_series_is_read(keyword: str, values: tuple[object, object], named: str) -> None:
    made = [*headers(), *headers(phantom(seed=1), labels=Labels(seed="second"))]

    def join(index: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID = made[0].SeriesInstanceUID
        setattr(ds, keyword, values[index // 6])

    series = loaded(changed(made, join))
    assert series.source.remarks == (f"2 images at each of 6 places: {named}",)
    expected = phantom(seed=1) if "1000 left" in named else phantom()
    np.testing.assert_array_equal(series.image.volume.array, expected.array)


def test_one_time_point_of_a_multi_frame_object_is_read() -> None:
    made = enhanced(phantom(), [0, 1, 2, 3, 4, 5] * 3)
    for index, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence[0].TemporalPositionIndex = 1 + index // 6
    series = loaded([made])
    assert series.source.remarks == ("3 images at each of 6 places: time point 1 was read, 2, 3 left",)
    assert series.source.frame_numbers == (1, 2, 3, 4, 5, 6)


def test_the_last_time_point_is_read_where_a_contrast_agent_was_given() -> None:
    made = enhanced(phantom(), [0, 1, 2, 3, 4, 5] * 2)
    made.ContrastBolusAgentSequence = [Dataset()]
    made.ContrastBolusAgentSequence[0].CodeValue, made.ContrastBolusAgent = "1", "Gadolinium"
    for index, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence[0].TemporalPositionIndex = 1 + index // 6
    series = loaded([made])
    assert series.source.remarks == ("2 images at each of 6 places: time point 2 was read, 1 left",)
    assert series.source.frame_numbers == (7, 8, 9, 10, 11, 12)


def test_one_of_several_multi_frame_objects_is_read() -> None:
    made = [enhanced(phantom(seed=n), range(6), seed=f"object {n}") for n in range(3)]
    for dataset in made:
        dataset.SeriesInstanceUID = made[0].SeriesInstanceUID
    series = loaded(made)
    assert series.source.remarks == ("3 images at each of 6 places: object 1 was read, 2, 3 left",)
    first = min(range(3), key=lambda n: str(made[n].SOPInstanceUID))
    np.testing.assert_array_equal(series.image.volume.array, phantom(seed=first).array)


def test_one_volume_spread_over_several_multi_frame_objects_is_refused() -> None:
    made = [enhanced(phantom(), order, seed=f"object {order[0]}") for order in ([0, 1, 2], [3, 4, 5])]
    for dataset in made:
        dataset.SeriesInstanceUID = made[0].SeriesInstanceUID
    assert "spread over several multi-frame objects" in fault(made)
