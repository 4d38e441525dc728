"""One series to one volume: float32 voxels in patient geometry, with the headers they came from in the same order."""

from dataclasses import dataclass

import numpy as np
from highdicom import CoordinateSystemNames, Volume, VolumeGeometry
from numpy.typing import NDArray

from dicom_node.errors import UnsuitableError
from dicom_node.reading.frames import MULTI_FRAME
from dicom_node.reading.geometry import Grid
from dicom_node.reading.pixels import Stored, layout, stored_values
from dicom_node.reading.series import ImageSeries, Slot
from dicom_node.results.source import Source
from inference.image import Image

MAXIMUM_VOXELS = 2**30
"""Voxels of the largest volume, 4 GiB as float32; checked before anything is decoded or reserved."""

MAXIMUM_MATRIX = 8192
"""Rows or columns of the largest image: a few bytes of RLE can declare 65535 x 65535."""


@dataclass(frozen=True, kw_only=True)
class LoadedSeries:
    """A series as the algorithm sees it and as the writers need it: plane k of the volume is plane k of the source."""

    image: Image
    source: Source
    notes: tuple[str, ...]


def load(series: ImageSeries) -> LoadedSeries:
    """Decode a series into a volume.

    Parameters
    ----------
    series
        As `dicom_node.reading.series.survey` found it.

    Returns
    -------
    LoadedSeries
        (slice, row, column), float32, HU for CT, LPS, mm; slices along the ascending normal of the planes.

    Raises
    ------
    UnsuitableError
        If the series has faults, is too large, or its pixels cannot be read.
    """
    if series.grid is None:
        raise UnsuitableError("; ".join(series.candidate.faults))
    shape = _shape(series)
    array = np.empty(shape, np.float32)
    _fill(array, series)
    source = _source(series, series.grid, shape)
    volume = Volume(
        array,
        series.grid.affine,
        CoordinateSystemNames.PATIENT,
        frame_of_reference_uid=source.geometry.frame_of_reference_uid,
    )
    image = Image(volume=volume, modality=series.modality, weighting=series.candidate.weighting)
    return LoadedSeries(image=image, source=source, notes=series.notes)


def _shape(series: ImageSeries) -> tuple[int, int, int]:
    rows, columns = series.slots[0].frame.plane.matrix
    if max(rows, columns) > MAXIMUM_MATRIX or len(series.slots) * rows * columns > MAXIMUM_VOXELS:
        raise UnsuitableError(f"{len(series.slots)} slices of {rows} x {columns}: more than is read")
    for part in series.parts:
        declared = layout(part.header)
        if declared.frames * declared.rows * declared.columns > MAXIMUM_VOXELS:
            raise UnsuitableError(
                f"{declared.frames} frames of {declared.rows} x {declared.columns}: more than is read"
            )
    return len(series.slots), rows, columns


def _fill(array: NDArray[np.float32], series: ImageSeries) -> None:
    wanted: dict[int, dict[int, tuple[int, Slot]]] = {}
    for k, slot in enumerate(series.slots):
        wanted.setdefault(slot.part, {})[slot.index] = (k, slot)
    for part, of_part in wanted.items():
        for index, stored in enumerate(stored_values(series.parts[part])):
            if index in of_part:
                k, slot = of_part[index]
                _rescale(stored, slot, array[k])


def _rescale(stored: Stored, slot: Slot, out: NDArray[np.float32]) -> None:
    """Stored values to output units, in float32: 24 bits of mantissa hold every 16-bit value exactly."""
    frame = slot.frame
    np.copyto(out, stored, casting="unsafe")
    if frame.slope != 1.0:
        out *= np.float32(frame.slope)
    if frame.intercept != 0.0:
        out += np.float32(frame.intercept)


def _source(series: ImageSeries, grid: Grid, shape: tuple[int, int, int]) -> Source:
    geometry = VolumeGeometry(
        affine=grid.affine,
        spatial_shape=shape,
        coordinate_system=CoordinateSystemNames.PATIENT,
        frame_of_reference_uid=series.slots[0].frame.plane.frame_of_reference_uid,
    )
    headers = tuple(series.parts[slot.part].header for slot in series.slots)
    if headers[0].SOPClassUID in MULTI_FRAME:
        numbers = tuple(slot.index + 1 for slot in series.slots)
        return Source(datasets=headers[:1], frame_numbers=numbers, geometry=geometry)
    return Source(datasets=headers, frame_numbers=(), geometry=geometry)
