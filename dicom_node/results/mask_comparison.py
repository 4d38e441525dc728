"""A written segmentation against the masks it was made from, voxel for voxel, by source instance and in millimetres."""

from io import BytesIO

import numpy as np
from highdicom.seg import Segmentation, segread
from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.planes import plane_reference
from dicom_node.results.source import Source
from inference.findings import Findings

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
    written = segread(BytesIO(data))
    plane_of = _planes(source)
    _check_spacing(written, source)
    drawn = {
        (s, int(k))
        for s, segment in enumerate(findings.segments)
        for k in np.flatnonzero(segment.mask.any(axis=(1, 2)))
    }
    for number, frame in enumerate(written.PerFrameFunctionalGroupsSequence, start=1):
        segment, plane = _segment(written, frame), plane_of.get(_referenced(frame))
        if plane is None:
            raise DefectError(f"frame {number} of the segmentation refers to no plane of the source")
        _check_position(frame, source, plane)
        if not np.array_equal(written.get_stored_frame(number), findings.segments[segment].mask[plane]):
            raise DefectError(f"segment {segment + 1} was not written as it was drawn on slice {plane + 1}")
        drawn.discard((segment, plane))
    if drawn:
        segment, plane = min(drawn)
        raise DefectError(f"segment {segment + 1} has voxels on slice {plane + 1} that were not written")


def _planes(source: Source) -> dict[_Plane, int]:
    references = [plane_reference(source, k) for k in range(len(source.planes))]
    return {(r.sop_instance_uid, r.frame_number): k for k, r in enumerate(references)}


def _check_spacing(written: Segmentation, source: Source) -> None:
    """Readers build the volume of the masks with it."""
    groups = (written.SharedFunctionalGroupsSequence[0], written.PerFrameFunctionalGroupsSequence[0])
    measures = next(group for group in groups if "PixelMeasuresSequence" in group).PixelMeasuresSequence[0]
    said, expected = float(measures.get("SpacingBetweenSlices") or 0), source.closest_mm
    if expected and abs(said - expected) > SPACING_TOLERANCE * expected:
        raise DefectError(f"the segmentation's planes lie {expected:.2f} mm apart, its header says {said:.2f} mm")


def _segment(written: Segmentation, frame: Dataset) -> int:
    groups = (frame, written.SharedFunctionalGroupsSequence[0])
    group = next(g for g in groups if "SegmentIdentificationSequence" in g)
    return int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber) - 1


def _referenced(frame: Dataset) -> _Plane:
    image = frame.DerivationImageSequence[0].SourceImageSequence[0]
    number = image.get("ReferencedFrameNumber")
    return str(image.ReferencedSOPInstanceUID), None if number is None else int(number)


def _check_position(frame: Dataset, source: Source, plane: int) -> None:
    there = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
    distance = float(np.linalg.norm(there - np.array(source.planes[plane].position)))
    if distance > POSITION_TOLERANCE * min(source.planes[plane].spacing):
        raise DefectError(f"the segmentation's slice {plane + 1} lies {distance:.2f} mm from where its mask was drawn")
