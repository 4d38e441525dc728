"""A written segmentation against the masks it was made from, voxel for voxel, by source instance and in millimetres."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.decoders.base import get_decoder

from dicom_node.errors import DefectError
from dicom_node.results.planes import plane_reference
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from inference.findings import Findings, Segment

SPACING_TOLERANCE = 0.01
"""Part of the distance of the source's planes by which the segmentation's own may differ."""

POSITION_TOLERANCE = 0.1
"""Part of the smallest spacing by which a frame may lie off its plane: headers round, but planes must not swap."""

_Plane = tuple[str, int | None]


def compare(data: bytes, findings: Findings, source: Source) -> None:
    """Read a segmentation's file again and compare.

    Every frame must lie, by its reference and by its position, on the plane its mask was drawn on, and hold that plane
    of the mask; every plane with a voxel must have its frame.

    Raises
    ------
    DefectError
        At the first difference, with segment and slice.
    """
    written = dcmread(BytesIO(data))
    _check_spacing(written, source)
    drawn = _Drawn(segments=findings.segments, form=SegForm(written.SegmentationType))
    groups, plane_of = written.PerFrameFunctionalGroupsSequence, _planes(source)
    if len(groups) != written.NumberOfFrames:
        raise DefectError(f"{len(groups)} functional groups for {written.NumberOfFrames} frames")
    missing = set(drawn.planes)
    for number, (frame, stored) in enumerate(zip(groups, _stored(written), strict=True), start=1):
        plane = plane_of.get(_referenced(frame))
        if plane is None:
            raise DefectError(f"frame {number} of the segmentation refers to no plane of the source")
        _check_position(frame, source, plane)
        segment = None if drawn.form is SegForm.LABELMAP else _segment(frame, written)
        differs = drawn.difference(stored, plane, segment)
        if differs is not None:
            raise DefectError(f"segment {differs + 1} was not written as it was drawn on slice {plane + 1}")
        missing = {(s, k) for s, k in missing if k != plane or segment not in (s, None)}
    if missing:
        segment, plane = min(missing)
        raise DefectError(f"segment {segment + 1} has voxels on slice {plane + 1} that were not written")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """What a file of a form must hold."""

    segments: tuple[Segment, ...]
    form: SegForm

    @cached_property
    def planes(self) -> frozenset[tuple[int, int]]:
        """(segment, plane) where something is drawn."""
        return frozenset(
            (index, plane)
            for index, segment in enumerate(self.segments)
            for plane in range(len(segment.mask))
            if self._values(segment, plane).any()
        )

    def difference(self, stored: NDArray[Any], plane: int, segment: int | None) -> int | None:
        """Index of the segment that a frame shows otherwise than it was drawn; None where there is no such."""
        if segment is not None:
            same = np.array_equal(stored, self._values(self.segments[segment], plane))
            return None if same else segment
        expected = np.zeros(stored.shape, stored.dtype)
        for index in self._smallest_first:
            if (index, plane) in self.planes:
                expected[self.segments[index].mask[plane] & (expected == 0)] = index + 1
        differing = np.flatnonzero(stored != expected)
        if not len(differing):
            return None
        number = int(expected.flat[differing[0]]) or int(stored.flat[differing[0]])
        return number - 1

    @cached_property
    def _smallest_first(self) -> list[int]:
        """Of two of one size the later one."""
        return sorted(
            range(len(self.segments)), key=lambda index: (np.count_nonzero(self.segments[index].mask), -index)
        )

    def _values(self, segment: Segment, plane: int) -> NDArray[Any]:
        """What a frame of one segment holds."""
        mask: NDArray[np.bool_] = segment.mask[plane]
        if self.form is not SegForm.FRACTIONAL:
            return mask
        if segment.probability is None:
            return np.where(mask, np.uint8(255), np.uint8(0))
        probability: NDArray[np.uint8] = segment.probability[plane]
        return probability


def _planes(source: Source) -> dict[_Plane, int]:
    references = [plane_reference(source, k) for k in range(len(source.planes))]
    return {(r.sop_instance_uid, r.frame_number): k for k, r in enumerate(references)}


def _check_spacing(written: Dataset, source: Source) -> None:
    """Readers build the volume of the masks with it."""
    groups = (written.SharedFunctionalGroupsSequence[0], written.PerFrameFunctionalGroupsSequence[0])
    measures = next(group for group in groups if "PixelMeasuresSequence" in group).PixelMeasuresSequence[0]
    said, expected = float(measures.get("SpacingBetweenSlices") or 0), source.closest_mm
    if expected and abs(said - expected) > SPACING_TOLERANCE * expected:
        raise DefectError(f"the segmentation's planes lie {expected:.2f} mm apart, its header says {said:.2f} mm")


def _stored(written: Dataset) -> Iterator[NDArray[Any]]:
    """(row, column) of each frame: bool of bits, else the numbers stored.

    Raises
    ------
    DefectError
        If pixels are missing.
    """
    rows, columns, frames = int(written.Rows), int(written.Columns), int(written.NumberOfFrames)
    syntax, size = written.file_meta.TransferSyntaxUID, rows * columns
    if syntax.is_encapsulated:
        yield from (frame for frame, _ in get_decoder(syntax).iter_array(written, raw=True))
        return
    if 8 * len(written.PixelData) < frames * size * written.BitsAllocated:
        raise DefectError("pixels of the segmentation are missing")
    pixels = np.frombuffer(written.PixelData, np.uint8)
    for start in range(0, frames * size, size):
        if written.BitsAllocated == 1:
            bits = np.unpackbits(pixels[start // 8 : (start + size + 7) // 8], bitorder="little")
            yield bits[start % 8 :][:size].reshape(rows, columns).view(np.bool_)
        else:
            yield pixels[start : start + size].reshape(rows, columns)


def _segment(frame: Dataset, written: Dataset) -> int:
    group = frame if "SegmentIdentificationSequence" in frame else written.SharedFunctionalGroupsSequence[0]
    return int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber) - 1


def _referenced(frame: Dataset) -> _Plane:
    image = frame.DerivationImageSequence[0].SourceImageSequence[0]
    number = image.get("ReferencedFrameNumber")
    return str(image.ReferencedSOPInstanceUID), None if number is None else int(number)


def _check_position(frame: Dataset, source: Source, plane: int) -> None:
    """Against the image that the frame refers to, as its own header places it: that is where a viewer shows it."""
    there = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
    distance = float(np.linalg.norm(there - np.array(_position(*source.plane(plane)), dtype=np.float64)))
    if distance > POSITION_TOLERANCE * min(source.planes[plane].spacing):
        raise DefectError(f"the segmentation's slice {plane + 1} lies {distance:.2f} mm from where its mask was drawn")


def _position(header: Dataset, frame_number: int | None) -> list[float]:
    if frame_number is not None:
        own = header.PerFrameFunctionalGroupsSequence[frame_number - 1]
        group = own if "PlanePositionSequence" in own else header.SharedFunctionalGroupsSequence[0]
        header = group.PlanePositionSequence[0]
    return [float(value) for value in header.ImagePositionPatient]
