"""Series to volume: every voxel where the scanner put it, or refused with the numbers."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.tag import Tag
from pydicom.uid import MRImageStorage

from dicom_node.reading.synthetic_study import Labels
from dicom_node.reading.volume import LoadedSeries
from tests.series_files import (
    AXIAL,
    Affine,
    changed,
    directed,
    enhanced,
    fault,
    headers,
    loaded,
    phantom,
    value_at_each_position,
)

ORIENTATIONS = [
    (axes, flips) for axes in permutations(range(3)) for flips in product((1, -1), repeat=3)
]  # the 48 ways to lay three axes along three axes


def check_planes_are_those_of_the_source(series: LoadedSeries) -> None:
    affine = series.image.volume.affine
    assert series.source.shape == series.image.volume.spatial_shape
    assert series.laying.is_plain
    for k in range(series.source.shape[0]):
        header, frame = series.source.plane(k)
        if frame is not None:
            header = header.PerFrameFunctionalGroupsSequence[frame - 1].PlanePositionSequence[0]
        np.testing.assert_allclose(header.ImagePositionPatient, affine[:3] @ [k, 0, 0, 1], atol=1e-4)


@pytest.mark.parametrize(("axes", "flips"), ORIENTATIONS)
def test_every_orientation_comes_back_voxel_for_voxel(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    original = phantom(directed(axes, flips))
    shuffled = [headers(original)[k] for k in (3, 0, 5, 1, 4, 2)]
    series = loaded(shuffled)
    assert value_at_each_position(series.image.volume) == value_at_each_position(original)
    check_planes_are_those_of_the_source(series)


angles = st.floats(-180, 180, allow_subnormal=False)


@given(st.tuples(angles, angles, angles), st.tuples(*[st.floats(0.3, 8)] * 3), st.permutations(range(5)))
@settings(max_examples=60, deadline=None)
def test_any_oblique_stack_comes_back(turned: tuple[float, ...], spacing: tuple[float, ...], order: list[int]) -> None:
    original = phantom(oblique(turned, spacing), shape=(5, 6, 4))
    made = headers(original)
    series = loaded([made[k] for k in order])
    ours, theirs = series.image.volume, original
    if np.dot(ours.affine[:3, 0], theirs.affine[:3, 0]) < 0:
        theirs = theirs.flip_spatial(0)
    np.testing.assert_array_equal(ours.array, theirs.array)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-5)
    check_planes_are_those_of_the_source(series)


def oblique(turned: tuple[float, ...], spacing: tuple[float, ...]) -> Affine:
    affine = np.eye(4)
    for axis, angle in enumerate(np.radians(turned)):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(4)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        affine = turn @ affine
    affine[:3, :3] *= spacing
    affine[:3, 3] = (-100, 50, 25)
    return affine


def test_slices_run_along_the_ascending_normal() -> None:
    series = loaded(headers())
    row, column = series.image.volume.affine[:3, 1], series.image.volume.affine[:3, 2]
    assert np.dot(np.cross(column, row), series.image.volume.affine[:3, 0]) > 0


def test_rescaling_is_that_of_each_slice() -> None:
    def rescale(index: int, ds: Dataset) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = str(1 + index / 4), str(-1000 * index)

    volume = loaded(changed(headers(), rescale)).image.volume
    for k in range(6):
        np.testing.assert_array_equal(volume.array[k], phantom().array[k] * (1 + k / 4) - 1000 * k)
    assert volume.array.dtype == np.float32


def stack(count: int) -> list[Dataset]:
    return headers(phantom(shape=(count, 4, 5)))


def at(datasets: list[Dataset], distances: list[float]) -> list[Dataset]:
    def move(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20, -30, distances[index]]

    return changed(datasets, move)


def test_a_gap_is_refused_with_its_place_and_size() -> None:
    made = stack(60)
    del made[41]
    assert fault(made) == "slice gap of 10.0 mm at slice 41, spacing elsewhere 5.0 mm"


def test_two_gaps_are_both_named() -> None:
    made = stack(30)
    del made[20], made[10]
    assert fault(made) == (
        "slice gap of 10.0 mm at slice 10, spacing elsewhere 5.0 mm; "
        "slice gap of 10.0 mm at slice 19, spacing elsewhere 5.0 mm"
    )


def test_slices_too_close_are_refused() -> None:
    distances = [5.0 * k for k in range(10)]
    distances[9] = 41.2
    assert fault(at(stack(10), distances)) == "slices 9 and 10 only 1.2 mm apart, spacing elsewhere 5.0 mm"


UNEVEN = {
    "spacing changes from 3.0 mm to 5.0 mm at slice 6": [*np.arange(6) * 3.0, *(15 + 5.0 * np.arange(1, 7))],
    "spacing changes from 4.0 mm to 7.0 mm at slice 7, slices 6 and 7 are 1.08 mm apart and overlap": [
        *np.arange(6) * 4.0,
        *(21.08 + 7.0 * np.arange(6)),
    ],
    "slices 3.0 to 7.0 mm apart, usually 5.0 mm": list(np.cumsum([0, 5, 4, 6, 5.5, 4.5, 7, 3, 5])),
    "slices 9 and 10 only 3.0 mm apart, spacing elsewhere 5.0 mm": [*np.arange(9) * 5.0, 43.0],
}


@pytest.mark.parametrize(("remark", "distances"), UNEVEN.items(), ids=["junction", "overlap", "irregular", "last"])
def test_uneven_slices_are_laid_on_an_even_grid_and_it_is_said(remark: str, distances: list[float]) -> None:
    series = loaded(at(stack(len(distances)), distances))
    assert series.source.remarks == (remark,)
    assert [plane.position[2] - 40 for plane in series.source.planes] == pytest.approx([d - 40 for d in distances])
    step, mm = series.image.volume.spacing[0], series.image.slice_mm
    assert step <= min(np.diff(distances)) + 1e-6
    assert mm is not None
    ends = (distances[1] - distances[0] + distances[-1] - distances[-2]) / 2
    assert sum(mm) == pytest.approx(distances[-1] - distances[0] + ends)
    shown = [series.image.volume.affine[2] @ [k, 0, 0, 1] for k in range(len(series.laying.plane_of))]
    for place, plane in zip(shown, series.laying.plane_of, strict=True):
        assert abs(place - distances[plane]) == pytest.approx(min(abs(place - d) for d in distances))
    drawn = series.laying.on_planes(series.image.volume.array > 100)
    np.testing.assert_array_equal(drawn, np.array([ds.pixel_array for ds in stack(len(distances))]) > 100)


@pytest.mark.parametrize("step", [9.6, 10.0, 20.0])
def test_a_slice_that_may_be_missing_is_no_uneven_spacing(step: float) -> None:
    distances = np.cumsum([0, 5, 4, 6, 5.5, 4.5, 7, step, 5, 5, 3])
    assert "apart, usually 5.0 mm" in fault(at(stack(11), list(distances)))


@pytest.mark.parametrize("jitter", [1e-6, 0.005, 0.015])
def test_rounded_positions_are_accepted(jitter: float) -> None:
    signs = np.array([0, 1, -1, 1, 1, -1, 0, -1, 1, 0]) / 2
    made = at(stack(10), list(np.arange(10) * 5.0 + jitter * signs))
    np.testing.assert_allclose(loaded(made).image.volume.spacing[0], 5.0, atol=1e-3)


@pytest.mark.parametrize("jitter", [0.2, 0.5])
def test_a_moved_slice_is_said(jitter: float) -> None:
    distances = [*np.arange(10) * 5.0]
    distances[4] += jitter
    assert "spacing elsewhere 5.0 mm" in str(loaded(at(stack(10), distances)).source.remarks)


@pytest.mark.parametrize("angle", [-25.0, -1.0, 0.5, 18.5])
def test_a_tilted_stack_is_laid_straight_by_whole_pixels(angle: float) -> None:
    shift = np.tan(np.radians(angle)) * 5

    def tilt(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20, round(-30 + index * shift, 6), 40 + index * 5]

    made = changed(stack(8), tilt)
    series = loaded(made)
    assert series.source.remarks == (f"gantry tilt of {abs(angle):.1f} degrees",)
    volume, lowest = series.image.volume, float(series.image.volume.array.min())
    for k, dataset in enumerate(made):
        rows = [r for r in range(volume.shape[1]) if (volume.array[k, r] != lowest).any()]
        there = (volume.affine @ [k, rows[0], 0, 1])[:3]
        assert np.abs(there - np.array(dataset.ImagePositionPatient, float)).max() <= 0.35 + 1e-6  # half of 0.7 mm
        np.testing.assert_array_equal(volume.array[k, rows[0] : rows[0] + 4], dataset.pixel_array)


@pytest.mark.parametrize("positions", [[0, 1, 2, 3, 2, 1], [0, 3, 1, 4, 2, 5]], ids=["there and back", "to and fro"])
def test_slices_that_go_their_own_ways_are_refused(positions: list[int]) -> None:
    def move(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20, -30 + positions[index], 40 + index * 5]

    assert "shifted sideways" in fault(changed(stack(6), move))


def test_slices_moved_sideways_are_refused() -> None:
    def move(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20 + (3 if index == 4 else 0), -30, 40 + index * 5]

    assert fault(changed(stack(8), move)) == "slices are shifted sideways by up to 3.0 mm"


def test_two_images_in_one_plane_are_no_stack() -> None:
    def move(index: int, ds: Dataset) -> None:
        ds.ImagePositionPatient = [-20 + 100 * (index % 2), -30, 40 + 5 * (index // 2)]

    assert "lie in one plane, 100.0 mm apart within it" in fault(changed(stack(8), move))


def remove(keyword: str, count: int) -> list[Dataset]:
    def without(index: int, ds: Dataset) -> None:
        if index < count:
            del ds[Tag(keyword)]

    return changed(headers(), without)


@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"]
)
def test_what_is_missing_is_named(keyword: str) -> None:
    assert fault(remove(keyword, 2)) == f"2 of 6 images: {keyword} is absent"
    assert fault(remove(keyword, 6)) == f"6 of 6 images: {keyword} is absent"


def test_a_ct_without_rescaling_is_refused() -> None:
    def without(_: int, ds: Dataset) -> None:
        del ds.RescaleSlope
        ds.Modality = "OT"  # what it calls itself changes nothing

    assert "Hounsfield units unknown" in fault(changed(headers(modality="CT"), without))


@pytest.mark.parametrize(
    ("keyword", "value", "named"),
    [
        (
            "PixelSpacing",
            [0.7, 0.9],
            "2 pixel spacings in one series (0.700 x 0.800 mm: 5 images, 0.700 x 0.900 mm: 1 image)",
        ),
        ("FrameOfReferenceUID", "1.2.3", "2 frames of reference in one series"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 2, 0], "not two perpendicular unit vectors"),
        ("ImageOrientationPatient", [1, 0, 0, 0.7071, 0.7071, 0], "not two perpendicular unit vectors"),
        ("PixelSpacing", [0, 0.8], "Pixel Spacing is not positive"),
        ("RescaleSlope", "0", "Rescale Slope is 0"),
    ],
)
def test_an_image_unlike_the_others_is_refused(keyword: str, value: object, named: str) -> None:
    made = headers()
    setattr(made[5], keyword, value)
    assert named in fault(made)


def test_mixed_matrices_are_refused() -> None:
    made = [*headers(), *headers(phantom(shape=(1, 9, 8)), labels=Labels(seed="second"))]

    def join(index: int, ds: Dataset) -> None:
        ds.SeriesInstanceUID = made[0].SeriesInstanceUID
        if index == 6:
            ds.ImagePositionPatient = [-20, -30, 70]

    assert fault(changed(made, join)) == "2 matrix sizes in one series (7 x 8: 6 images, 9 x 8: 1 image)"


def test_one_slice_takes_its_thickness() -> None:
    series = loaded(headers()[:1])
    assert series.image.volume.spacing == pytest.approx((5.0, 0.7, 0.8))


def test_a_slice_without_thickness_is_refused() -> None:
    made = headers()[:1]
    del made[0].SliceThickness
    assert fault(made) == "one slice without a slice thickness"


def test_spacing_comes_from_positions_and_not_from_thickness() -> None:
    def thin(_: int, ds: Dataset) -> None:
        ds.SliceThickness = "4"

    assert loaded(changed(headers(), thin)).image.volume.spacing[0] == 5.0


def test_a_multi_frame_object_is_ordered_by_position() -> None:
    order = (3, 0, 5, 1, 4, 2)
    series = loaded([enhanced(phantom(), order)])
    np.testing.assert_array_equal(series.image.volume.array, phantom().array)
    np.testing.assert_allclose(series.image.volume.affine, AXIAL, atol=1e-6)
    assert len(series.source.datasets) == 1
    assert [order[number - 1] for number in series.source.frame_numbers] == list(range(6))
    assert series.image.weighting == "T1"
    check_planes_are_those_of_the_source(series)


def test_a_multi_frame_object_with_a_gap_is_refused() -> None:
    assert fault([enhanced(phantom(shape=(9, 7, 8)), [0, 1, 2, 3, 5, 6, 7, 8])]) == (
        "slice gap of 10.0 mm at slice 4, spacing elsewhere 5.0 mm"
    )


def test_a_multi_frame_object_that_miscounts_is_refused() -> None:
    made = enhanced(phantom(), range(6))
    made.NumberOfFrames = 7
    assert "6 functional groups for 7 frames" in fault([made])


def test_two_kinds_of_image_in_one_series_are_refused() -> None:
    def other(index: int, ds: Dataset) -> None:
        ds.Modality = "CT" if index else "MR"

    made = changed([*headers(modality="CT")[:5], *headers(modality="MR")[5:]], other)
    assert any(ds.SOPClassUID == MRImageStorage for ds in made)
    assert "2 kinds of image in one series" in fault(made)
