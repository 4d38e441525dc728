"""Instances as they come over the wire: datasets, their encodings, files in a spool."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from highdicom import Volume
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.errors import RefusedError
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.records.part10 import content_name
from dicom_node.records.spool import Spool

EXPLICIT, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)


def slices(count: int = 3, *, seed: str = "arriving", description: str = "T1 synthetic") -> list[Dataset]:
    """A small MR series."""
    volume = Volume(
        np.arange(count * 64, dtype=np.float32).reshape(count, 8, 8), affine=np.eye(4), coordinate_system="PATIENT"
    )
    return series_from_volume(volume, labels=Labels(seed=seed, series_description=description))


def encoded(dataset: Dataset, transfer_syntax_uid: str = EXPLICIT) -> bytes:
    """The dataset as it goes over the wire, without file meta information."""
    stream = DicomBytesIO()
    stream.is_little_endian = True
    stream.is_implicit_VR = transfer_syntax_uid == IMPLICIT
    write_dataset(stream, dataset)
    return stream.getvalue()


def file_of(dataset: Dataset) -> bytes:
    """The dataset as a DICOM file."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def refused_with(act: Callable[[], object]) -> int | None:
    """The DIMSE status with which something is refused; None where it is not."""
    try:
        act()
    except RefusedError as error:
        return error.status
    return None


def spooled(spool: Spool, dataset: Dataset) -> str:
    """Put a file into a spool; its name."""
    data = file_of(dataset)
    name = content_name(data)
    spool.put(data, name)
    return name


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
