"""Real series: volumes where the scanner put them, or refused with the numbers that a physicist would give."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from dicom_node.reading.analysis import read_study
from dicom_node.reading.part10 import parse
from dicom_node.reading.series import ImageSeries, survey
from dicom_node.reading.task import ReadingResult
from dicom_node.reading.volume import load
from dicom_node.results.content_tree import content_items
from dicom_node.study import Outcome
from inference.inputs import Inputs
from tests.analyses import analyse, task

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
HEAD = Inputs(
    modality=("MR", "CT"),
    body_part=("HEAD", "BRAIN"),
    weighting=("T1", "T2", "FLAIR", "CT"),
    min_slices=10,
    min_matrix=96,
    max_spacing_mm=8.0,
    min_extent_mm=80.0,
)
PRISMA = [
    "mr-t1-siemens-prisma-hfs",
    "mr-t1-siemens-prisma-hfp",
    "mr-t1-siemens-prisma-hfdr",
    "mr-t1-siemens-prisma-hfdl",
]
ANATOMY = ["mr-t1-siemens-skyra", *PRISMA]


def files(folder: str) -> list[Path]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"{DATA / folder} is not there")
    return sorted((DATA / folder).iterdir())


def one_series(folder: str) -> ImageSeries:
    (series,) = survey([parse(path.read_bytes()) for path in files(folder)])
    return series


def read(folder: str, inputs: Inputs = HEAD) -> ReadingResult:
    instances = tuple(path.read_bytes() for path in files(folder))
    return read_study(task([], instances=instances, inputs=inputs), analyse)


@pytest.mark.parametrize("folder", ANATOMY)
def test_the_volume_is_that_of_simpleitk(folder: str) -> None:
    loaded = load(one_series(folder))
    volume = loaded.image.volume
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(DATA / folder))
    image = sitk.ReadImage(names)
    array = sitk.GetArrayFromImage(image)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, :3] = affine[:3, 2::-1]  # from (column, row, slice) to (slice, row, column)
    affine[:3, 3] = image.GetOrigin()
    np.testing.assert_allclose(volume.affine, affine, atol=1e-3)
    np.testing.assert_array_equal(volume.array, array)
    assert volume.array.dtype == np.float32
    assert loaded.image.weighting == "T1"
    assert loaded.source.remarks == ()


@pytest.mark.parametrize("folder", ANATOMY)
def test_planes_of_the_source_lie_where_the_volume_says(folder: str) -> None:
    loaded = load(one_series(folder))
    source, affine = loaded.source, loaded.image.volume.affine
    for k in range(source.shape[0]):
        header, _ = source.plane(k)
        position = affine[:3] @ [k, 0, 0, 1]
        np.testing.assert_allclose(position, header.ImagePositionPatient, atol=0.02)


def test_four_positions_of_one_head_are_one_geometry() -> None:
    first, *others = [load(one_series(folder)).image.volume for folder in PRISMA]
    for other in others:
        assert other.spatial_shape == first.spatial_shape
        np.testing.assert_allclose(other.spacing, first.spacing, atol=1e-4)


def test_the_tilted_ct_is_read_and_drawn_on_its_tilted_slices() -> None:
    result = read("ct-head-ge-tilted")
    assert result.outcome is Outcome.RESULT
    assert result.notes == (
        "gantry tilt of 18.5 degrees",
        "spacing changes from 4.0 mm to 7.0 mm at slice 15, slices 14 and 15 are 1.08 mm apart and overlap",
    )
    report = content_items(dcmread(BytesIO(result.objects[2].data)))
    assert any(str(item.get("TextValue")).startswith("Images: gantry tilt of 18.5 degrees; spacing") for item in report)


def test_every_voxel_of_the_tilted_ct_comes_back_from_the_grid() -> None:
    loaded = load(one_series("ct-head-ge-tilted"))
    by_uid = {dcmread(path).SOPInstanceUID: dcmread(path) for path in files("ct-head-ge-tilted")}
    dense = loaded.laying.on_planes(loaded.image.volume.array > 200)
    for k, header in enumerate(loaded.source.datasets):
        image = by_uid[header.SOPInstanceUID]
        hounsfield = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        np.testing.assert_array_equal(dense[k], hounsfield > 200)


def test_the_functional_multi_frame_objects_abstain_as_a_physicist_would() -> None:
    result = read("mr-enhanced-siemens-xa10")
    assert result.outcome is Outcome.ABSTAINED
    for said in (
        "echo-planar on a coarse matrix: a functional image, no anatomy",
        "matrix 64 x 64, at least 96 needed",
        "6 slices, at least 10 read",
        "volume of 14 x 216 x 216 mm, at least 80 mm needed along each axis",
    ):
        assert said in result.reason
    assert len(result.objects) == 1


def test_a_multi_frame_object_is_read_where_it_is_wanted() -> None:
    (series,) = survey([parse(files("mr-enhanced-siemens-xa10")[0].read_bytes())])
    loaded = load(series)
    pixels = dcmread(files("mr-enhanced-siemens-xa10")[0]).pixel_array
    np.testing.assert_array_equal(loaded.image.volume.array, pixels.astype(np.float32))
    assert loaded.source.frame_numbers == (1, 2, 3, 4, 5, 6)
    np.testing.assert_allclose(loaded.image.volume.spacing, (2.4, 3.375, 3.375), atol=1e-4)


@pytest.mark.parametrize("folder", ANATOMY)
def test_a_study_gets_a_result(folder: str) -> None:
    result = read(folder)
    assert (result.outcome, result.reason) == (Outcome.RESULT, "")
    assert len(result.objects) == 3


def test_a_child_is_no_adult() -> None:
    result = read("mr-t1-siemens-skyra", HEAD.model_copy(update={"min_age_years": 18.0}))
    assert (result.outcome, result.reason) == (Outcome.ABSTAINED, "series 5: patient younger than 18 years")
