"""A made-up head with dark lesions as a T2-weighted DICOM series on disk."""

from pathlib import Path

from pydicom import Dataset

from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.synthetic.bleeding_head import BleedingHead

LABELS = Labels(seed="t2", series_description="T2 TSE axial", protocol_name="T2 TSE")


def written(head: BleedingHead, folder: Path, age: str = "056Y") -> Path:
    """The series in a new folder."""
    folder.mkdir(parents=True)
    for number, dataset in enumerate(series_from_volume(head.image.volume, labels=LABELS)):
        _as_t2(dataset, age)
        dataset.save_as(folder / f"IM{number:03}", enforce_file_format=True)
    return folder


def _as_t2(dataset: Dataset, age: str) -> None:
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.MRAcquisitionType = "SE", "SK", "2D"
    dataset.RepetitionTime, dataset.EchoTime, dataset.FlipAngle, dataset.EchoTrainLength = "5000", "95", "90", 15
    del dataset.InversionTime
    dataset.PatientAge = age
    dataset.PatientBirthDate = ""
