"""Whether a segmentation lies where its source does: frame of reference, matrix, orientation, spacing, positions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dicom_node.errors import DefectError
from dicom_node.plane import Plane
from dicom_node.results.checks.frames import Frame
from dicom_node.results.checks.functional_groups import functional_group
from dicom_node.results.checks.planes import plane
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.mask_comparison import POSITION_TOLERANCE

SAME_PLANE = 1e-3
"""Part of the spacing between slices within which frames of several segments lie on one plane."""

SPACING_TOLERANCE = 0.1
"""Part of the spacing between slices by which neighbouring frames may lie closer."""


def check_geometry(written: Written, frames: Sequence[Frame], subject: Subject) -> None:
    """Compare every frame with the plane of the source it refers to.

    No corner of a frame may lie further from its place than POSITION_TOLERANCE of the smallest distance of pixels.

    Raises
    ------
    DefectError
        At the first difference, with its size in mm where it has one.
    """
    segmentation, what = written.dataset, written.name
    offsets = []
    for frame in frames:
        uid, number = frame.source
        source = subject.sources[uid]
        for keyword in ("FrameOfReferenceUID", "Rows", "Columns"):
            if segmentation.get(keyword) != source.get(keyword):
                raise DefectError(f"{keyword} of {what} is not that of the source")
        here, there = plane(segmentation, frame.number), plane(source, number)
        if here is None or there is None:
            raise DefectError(f"frame {frame.number} of {what} or of its source has no place in the patient")
        _compare(here, there, f"frame {frame.number} of {what}")
        offsets.append(float(np.dot(here.position, here.axes[2])))
    _check_spacing(written, np.unique(offsets))


def _compare(here: Plane, there: Plane, what: str) -> None:
    tolerance = POSITION_TOLERANCE * min(there.spacing)
    spacing, size = np.array(there.spacing), np.array(there.matrix)
    if float((np.abs(spacing - here.spacing) * size).max()) > tolerance:
        raise DefectError(f"PixelSpacing of {what} is not that of its source")
    turned = float(np.abs(np.subtract(here.orientation, there.orientation)).max())
    if turned * float((spacing * size).max()) > tolerance:
        raise DefectError(f"ImageOrientationPatient of {what} is not that of its source")
    distance = float(np.linalg.norm(np.subtract(here.position, there.position)))
    if distance > tolerance:
        raise DefectError(f"ImagePositionPatient of {what} lies {distance:.2f} mm from its source")


def _check_spacing(written: Written, offsets: NDArray[np.float64]) -> None:
    """No two frames lie closer than the distance of slices: readers would lay both on one slice of a volume."""
    measures = functional_group(written.dataset, 1, "PixelMeasuresSequence")
    spacing = float(measures.get("SpacingBetweenSlices") or 0) if measures is not None else 0.0
    if spacing <= 0:
        raise DefectError(f"SpacingBetweenSlices of {written.name} is not positive")
    steps = np.diff(offsets)
    steps = steps[steps > SAME_PLANE * spacing]
    if (steps < (1 - SPACING_TOLERANCE) * spacing).any():
        raise DefectError(f"SpacingBetweenSlices of {written.name} is larger than the distance of its frames")
