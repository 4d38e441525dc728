"""One series to one volume: float32 voxels in patient geometry, with the headers they came from in the same order."""

from dataclasses import dataclass

import numpy as np
from highdicom import CoordinateSystemNames, Volume
from numpy.typing import NDArray

from dicom_node.errors import UnsuitableError
from dicom_node.reading.frames import MULTI_FRAME
from dicom_node.reading.one_volume import Slot
from dicom_node.reading.pixels import Stored, StoredFrames, stored_frames
from dicom_node.reading.series import ImageSeries
from dicom_node.reading.side_by_side import side_by_side
from dicom_node.results.source import Source
from inference.image import Image
from inference.imaging.laying import Laying

MAXIMUM_VOXELS = 2**30
"""Voxels of the largest volume, 4 GiB as float32; checked before anything is decoded or reserved."""

MAXIMUM_MATRIX = 8192
"""Rows or columns of the largest image: a few bytes of RLE can declare 65535 x 65535."""


@dataclass(frozen=True, kw_only=True)
class LoadedSeries:
    """A series as the algorithm sees it and as the writers need it.

    Attributes
    ----------
    image
        On the grid that is read.
    source
        The planes that were acquired, on which results are drawn.
    laying
        How these lie on that.
    """

    image: Image
    source: Source
    laying: Laying


def load(series: ImageSeries) -> LoadedSeries:
    """Decode a series into a volume.

    Parameters
    ----------
    series
        As `dicom_node.reading.series.survey` found it.

    Returns
    -------
    LoadedSeries
        (slice, row, column), float32, HU for CT, LPS, mm; slices along the ascending normal of the planes. What no
        plane shows of a tilted stack's grid has the lowest value of all.

    Raises
    ------
    UnsuitableError
        If the series has faults, is too large, or its pixels cannot be read.
    """
    if series.grid is None:
        raise UnsuitableError("; ".join(series.candidate.faults))
    laying = series.grid.laying
    _check_size(laying)
    frames = _frames(series)
    array = np.empty((len(series.slots), *laying.matrix), np.float32)

    def fill(k: int) -> None:
        slot = series.slots[k]
        _rescale(frames[slot.part][slot.index], slot, array[k])

    side_by_side(fill, range(len(series.slots)))
    volume = Volume(
        laying.on_grid(array, beyond=0.0 if laying.is_plain else float(array.min())),
        series.grid.affine,
        CoordinateSystemNames.PATIENT,
        frame_of_reference_uid=series.slots[0].frame.plane.frame_of_reference_uid,
    )
    image = Image(
        volume=volume,
        modality=series.modality,
        weighting=series.candidate.weighting,
        slice_mm=series.grid.slice_mm,
        laying=None if laying.is_plain else laying,
    )
    return LoadedSeries(image=image, source=_source(series), laying=laying)


def _check_size(laying: Laying) -> None:
    slices, high, wide = laying.shape
    if max(laying.matrix) > MAXIMUM_MATRIX or slices * high * wide > MAXIMUM_VOXELS:
        raise UnsuitableError(f"{slices} slices of {high} x {wide}: more than is read")


def _frames(series: ImageSeries) -> dict[int, StoredFrames]:
    """Of the parts that slots are in; nothing is decoded yet."""
    frames = {part: stored_frames(series.parts[part]) for part in sorted({slot.part for slot in series.slots})}
    for declared in (of_part.layout for of_part in frames.values()):
        if declared.frames * declared.rows * declared.columns > MAXIMUM_VOXELS:
            raise UnsuitableError(
                f"{declared.frames} frames of {declared.rows} x {declared.columns}: more than is read"
            )
    return frames


def _rescale(stored: Stored, slot: Slot, out: NDArray[np.float32]) -> None:
    """Stored values to output units, in float32: 24 bits of mantissa hold every 16-bit value exactly."""
    frame = slot.frame
    np.copyto(out, stored, casting="unsafe")
    if frame.slope != 1.0:
        out *= np.float32(frame.slope)
    if frame.intercept != 0.0:
        out += np.float32(frame.intercept)


def _source(series: ImageSeries) -> Source:
    headers = tuple(series.parts[slot.part].header for slot in series.slots)
    planes = tuple(slot.frame.plane for slot in series.slots)
    if headers[0].SOPClassUID in MULTI_FRAME:
        numbers = tuple(slot.index + 1 for slot in series.slots)
        return Source(datasets=headers[:1], frame_numbers=numbers, planes=planes, remarks=series.remarks)
    return Source(datasets=headers, frame_numbers=(), planes=planes, remarks=series.remarks)
