"""DICOM with segmentations as labelled cases: every voxel where it was drawn, whoever wrote it and however."""

from collections.abc import Callable
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from highdicom.seg import SegmentationTypeValues
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dicom_node.operation.labelled_studies import holds_dicom, segmented_series
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.results import segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from inference.errors import DataError, UnsuitableImageError
from inference.inputs import Inputs
from tests import phantoms, series_files

VOLUME = phantoms.volume()
DRAWN = phantoms.two_lesions()
LESIONS = DRAWN.segments[1].mask


def images(folder: Path, seed: str = "one", patient_id: str = "SECRET-7") -> list[Dataset]:
    folder.mkdir(parents=True, exist_ok=True)
    made = series_from_volume(VOLUME, labels=Labels(seed=seed, patient_id=patient_id))
    for number, dataset in enumerate(made):
        dataset.save_as(folder / f"{seed}-{number}.dcm", enforce_file_format=True)
    return made


def source(of: list[Dataset]) -> Source:
    return Source(datasets=tuple(of), frame_numbers=(), planes=phantoms.planes_of(VOLUME))


def segmented(folder: Path, change: Callable[[Dataset], None] | None = None, **which: str) -> None:
    written = segmentation.write(DRAWN, source(images(folder, **which)), phantoms.identity())
    if change is not None:
        change(written)
    (folder / f"{which.get('seed', 'one')}-seg.dcm").write_bytes(to_file(written))


def truth(folder: Path, segment: str | None = None) -> NDArray[np.bool_]:
    (case,) = segmented_series(folder, segment=segment, inputs=None)
    labelled = case.load()
    assert labelled.truth is not None
    np.testing.assert_array_equal(labelled.image.volume.array, VOLUME.array)
    return labelled.truth


def test_the_segments_lie_where_they_were_drawn(tmp_path: Path) -> None:
    segmented(tmp_path)
    np.testing.assert_array_equal(truth(tmp_path), DRAWN.segments[0].mask | LESIONS)
    np.testing.assert_array_equal(truth(tmp_path, "Lesion"), LESIONS)


def test_a_label_that_is_not_there(tmp_path: Path) -> None:
    segmented(tmp_path)
    with pytest.raises(DataError, match="has no segment 'Oedema'"):
        truth(tmp_path, "Oedema")


def test_nothing_that_names_the_patient_comes_out(tmp_path: Path) -> None:
    segmented(tmp_path / "a", seed="one")
    segmented(tmp_path / "b", seed="two")
    segmented(tmp_path / "c", seed="three", patient_id="SECRET-8")
    segmented(tmp_path / "d", seed="four", patient_id="")
    found = segmented_series(tmp_path, segment=None, inputs=None)
    assert len(found) == len({case.name for case in found}) == 4
    assert len({case.patient for case in found}) == 3
    assert not any("SECRET" in case.name + case.patient for case in found)
    assert [case.name for case in found] == sorted(case.name for case in found)
    assert {(case.label, case.fold) for case in found} == {(None, None)}


def test_a_multi_frame_series_stored_in_another_order(tmp_path: Path) -> None:
    stored = [3, 1, 0, 2, 7, 5, 4, 6]
    dataset = series_files.enhanced(VOLUME, stored)
    dataset.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    loaded = series_files.loaded([dataset])
    written = segmentation.write(phantoms.one_lesion(LESIONS), loaded.source, phantoms.identity())
    (tmp_path / "seg.dcm").write_bytes(to_file(written))
    np.testing.assert_array_equal(truth(tmp_path), LESIONS)


def written_by_another(
    of: list[Dataset], kind: SegmentationTypeValues, pixels: NDArray[np.generic]
) -> hd.seg.Segmentation:
    described = hd.seg.SegmentDescription(
        1, "Lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, "MANUAL"
    )
    return hd.seg.Segmentation(
        source_images=of,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[described],
        series_instance_uid="2.25.5",
        series_number=9,
        sop_instance_uid="2.25.6",
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="x",
        device_serial_number="x",
    )


def test_a_fractional_one_counts_from_one_half(tmp_path: Path) -> None:
    share = np.where(LESIONS, 0.7, 0.0)
    share[LESIONS & (np.arange(LESIONS.shape[2]) % 2 == 0)] = 0.3
    made = written_by_another(images(tmp_path), SegmentationTypeValues.FRACTIONAL, share)
    made.save_as(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(truth(tmp_path), share > 0.5)


def test_a_label_map(tmp_path: Path) -> None:
    made = written_by_another(images(tmp_path), SegmentationTypeValues.LABELMAP, LESIONS.astype(np.uint8))
    made.save_as(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(truth(tmp_path, "Lesion"), LESIONS)


def shifted(written: Dataset) -> None:
    for frame in written.PerFrameFunctionalGroupsSequence:
        position = frame.PlanePositionSequence[0]
        position.ImagePositionPatient = [v + 1.5 for v in position.ImagePositionPatient]


def turned(written: Dataset) -> None:
    orientation = written.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    orientation.ImageOrientationPatient = [-v for v in orientation.ImageOrientationPatient]


def elsewhere(written: Dataset) -> None:
    written.FrameOfReferenceUID = "2.25.77"


def smaller(written: Dataset) -> None:
    written.Rows = 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shifted, "frame 1 of its segmentation lies on no plane of its images"),
        (turned, "frame 1 of its segmentation lies on no plane of its images"),
        (elsewhere, "another frame of reference"),
        (smaller, "has 18 x 10 pixels, its images 18 x 20"),
    ],
)
def test_a_segmentation_of_another_grid_is_no_truth(
    tmp_path: Path, change: Callable[[Dataset], None], message: str
) -> None:
    segmented(tmp_path, change)
    with pytest.raises(DataError, match=message) as caught:
        truth(tmp_path)
    assert "SECRET" not in str(caught.value)


def test_a_broken_segmentation_is_named(tmp_path: Path) -> None:
    segmented(tmp_path)
    file = tmp_path / "one-seg.dcm"
    dataset = pydicom.dcmread(file)
    del dataset.SegmentSequence
    dataset.save_as(file)
    with pytest.raises(DataError, match="its segmentation cannot be read"):
        truth(tmp_path)


def test_a_series_that_the_node_would_not_read_is_an_abstention(tmp_path: Path) -> None:
    segmented(tmp_path)
    (case,) = segmented_series(tmp_path, segment=None, inputs=Inputs(modality=("CT",)))
    with pytest.raises(UnsuitableImageError, match="modality MR, needed CT"):
        case.load()
    (tmp_path / "one-3.dcm").unlink()
    (gap,) = segmented_series(tmp_path, segment=None, inputs=None)
    with pytest.raises(UnsuitableImageError, match=gap.name):
        gap.load()


def test_a_folder_without_segmentations_has_no_cases(tmp_path: Path) -> None:
    assert not holds_dicom(tmp_path)
    images(tmp_path / "deep")
    assert holds_dicom(tmp_path)
    with pytest.raises(DataError, match="no CT or MR series with a segmentation that refers to it"):
        segmented_series(tmp_path, segment=None, inputs=None)
