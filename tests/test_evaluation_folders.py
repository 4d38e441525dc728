"""Folders as public data sets come, made of synthetic pictures: what is a case, and what is wrong, in words."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image as Picture

from inference.errors import DataError
from inference.evaluation.folders import FOLDS, NiftiCase, PictureCase, cases


def pattern(seed: int, shape: tuple[int, int] = (24, 32)) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 255, size=(4, 4), dtype=np.uint8)
    return np.asarray(Picture.fromarray(coarse).resize(shape[::-1], Picture.Resampling.BICUBIC))


def save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(array).save(path)


def pairs(folder: Path, rows: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def row(sample: str, patient: str = "7", tumour: str = "glioma", fold: str = "2") -> dict[str, str]:
    return {"sample": sample, "patient": patient, "tumour": tumour, "fold": fold}


def test_pairs_with_an_index(tmp_path: Path) -> None:
    pairs(tmp_path, [row("1"), row("2", patient="8", tumour="meningioma", fold="3")])
    mask = np.zeros((24, 32), np.uint8)
    mask[4:12, 6:20] = 255
    for tumour, sample in (("glioma", "1"), ("meningioma", "2")):
        save(tmp_path / tumour / f"{sample}_mri.jpg", pattern(1))
        save(tmp_path / tumour / f"{sample}_mask.jpg", mask)
    first, second = cases(tmp_path)
    assert (first.name, first.patient, first.label, first.fold) == ("glioma/1", "7", "glioma", 2)
    assert (second.name, second.patient, second.label, second.fold) == ("meningioma/2", "8", "meningioma", 3)
    labelled = first.load()
    assert labelled.truth is not None
    assert labelled.image.volume.array.shape == labelled.truth.shape == (1, 24, 32)
    np.testing.assert_array_equal(labelled.truth[0], mask > 0)  # JPEG's grey edges do not move the border


def test_a_mask_of_another_size(tmp_path: Path) -> None:
    pairs(tmp_path, [row("1")])
    save(tmp_path / "glioma" / "1_mri.jpg", pattern(1))
    save(tmp_path / "glioma" / "1_mask.jpg", pattern(1, (24, 30)))
    with pytest.raises(DataError, match="glioma/1: the mask has 30 x 24 pixels, its image 32 x 24"):
        cases(tmp_path)[0].load()


def test_a_picture_that_is_none_or_not_there(tmp_path: Path) -> None:
    pairs(tmp_path, [row("1")])
    with pytest.raises(DataError, match=r"glioma/1: 1_mri\.jpg cannot be read as a picture"):
        cases(tmp_path)[0].load()
    (tmp_path / "glioma").mkdir()
    (tmp_path / "glioma" / "1_mri.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="cannot be read as a picture"):
        cases(tmp_path)[0].load()


def test_an_index_without_its_columns(tmp_path: Path) -> None:
    pairs(tmp_path, [{"sample": "1", "patient": "2"}])
    with pytest.raises(DataError, match="lacks the columns fold, tumour"):
        cases(tmp_path)


def test_plain_pictures_show_nothing_and_copies_stay_together(tmp_path: Path) -> None:
    for index in range(3):
        save(tmp_path / f"{index}.png", pattern(index))
    save(tmp_path / "3.png", pattern(0))
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    found = cases(tmp_path)
    assert [case.name for case in found] == ["0", "1", "2", "3"]
    assert {case.label for case in found} == {""}
    assert len({case.patient for case in found}) == 3
    assert (found[0].patient, found[0].fold) == (found[3].patient, found[3].fold)
    assert all(case.fold is not None and 1 <= case.fold <= FOLDS for case in found)
    truth = found[0].load().truth
    assert truth is not None
    assert not truth.any()
    assert isinstance(found[0], PictureCase)


def nifti(path: Path, array: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    sitk.WriteImage(image, str(path))


def test_volumes_by_patient(tmp_path: Path) -> None:
    scan = np.random.default_rng(0).random((4, 6, 5), dtype=np.float32)
    mask = (scan > 0.8).astype(np.float32)
    for patient, visit in (("P2", "V1"), ("P1", "V1"), ("P1", "V2")):
        nifti(tmp_path / patient / f"{visit}_Scan_T1.nii.gz", scan)
        nifti(tmp_path / patient / f"{visit}_Mask.nii.gz", mask)
    found = cases(tmp_path)
    assert [(case.name, case.patient) for case in found] == [("P1/V1", "P1"), ("P1/V2", "P1"), ("P2/V1", "P2")]
    assert {(case.label, case.fold) for case in found} == {(None, None)}
    labelled = found[0].load()
    np.testing.assert_array_equal(labelled.image.volume.array, scan)
    np.testing.assert_array_equal(labelled.truth, scan > 0.8)
    np.testing.assert_allclose(labelled.image.volume.spacing, (3.0, 0.75, 0.5))
    assert isinstance(found[0], NiftiCase)


def test_a_volume_whose_mask_does_not_fit_or_that_is_not_alone(tmp_path: Path) -> None:
    nifti(tmp_path / "P1" / "V1_Scan_T1.nii.gz", np.ones((4, 6, 5), np.float32))
    nifti(tmp_path / "P1" / "V1_Mask.nii.gz", np.ones((4, 6, 4), np.float32))
    with pytest.raises(DataError, match=r"P1/V1: the mask has \(4, 6, 4\) voxels, its image \(5, 6, 4\)"):
        cases(tmp_path)[0].load()
    nifti(tmp_path / "P1" / "V1_Scan_T2.nii.gz", np.ones((4, 6, 5), np.float32))
    with pytest.raises(DataError, match="2 scans go with it, not one"):
        cases(tmp_path)


def test_a_folder_of_none_of_these(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no index\.csv"):
        cases(tmp_path)
