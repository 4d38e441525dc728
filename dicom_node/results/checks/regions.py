"""Whether what a report draws (SCOORD, PS3.3 C.18.6) lies inside its image, and a region is closed, on its segment."""

from collections.abc import Iterator, Mapping, Sequence

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.frames import Frame
from dicom_node.results.checks.references import numbers, referenced
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.content_tree import concept, content_items

REGION = "111030"
"""Image Region (PS3.16 TID 1410): closed, unlike a line that is measured."""

_POINTS = {"POINT": 1, "MULTIPOINT": 1, "POLYLINE": 2, "CIRCLE": 2, "ELLIPSE": 4}
"""Least number of points of each Graphic Type (PS3.3 C.18.6.1.2)."""

_CLOSED_POINTS = 4


def check_regions(document: Written, frames: Mapping[str, Sequence[Frame]], subject: Subject) -> None:
    """Check every graphic of a document.

    Parameters
    ----------
    frames
        Of each segmentation of the reading, by SOP Instance UID.

    Raises
    ------
    DefectError
        If a graphic has no image, leaves it, is an open region, or is a region on a plane without its segment.
    """
    for item in content_items(document.dataset):
        if item.ValueType == "SCOORD":
            image = _image(item, document.name)
            _check_graphic(item, image, subject, document.name)
    for group in content_items(document.dataset):
        if group.ValueType == "CONTAINER":
            _check_segment(group, frames, document.name)


def _image(item: Dataset, what: str) -> Dataset:
    """The reference to the image that a graphic was selected from."""
    selected = [i for i in item.get("ContentSequence", ()) if i.RelationshipType == "SELECTED FROM"]
    if len(selected) != 1 or selected[0].ValueType != "IMAGE" or len(selected[0].ReferencedSOPSequence) != 1:
        raise DefectError(f"an SCOORD of {what} is not selected from one image")
    image: Dataset = selected[0].ReferencedSOPSequence[0]
    return image


def _check_graphic(item: Dataset, reference: Dataset, subject: Subject, what: str) -> None:
    image = subject.sources.get(referenced(reference))
    if image is None or "Rows" not in image:
        raise DefectError(f"an SCOORD of {what} is selected from something that is no image received")
    if int(image.get("NumberOfFrames") or 1) > 1 and len(numbers(reference, "ReferencedFrameNumber")) != 1:
        raise DefectError(f"an SCOORD of {what} does not say the one frame of its image (ReferencedFrameNumber)")
    columns, rows = list(item.GraphicData[0::2]), list(item.GraphicData[1::2])
    if len(columns) != len(rows) or len(rows) < _POINTS.get(str(item.GraphicType), len(rows) + 1):
        raise DefectError(f"an SCOORD of {what} has no valid GraphicType with GraphicData for it")
    if min(*columns, *rows) < 0 or max(columns) > image.Columns or max(rows) > image.Rows:
        raise DefectError(f"a region of {what} reaches outside its image of {image.Rows}x{image.Columns}")
    closed = (columns[0], rows[0]) == (columns[-1], rows[-1]) and len(rows) >= _CLOSED_POINTS
    if item.GraphicType == "POLYLINE" and concept(item) == REGION and not closed:
        raise DefectError(f"a region of {what} is an open POLYLINE")


def _check_segment(group: Dataset, frames: Mapping[str, Sequence[Frame]], what: str) -> None:
    """A region of a group that refers to a segment lies on a plane where the segment has a frame."""
    for uid, segment in _segments(group):
        planes = {f.source for f in frames.get(uid, ()) if f.segment in {segment, None}}
        for item in group.ContentSequence:
            if item.ValueType == "SCOORD" and concept(item) == REGION:
                image = _image(item, what)
                frame = numbers(image, "ReferencedFrameNumber")
                if planes and (referenced(image), frame[0] if frame else None) not in planes:
                    raise DefectError(f"a region of {what} lies on a plane on which its segment has no frame")


def _segments(group: Dataset) -> Iterator[tuple[str, int]]:
    """(SOP Instance UID, number) of the segments that a group refers to itself."""
    for item in group.get("ContentSequence", ()):
        for reference in item.get("ReferencedSOPSequence", ()):
            for segment in numbers(reference, "ReferencedSegmentNumber"):
                yield referenced(reference), segment
