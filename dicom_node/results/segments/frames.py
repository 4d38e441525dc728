"""Which frames a segmentation has, by form: planes on which something is drawn; knows no file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dicom_node.results.segmentation_form import SegForm
from inference.findings import Segment

Drawn = NDArray[np.uint8] | NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame of the object.

    Attributes
    ----------
    plane
        Index of the source's plane that it lies on.
    segment
        Index of the segment that it shows, None where it shows all of them.
    """

    plane: int
    segment: int | None


def frames(segments: Sequence[Segment], form: SegForm) -> tuple[Frame, ...]:
    """Frames in the order of segments, then of planes; planes on which nothing is drawn have none."""
    planes = [drawn_planes(drawn(segment, form)) for segment in segments]
    if form is SegForm.LABELMAP:
        return tuple(Frame(plane=plane, segment=None) for plane in sorted(set().union(*planes)))
    return tuple(Frame(plane=plane, segment=index) for index, of_segment in enumerate(planes) for plane in of_segment)


def drawn(segment: Segment, form: SegForm) -> Drawn:
    """What a form is made from: the probability where it has room for one and there is one, else the mask."""
    if form is SegForm.FRACTIONAL and segment.probability is not None:
        return segment.probability
    return segment.mask


def drawn_planes(array: Drawn) -> tuple[int, ...]:
    """Indices of the planes of (plane, row, column) that hold anything."""
    return tuple(k for k, plane in enumerate(array) if plane.any())


def overlap(segments: Sequence[Segment]) -> bool:
    """Whether any voxel belongs to two segments."""
    for first, *others in zip(*(segment.mask for segment in segments), strict=True):
        seen = first
        for plane in others:
            if (seen & plane).any():
                return True
            seen = seen | plane
    return False
