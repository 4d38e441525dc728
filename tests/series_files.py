"""Series of any geometry as files, what is done to them, and what a reader makes of them."""

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO

import numpy as np
import pytest
from highdicom import CoordinateSystemNames, Volume
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian

from dicom_node.errors import UnsuitableError
from dicom_node.reading.part10 import parse
from dicom_node.reading.series import ImageSeries, survey
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.reading.volume import LoadedSeries, load
from dicom_node.study import derive_uid

Affine = NDArray[np.float64]

AXIAL: Affine = np.array([[0, 0, 0.8, -20], [0, 0.7, 0, -30], [5.0, 0, 0, 40], [0, 0, 0, 1]])
"""Index (slice, row, column) to LPS, mm: 5 mm slices of 0.7 x 0.8 mm."""


def phantom(affine: Affine = AXIAL, shape: tuple[int, int, int] = (6, 7, 8), seed: int = 0) -> Volume:
    """A volume of whole random numbers, so that no two voxels can be taken for each other."""
    values = np.random.default_rng(seed).permutation(np.arange(np.prod(shape))).reshape(shape) - 50
    return Volume(
        values.astype(np.float32), affine, CoordinateSystemNames.PATIENT, frame_of_reference_uid=derive_uid("phantom")
    )


def headers(volume: Volume | None = None, modality: str = "MR", labels: Labels | None = None) -> list[Dataset]:
    """The phantom as single images, in slice order."""
    return series_from_volume(volume or phantom(), modality=modality, labels=labels)


def changed(datasets: Iterable[Dataset], change: Callable[[int, Dataset], None]) -> list[Dataset]:
    """The datasets after `change(index, dataset)` was called on each."""
    made = list(datasets)
    for index, dataset in enumerate(made):
        change(index, dataset)
    return made


def as_bytes(dataset: Dataset) -> bytes:
    """The dataset as a file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def surveyed(datasets: Sequence[Dataset]) -> ImageSeries:
    """The one series of the datasets, through bytes."""
    (series,) = survey([parse(as_bytes(dataset)) for dataset in datasets])
    return series


def loaded(datasets: Sequence[Dataset]) -> LoadedSeries:
    """The volume of the one series of the datasets, through bytes."""
    return load(surveyed(datasets))


def enhanced(volume: Volume, order: Sequence[int], seed: str = "enhanced") -> Dataset:
    """The phantom as one Enhanced MR object, frames stored in `order`; only what a reader of volumes looks at."""
    single = series_from_volume(volume, labels=Labels(seed=seed))
    ds = Dataset()
    for keyword in _COPIED.split():
        setattr(ds, keyword, single[0][keyword].value)
    ds.SOPClassUID = EnhancedMRImageStorage
    ds.SOPInstanceUID = derive_uid(seed, "instance")
    ds.InstanceNumber = 1
    ds.AcquisitionContrast, ds.EchoPulseSequence = "T1", "GRADIENT"
    ds.NumberOfFrames = len(order)
    ds.SharedFunctionalGroupsSequence = [_shared(single[0])]
    ds.PerFrameFunctionalGroupsSequence = [_frame(single[index]) for index in order]
    ds.PixelData = b"".join(single[index].PixelData for index in order)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


_COPIED = """
SpecificCharacterSet StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID PatientName PatientID PatientBirthDate
PatientSex PatientAge StudyDate StudyTime AccessionNumber StudyID Modality ReferringPhysicianName SeriesNumber
SeriesDescription ProtocolName Manufacturer ImageType SamplesPerPixel PhotometricInterpretation Rows Columns
BitsAllocated BitsStored HighBit PixelRepresentation BodyPartExamined PositionReferenceIndicator
"""


def _shared(single: Dataset) -> Dataset:
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = single.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = single.PixelSpacing, single.SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    return shared


def _frame(single: Dataset) -> Dataset:
    frame, position, content = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = single.ImagePositionPatient
    content.StackID, content.TemporalPositionIndex = "1", 1
    frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
    return frame


def directed(axes: tuple[int, ...], flips: tuple[int, ...]) -> Affine:
    affine = np.eye(4)
    affine[:3, :3] = 0
    for index, (axis, flip, length) in enumerate(zip(axes, flips, (3.0, 0.7, 0.9), strict=True)):
        affine[axis, index] = flip * length
    affine[:3, 3] = (-31.5, 12.25, 7.0)
    return affine


def value_at_each_position(volume: Volume) -> dict[tuple[float, ...], float]:
    indices = np.indices(volume.spatial_shape).reshape(3, -1)
    positions = (volume.affine[:3, :3] @ indices).T + volume.affine[:3, 3]
    return {tuple(p): float(v) for p, v in zip(np.round(positions, 4) + 0.0, volume.array.reshape(-1), strict=True)}


def fault(datasets: list[Dataset]) -> str:
    """What a reader is told of a series that makes no volume."""
    series = surveyed(datasets)
    assert series.candidate.faults
    assert series.grid is None
    with pytest.raises(UnsuitableError) as caught:
        loaded(datasets)
    assert str(caught.value) == "; ".join(series.candidate.faults)
    return str(caught.value)
