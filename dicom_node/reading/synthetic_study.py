"""A made-up patient's series as DICOM: for the demo, the acceptance tests and phantoms of any geometry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from highdicom import Volume
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from dicom_node.study import derive_uid

_MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the made-up series says of itself; `seed` is the source of every UID: the same seed makes the same study."""

    seed: str = "synthetic"
    series_number: int = 1
    series_description: str = "T1 synthetic"
    protocol_name: str = "synthetic head"
    patient_name: str = "Phantom^One"
    patient_id: str = "PHANTOM-1"


def series_from_volume(
    volume: Volume, *, modality: str = "MR", labels: Labels | None = None, order: Sequence[int] | None = None
) -> list[Dataset]:
    """Single-frame CT or MR images of a volume, one for each slice.

    Parameters
    ----------
    volume
        (slice, row, column), any number type; written as int16, rounded. Values are HU where `modality` is "CT".
    modality
        "CT" or "MR".
    labels
        Names and the source of the UIDs.
    order
        Order in which the slices are listed and numbered, indices of the slice axis; default: as they lie.

    Returns
    -------
    list of Dataset
        Valid CT or MR Image Storage objects with file meta information, Explicit VR Little Endian.
    """
    slices = list(order) if order is not None else list(range(volume.shape[0]))
    return [_image(volume, index, number, modality, labels or Labels()) for number, index in enumerate(slices, start=1)]


def _image(volume: Volume, index: int, number: int, modality: str, labels: Labels) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    ds.SOPInstanceUID = derive_uid(labels.seed, "instance", str(labels.series_number), str(index))
    ds.StudyInstanceUID = derive_uid(labels.seed, "study")
    ds.SeriesInstanceUID = derive_uid(labels.seed, "series", str(labels.series_number))
    ds.FrameOfReferenceUID = volume.frame_of_reference_uid or derive_uid(labels.seed, "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.PatientName, ds.PatientID = labels.patient_name, labels.patient_id
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19700101", "O", "056Y"
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = _MADE_AT.strftime("%Y%m%d")
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = _MADE_AT.strftime("%H%M%S")
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "A1", "1", ""
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = modality, "dicom-node", "synthetic study"
    ds.StudyDescription, ds.SeriesDescription, ds.ProtocolName = (
        "Synthetic head",
        labels.series_description,
        labels.protocol_name,
    )
    ds.SeriesNumber, ds.InstanceNumber = labels.series_number, number
    ds.BodyPartExamined = "HEAD"
    ds.PatientPosition = "HFS"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if modality == "CT" else ["ORIGINAL", "PRIMARY", "OTHER"]
    _add_geometry(ds, volume, index)
    _add_acquisition(ds, modality)
    _add_pixels(ds, volume.array[index], modality)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def _add_geometry(ds: Dataset, volume: Volume, index: int) -> None:
    affine = volume.affine
    row_step, column_step = affine[:3, 1], affine[:3, 2]  # from row to row, from column to column
    spacing = [float(np.linalg.norm(row_step)), float(np.linalg.norm(column_step))]
    position = (affine @ np.array([index, 0, 0, 1.0]))[:3]
    # PS3.3 C.7.6.2.1.1: first the direction along a row (columns increasing), then down a column (rows increasing)
    orientation = [*(column_step / spacing[1]), *(row_step / spacing[0])]
    ds.ImageOrientationPatient = [_decimal(v) for v in orientation]
    ds.ImagePositionPatient = [_decimal(v) for v in position]
    ds.PixelSpacing = [_decimal(v) for v in spacing]
    ds.SliceThickness = _decimal(float(np.linalg.norm(affine[:3, 0])))


def _add_acquisition(ds: Dataset, modality: str) -> None:
    if modality == "CT":
        ds.KVP, ds.AcquisitionNumber, ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "120", 1, "0", "1", "HU"
        return
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "GR", "MP", "", "3D"
    ds.RepetitionTime, ds.EchoTime, ds.InversionTime, ds.FlipAngle = "2300", "2.98", "900", "9"
    ds.EchoTrainLength, ds.MagneticFieldStrength = 1, "3"


def _add_pixels(ds: Dataset, plane: np.ndarray, modality: str) -> None:
    pixels = np.clip(np.rint(plane), -32768, 32767).astype("<i2")
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    if modality == "MR":
        ds.WindowCenter, ds.WindowWidth = "500", "1000"
    ds.PixelData = pixels.tobytes()


def _decimal(value: float) -> str:
    """A DS of at most 16 characters (PS3.5 6.2), as exact as it can be."""
    for digits in range(15, 0, -1):
        text = f"{value + 0.0:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError(f"no decimal string holds {value}")
