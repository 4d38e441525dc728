"""The frames of a segmentation: as many as it says, each with a segment, a plane and the image it was drawn on."""

from dataclasses import dataclass

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.functional_groups import functional_group
from dicom_node.results.checks.references import numbers, referenced
from dicom_node.results.checks.subject import Subject, Written

LABEL_MAP = "LABELMAP"
"""Segmentation Type whose frames show all segments at once."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What one frame says of itself.

    Attributes
    ----------
    number
        1-based.
    segment
        Segment number, None in a label map.
    source
        SOP Instance UID and frame number (None for the whole) of the image it was drawn on.
    """

    number: int
    segment: int | None
    source: tuple[str, int | None]


def check_frames(written: Written, subject: Subject) -> tuple[Frame, ...]:
    """The frames of a segmentation, once their number, pixels and functional groups are found right.

    Raises
    ------
    DefectError
        At the first frame that lacks something.
    """
    segmentation, what = written.dataset, written.name
    count = len(segmentation.PerFrameFunctionalGroupsSequence)
    if int(segmentation.NumberOfFrames) != count:
        raise DefectError(f"{what} says NumberOfFrames {segmentation.NumberOfFrames} and describes {count}")
    _check_pixel_data(segmentation, what)
    frames = tuple(_frame(segmentation, number, what) for number in range(1, count + 1))
    segments = {int(segment.SegmentNumber) for segment in segmentation.SegmentSequence}
    listed = _listed(segmentation, what)
    for frame in frames:
        if frame.segment is not None and frame.segment not in segments:
            raise DefectError(f"frame {frame.number} of {what} shows segment {frame.segment}, which is not described")
        if frame.source[0] not in listed:
            raise DefectError(
                f"frame {frame.number} of {what} lies on an image that the first item of ReferencedSeriesSequence lacks"
            )
        _check_source(frame, subject, what)
    if len({(frame.segment, frame.source) for frame in frames}) < count:
        raise DefectError(f"two frames of {what} show one segment on one plane")
    return frames


def _listed(segmentation: Dataset, what: str) -> set[str]:
    """The images of the first referenced series; OHIF looks no further (#4030)."""
    series = segmentation.ReferencedSeriesSequence
    listed = [referenced(instance) for item in series for instance in item.ReferencedInstanceSequence]
    if len(set(listed)) < len(listed):
        raise DefectError(f"ReferencedSeriesSequence of {what} lists an instance twice")
    return {referenced(instance) for instance in series[0].ReferencedInstanceSequence}


def _check_pixel_data(segmentation: Dataset, what: str) -> None:
    if segmentation.file_meta.TransferSyntaxUID.is_compressed:
        return
    pixels = int(segmentation.Rows) * int(segmentation.Columns) * int(segmentation.NumberOfFrames)
    size = (pixels * int(segmentation.BitsAllocated) + 7) // 8
    size += size % 2  # PS3.5 8.1.1
    if (there := len(segmentation.get_item("PixelData").value)) != size:
        raise DefectError(f"PixelData of {what} has {there} bytes, its frames have {size}")


def _frame(segmentation: Dataset, number: int, what: str) -> Frame:
    derivation = functional_group(segmentation, number, "DerivationImageSequence")
    sources = derivation.get("SourceImageSequence") if derivation is not None else None
    if not sources:
        raise DefectError(f"frame {number} of {what} does not say its source image (DerivationImageSequence)")
    frames = numbers(sources[0], "ReferencedFrameNumber")
    if functional_group(segmentation, number, "FrameContentSequence") is None:
        raise DefectError(f"frame {number} of {what} lacks its FrameContentSequence")
    return Frame(
        number=number,
        segment=_segment(segmentation, number, what),
        source=(referenced(sources[0]), frames[0] if frames else None),
    )


def _segment(segmentation: Dataset, number: int, what: str) -> int | None:
    if segmentation.SegmentationType == LABEL_MAP:
        return None
    group = functional_group(segmentation, number, "SegmentIdentificationSequence")
    if group is None or group.get("ReferencedSegmentNumber") is None:
        raise DefectError(f"frame {number} of {what} does not say its segment (SegmentIdentificationSequence)")
    return int(group.ReferencedSegmentNumber)


def _check_source(frame: Frame, subject: Subject, what: str) -> None:
    uid, number = frame.source
    source = subject.sources.get(uid)
    if source is None or "Rows" not in source:
        raise DefectError(f"frame {frame.number} of {what} lies on something that is no image received")
    if number is None and int(source.get("NumberOfFrames") or 1) > 1:
        raise DefectError(f"frame {frame.number} of {what} does not say which frame of its source it lies on")
