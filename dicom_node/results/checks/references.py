"""Whether all that an object refers to was received or belongs to this reading, by class, series, frame and segment."""

from collections.abc import Iterable

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.nesting import nested
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.content_tree import concept, content_items

_SERIES_NAMES = {"121232", "112002"}
"""UIDREF items that name a series: Source Series for Segmentation, Series Instance UID (PS3.16 D)."""

_INSTANCES_OF_SERIES = ("ReferencedInstanceSequence", "ReferencedSOPSequence")  # PS3.3 C.12.2, C.17.2.1


def check_references(subject: Subject) -> None:
    """Check every reference of every object.

    Raises
    ------
    DefectError
        If an instance, its class, its series or its study is not what was received or made, or it has no such frame or
        segment.
    """
    classes = {uid: str(instance.SOPClassUID) for uid, instance in subject.instances.items()}
    classes |= {str(p.sop_instance_uid): str(p.sop_class_uid) for p in subject.predecessors}
    series = {uid: str(instance.SeriesInstanceUID) for uid, instance in subject.instances.items()}
    series |= {str(p.sop_instance_uid): str(p.series_instance_uid) for p in subject.predecessors}
    for written in subject.objects:
        for keyword, item in nested(written.dataset):
            if "ReferencedSOPInstanceUID" in item:
                _check_instance(item, classes, written)
                _check_part(item, subject, written)
            if keyword == "ReferencedSeriesSequence":
                _check_series(item, series, written)
            if "StudyInstanceUID" in item and item.StudyInstanceUID != written.dataset.StudyInstanceUID:
                raise DefectError(f"{keyword} of {written.name} names another study")
        if written.is_document:
            _check_named_series(written, set(series.values()))


def referenced(item: Dataset) -> str:
    """SOP Instance UID that an item refers to."""
    return str(item.ReferencedSOPInstanceUID)


def numbers(item: Dataset, keyword: str) -> list[int]:
    """Frame or segment numbers of a reference, none for the whole instance."""
    value = item.get(keyword)
    if value is None or value == "":
        return []
    return [int(v) for v in value] if isinstance(value, Iterable) else [int(value)]


def _check_instance(item: Dataset, classes: dict[str, str], written: Written) -> None:
    uid = referenced(item)
    if uid not in classes:
        raise DefectError(f"{written.name} refers to an instance that was not received")
    if str(item.get("ReferencedSOPClassUID")) != classes[uid]:
        raise DefectError(f"{written.name} refers to an instance by another SOP class than its own")


def _check_part(item: Dataset, subject: Subject, written: Written) -> None:
    there = subject.instances.get(referenced(item), Dataset())
    count = int(there.get("NumberOfFrames") or 1)
    for frame in numbers(item, "ReferencedFrameNumber"):
        if not 1 <= frame <= count:
            raise DefectError(f"{written.name} refers to frame {frame} of {count}")
    segments = [int(segment.SegmentNumber) for segment in there.get("SegmentSequence", ())]
    for segment in numbers(item, "ReferencedSegmentNumber"):
        if segment not in segments:
            raise DefectError(f"{written.name} refers to segment {segment} of {len(segments)}")


def _check_series(item: Dataset, series: dict[str, str], written: Written) -> None:
    for keyword in _INSTANCES_OF_SERIES:
        for instance in item.get(keyword, ()):
            uid, own = referenced(instance), str(item.SeriesInstanceUID)
            if series.get(uid, own) != own:
                raise DefectError(f"ReferencedSeriesSequence of {written.name} puts an instance into another series")


def _check_named_series(written: Written, series: set[str]) -> None:
    for item in content_items(written.dataset):
        if item.ValueType == "UIDREF" and concept(item) in _SERIES_NAMES and str(item.UID) not in series:
            raise DefectError(f"{written.name} names a series that was not received")
