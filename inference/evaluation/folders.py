"""Folders of labelled images as public data sets come: image and mask pairs, plain images, NIfTI by patient.

A picture without geometry is taken for an axial slice as it is displayed, with pixels of 1 mm: its figures are in
pixels. Folders of DICOM are the service's affair.
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from highdicom import Volume
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import UnidentifiedImageError

from inference.errors import DataError
from inference.evaluation.cases import Labelled
from inference.findings import Mask
from inference.image import Image, Weighting
from inference.imaging.grid import affine_of

FOLDS = 4
"""Into which a folder of plain images is divided; pictures that look alike fall into the same one."""

_GREY_MASK = 127  # JPEG turns the edges of a mask grey
_AS_DISPLAYED = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])  # columns left, rows posterior
_PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, kw_only=True)
class PictureCase:
    """A slice as a picture, with its mask or known to be without a finding."""

    name: str
    patient: str
    label: str | None
    fold: int | None
    image_file: Path
    mask_file: Path | None

    def load(self) -> Labelled:
        """Read picture and mask; raises DataError as `Case` says."""
        grey = _grey(self.image_file, self.name)
        truth = np.zeros(grey.shape, dtype=np.bool_)
        if self.mask_file is not None:
            drawn = _grey(self.mask_file, self.name)
            if drawn.shape != grey.shape:
                raise DataError(f"{self.name}: the mask has {_size(drawn)} pixels, its image {_size(grey)}")
            truth = drawn > _GREY_MASK
        volume = Volume(grey.astype(np.float32)[None], _AS_DISPLAYED, coordinate_system="PATIENT")
        return Labelled(image=Image(volume=volume, modality="MR", weighting="T1"), truth=truth[None])


@dataclass(frozen=True, kw_only=True)
class NiftiCase:
    """A volume, and its mask where somebody drew one."""

    name: str
    patient: str
    label: str | None
    fold: int | None
    image_file: Path
    mask_file: Path | None
    modality: Literal["CT", "MR"] = "MR"
    weighting: Weighting = "T1"

    def load(self) -> Labelled:
        """Read volume and mask; raises DataError as `Case` says."""
        scan = _nifti(self.image_file, self.name)
        array = sitk.GetArrayFromImage(sitk.Cast(scan, sitk.sitkFloat32))
        if not np.isfinite(array).all():
            raise DataError(f"{self.name}: voxels that are no numbers")
        volume = Volume(array, affine_of(scan), coordinate_system="PATIENT")
        image = Image(volume=volume, modality=self.modality, weighting=self.weighting)
        return Labelled(image=image, truth=None if self.mask_file is None else self._drawn(self.mask_file, scan))

    def _drawn(self, file: Path, scan: sitk.Image) -> Mask:
        drawn = _nifti(file, self.name)
        if scan.GetSize() != drawn.GetSize():
            raise DataError(f"{self.name}: the mask has {drawn.GetSize()} voxels, its image {scan.GetSize()}")
        return np.asarray(sitk.GetArrayFromImage(drawn) > 0.5)


def cases(folder: Path) -> Sequence[PictureCase | NiftiCase]:
    """Every case of a folder, in order of name.

    Parameters
    ----------
    folder
        With `index.csv` (sample, patient, tumour, fold) and `<tumour>/<sample>_mri.jpg`, `_mask.jpg`; or with one
        folder a patient that holds `*_Scan_*.nii.gz` and `*_Mask.nii.gz`; or with pictures that show no finding.

    Raises
    ------
    DataError
        If the folder is none of these.
    """
    if (folder / "index.csv").is_file():
        return _pairs(folder)
    if any(folder.glob("*/*_Mask.nii*")):
        return _volumes(folder)
    pictures = sorted(p for p in folder.glob("*") if p.suffix.lower() in _PICTURES)
    if pictures:
        return [_without_finding(picture) for picture in pictures]
    raise DataError(
        f"{folder.name}: no index.csv with pairs, no NIfTI volumes with masks by patient, and no pictures in it"
    )


def _pairs(folder: Path) -> list[PictureCase]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {"sample", "patient", "tumour", "fold"} - set(rows[0] if rows else ())
    if missing:
        raise DataError(f"{folder.name}/index.csv lacks the columns {', '.join(sorted(missing))}")
    return [
        PictureCase(
            name=f"{row['tumour']}/{row['sample']}",
            patient=row["patient"],
            label=row["tumour"],
            fold=int(row["fold"]),
            image_file=folder / row["tumour"] / f"{row['sample']}_mri.jpg",
            mask_file=folder / row["tumour"] / f"{row['sample']}_mask.jpg",
        )
        for row in rows
    ]


def _volumes(folder: Path) -> list[NiftiCase]:
    found = []
    for mask in sorted(folder.glob("*/*_Mask.nii*")):
        visit = mask.name.split("_Mask")[0]
        scans = sorted(mask.parent.glob(f"{visit}_Scan*.nii*"))
        if len(scans) != 1:
            raise DataError(f"{mask.parent.name}/{mask.name}: {len(scans)} scans go with it, not one")
        name = f"{mask.parent.name}/{visit}"
        found.append(
            NiftiCase(name=name, patient=mask.parent.name, label=None, fold=None, image_file=scans[0], mask_file=mask)
        )
    return found


def _without_finding(picture: Path) -> PictureCase:
    """Nobody knows whose picture it is: those that look alike count as one patient's."""
    looks = _looks(picture)
    return PictureCase(
        name=picture.stem,
        patient=looks,
        label="",
        fold=int(looks, 16) % FOLDS + 1,
        image_file=picture,
        mask_file=None,
    )


def _looks(picture: Path) -> str:
    """The same for copies of one picture: sha256 of its difference hash, 8 x 8, the signs of the steps along the rows
    of a 9 x 8 thumbnail; 16 hex digits.
    """
    small = np.asarray(
        Picture.fromarray(_grey(picture, picture.stem)).resize((9, 8), Picture.Resampling.BILINEAR), dtype=np.int16
    )
    return hashlib.sha256(np.packbits(np.diff(small, axis=1) > 0).tobytes()).hexdigest()[:16]


def _grey(file: Path, name: str) -> NDArray[np.uint8]:
    try:
        with Picture.open(file) as opened:
            return np.asarray(opened.convert("L"))
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{name}: {file.name} cannot be read as a picture") from error


def _nifti(file: Path, name: str) -> sitk.Image:
    try:
        image = sitk.ReadImage(str(file))
    except RuntimeError as error:
        raise DataError(f"{name}: {file.name} cannot be read as NIfTI") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise DataError(f"{name}: {file.name} is no volume of one value a voxel")
    return image


def _size(array: NDArray[np.uint8]) -> str:
    return f"{array.shape[1]} x {array.shape[0]}"
