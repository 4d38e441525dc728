"""What each segment of a segmentation says: number, how it was made and by what, how it is tracked, its colour."""

from collections.abc import Iterator

from pydicom import Dataset

from dicom_node.results.checks.frames import LABEL_MAP
from dicom_node.results.checks.subject import Subject, Written

_Fault = str | None


def described(segmentation: Dataset) -> Iterator[Dataset]:
    """The segments that show something; a label map describes its background (number 0) as well."""
    return (segment for segment in segmentation.SegmentSequence if int(segment.SegmentNumber) != 0)


def numbering(written: Written, _subject: Subject) -> _Fault:
    """From 1, by 1; in a label map any numbers, each once."""
    numbers = [int(segment.SegmentNumber) for segment in written.dataset.SegmentSequence]
    if written.dataset.SegmentationType == LABEL_MAP:
        return None if len(set(numbers)) == len(numbers) else "describes one SegmentNumber twice"
    return None if numbers == list(range(1, len(numbers) + 1)) else "does not count SegmentNumber from 1 by 1"


def algorithm_type(written: Written, _subject: Subject) -> _Fault:
    """Nobody drew a line of it."""
    kinds = {segment.get("SegmentAlgorithmType") for segment in described(written.dataset)}
    return None if kinds == {"AUTOMATIC"} else "has a segment whose SegmentAlgorithmType is not AUTOMATIC"


def algorithm(written: Written, _subject: Subject) -> _Fault:
    """Algorithm Identification, whose values `equipment` compares."""
    return _lacking(written, "SegmentationAlgorithmIdentificationSequence")


def tracking(written: Written, _subject: Subject) -> _Fault:
    """Tracking ID and UID, a UID for one segment only."""
    uids = [str(segment.get("TrackingUID")) for segment in described(written.dataset)]
    twice = "has two segments with one TrackingUID" if len(set(uids)) < len(uids) else None
    return _lacking(written, "TrackingID") or _lacking(written, "TrackingUID") or twice


def color(written: Written, _subject: Subject) -> _Fault:
    """CIELab, three numbers (their count is `values`'s)."""
    return _lacking(written, "RecommendedDisplayCIELabValue")


def _lacking(written: Written, keyword: str) -> _Fault:
    lacking = [int(segment.SegmentNumber) for segment in described(written.dataset) if not segment.get(keyword)]
    return f"lacks {keyword} in segment {lacking[0]}" if lacking else None
