"""What IHE AIR asks of objects besides equipment (Rev. 1.3, 6.5.3.1): class, root, flags, observer, procedure, time."""

from datetime import timedelta, timezone

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.results.content_tree import concept, content_items

REPORT = "126000"
"""Imaging Measurement Report, the title of TID 1500."""

_FLAGS = {"CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED", "PreliminaryFlag": "PRELIMINARY"}
"""Finished by the algorithm, seen by nobody (PS3.3 C.17.2)."""

_DEVICE = ("121007", "DCM")
_OBSERVER = {"121005": "Observer Type", "121012": "Device Observer UID"}  # TID 1002 and 1004


def check_time(written: Written, subject: Subject) -> None:
    """Content Date and Time are the start of the analysis, in the zone the object states, else UTC.

    Raises
    ------
    DefectError
        If they are not.
    """
    dataset = written.dataset
    offset = str(dataset.get("TimezoneOffsetFromUTC") or "+0000")
    zone = timezone((-1 if offset[0] == "-" else 1) * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))
    expected = subject.analysed_at.astimezone(zone)
    if f"{dataset.get('ContentDate')}{dataset.get('ContentTime')}"[:14] != f"{expected:%Y%m%d%H%M%S}":
        raise DefectError(f"ContentDate and ContentTime of {written.name} are not the start of the analysis")


def check_document(document: Written) -> None:
    """Flags, observer and procedure of any document.

    Raises
    ------
    DefectError
        At the first that is missing or other than it must be.
    """
    for keyword, value in _FLAGS.items():
        if document.dataset.get(keyword) != value:
            raise DefectError(f"{keyword} of {document.name} is not {value}")
    top = {concept(item): item for item in document.dataset.ContentSequence}
    for code, meaning in _OBSERVER.items():
        if code not in top:
            raise DefectError(f"{document.name} lacks its {meaning} ({code}, DCM)")
    observers = [item for item in content_items(document.dataset) if concept(item) == "121005"]
    if any(_code(item) != _DEVICE for item in observers):
        raise DefectError(f"the observer of {document.name} is not a device (121007, DCM)")
    if "121058" not in top:
        raise DefectError(f"{document.name} does not say its Procedure reported (121058, DCM)")


def check_root(report: Written, subject: Subject) -> None:
    """Class, title and template of the measurement report.

    Raises
    ------
    DefectError
        If it is not of a class that is wanted, or no TID 1500.
    """
    if report.sop_class_uid not in subject.measurement_classes:
        raise DefectError(f"{report.name} is of another SOP class than findings must be")
    if concept(report.dataset) != REPORT:
        raise DefectError(f"the title of {report.name} is not Imaging Measurement Report (126000, DCM)")
    templates = [str(item.get("TemplateIdentifier")) for item in report.dataset.get("ContentTemplateSequence", ())]
    if templates != ["1500"]:
        raise DefectError(f"{report.name} does not name TID 1500 (ContentTemplateSequence)")
    if not any(concept(item) == "126010" for item in report.dataset.ContentSequence):
        raise DefectError(f"{report.name} has no Imaging Measurements (126010, DCM)")


def _code(item: Dataset) -> tuple[str, str]:
    code = item.ConceptCodeSequence[0]
    return str(code.get("CodeValue")), str(code.get("CodingSchemeDesignator"))
