"""Whether one name means one finding in all objects of a reading: Tracking ID and UID in masks, report and words."""

from collections.abc import Iterator

from dicom_node.errors import DefectError
from dicom_node.results.checks.measurement_groups import TRACKING_IDENTIFIER, groups, tracking
from dicom_node.results.checks.segments import described
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.content_tree import texts


def check_tracking(subject: Subject) -> None:
    """Compare tracking identifiers across objects.

    Raises
    ------
    DefectError
        If one label has two UIDs, one UID two labels, or the report in words tracks what no measurement group does.
    """
    uid_of: dict[str, str] = {}
    label_of: dict[str, str] = {}
    for written in subject.objects:
        for label, uid in _tracked(written):
            if uid_of.setdefault(label, uid) != uid or label_of.setdefault(uid, label) != label:
                raise DefectError(f"{written.name} tracks by another Tracking UID what another object tracks too")
    measured = {tracking(group)[0] for report in subject.measurements for group in groups(report.dataset)}
    for document in subject.documents:
        if measured and texts(document.dataset, TRACKING_IDENTIFIER) - measured:
            raise DefectError(f"{document.name} has a Tracking Identifier that no measurement group has")


def _tracked(written: Written) -> Iterator[tuple[str, str]]:
    if written.is_segmentation:
        yield from ((str(segment.TrackingID), str(segment.TrackingUID)) for segment in described(written.dataset))
    if written.is_measurements:
        yield from (tracking(group) for group in groups(written.dataset))
