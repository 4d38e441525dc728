"""Whether an object is of the patient and the study that were received, and of nothing else that was."""

from collections import Counter

from pydicom.datadict import keyword_for_tag

from dicom_node.errors import DefectError
from dicom_node.results import header
from dicom_node.results.checks.subject import Subject, Written
from dicom_node.study import ObjectKind

_PATIENT_GROUP = 0x0010


def check_belonging(subject: Subject) -> None:
    """Check patient, study and series.

    Raises
    ------
    DefectError
        If an attribute of patient or study is not that of the source, or a series holds two objects or images too.
    """
    for written in subject.objects:
        _check_patient_and_study(written, subject)
    series = Counter(str(written.dataset.SeriesInstanceUID) for written in subject.objects)  # pages may share one
    instances = Counter(str(written.dataset.SOPInstanceUID) for written in subject.objects)
    received = {str(source.SeriesInstanceUID) for source in subject.received}
    for written in subject.objects:
        if series[str(written.dataset.SeriesInstanceUID)] > 1 and written.kind is not ObjectKind.CAPTURE:
            raise DefectError(f"{written.name} shares its series: viewers open only the last object of one")
        if str(written.dataset.SeriesInstanceUID) in received:
            raise DefectError(f"{written.name} lies in a series that was received")
        if instances[str(written.dataset.SOPInstanceUID)] > 1 or str(written.dataset.SOPInstanceUID) in subject.sources:
            raise DefectError(f"SOPInstanceUID of {written.name} is that of another object")


def _check_patient_and_study(written: Written, subject: Subject) -> None:
    """The attributes that `header` gives, as it gives them, and no other attribute of a patient."""
    expected, there = header.read(subject.received[0]).attributes, written.dataset
    stray = {keyword_for_tag(tag) for tag in there.keys() if tag.group == _PATIENT_GROUP}  # noqa: SIM118 - decodes
    for keyword in sorted({*header.KEYWORDS, *stray}):
        if (keyword in there) != (keyword in expected) or header.text(there, keyword) != header.text(expected, keyword):
            raise DefectError(f"{keyword} of {written.name} is not that of the source")
