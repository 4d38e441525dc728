"""Checks before objects may leave: the one entry to `checks`, in an order in which each may rely on those before it.

Knows no pixels (`mask_comparison` does) and repairs nothing. Messages name object and attribute, never a value of the
patient's.
"""

from dicom_node.errors import DefectError
from dicom_node.results.checks.air import check_document, check_root, check_time
from dicom_node.results.checks.belonging import check_belonging
from dicom_node.results.checks.content_items import check_content_items
from dicom_node.results.checks.contract import check_contract
from dicom_node.results.checks.equipment import check_equipment
from dicom_node.results.checks.evidence import check_evidence
from dicom_node.results.checks.frames import Frame, check_frames
from dicom_node.results.checks.geometry import check_geometry
from dicom_node.results.checks.iod import check_iod
from dicom_node.results.checks.measurement_groups import check_measurement_groups
from dicom_node.results.checks.references import check_references
from dicom_node.results.checks.regions import check_regions
from dicom_node.results.checks.subject import Subject
from dicom_node.results.checks.tracking import check_tracking
from dicom_node.results.checks.values import check_values


def check(subject: Subject) -> None:
    """Check the objects of one reading, as read back from their files, together.

    Raises
    ------
    DefectError
        At the first thing that is wrong, with object and attribute.
    """
    for step in (_check_each, check_belonging, check_references, _check_documents, _check_places, _check_contracts):
        try:
            step(subject)
        except (
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
        ) as error:  # what no check foresaw; may quote a value
            raise DefectError(f"the objects cannot be checked: {type(error).__name__} in {step.__name__}") from None


def _check_each(subject: Subject) -> None:
    """What an object is by itself: readable, of its IOD, with a whole content tree."""
    for written in subject.objects:
        check_values(written, subject)
        check_iod(written)
        if written.is_document:
            check_content_items(written)


def _check_documents(subject: Subject) -> None:
    """What IHE AIR asks of every object, of documents and of the measurement report."""
    for written in subject.objects:
        check_equipment(written)
        check_time(written, subject)
    for document in subject.documents:
        check_evidence(document)
        if document.is_report:
            check_document(document)
    for report in subject.measurements:
        check_root(report, subject)
        check_measurement_groups(report)


def _check_places(subject: Subject) -> None:
    """Where masks and regions lie."""
    frames: dict[str, tuple[Frame, ...]] = {}
    for mask in subject.segmentations:
        uid = str(mask.dataset.SOPInstanceUID)
        frames[uid] = check_frames(mask, subject)
        check_geometry(mask, frames[uid], subject)
    for document in subject.documents:
        check_regions(document, frames, subject)


def _check_contracts(subject: Subject) -> None:
    """What viewers need."""
    for written in subject.objects:
        check_contract(written, subject)
    check_tracking(subject)
