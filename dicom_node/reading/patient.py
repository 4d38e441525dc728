"""What a header says about the patient that decides whether a reading may be made: age, contrast agent, identity."""

from collections.abc import Sequence
from datetime import date, datetime

from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.reading.header_values import text

DAYS_A_YEAR = 365.2425
"""Mean length of a Gregorian year."""

_DAYS = {"D": 1.0, "W": 7.0, "M": DAYS_A_YEAR / 12, "Y": DAYS_A_YEAR}  # PS3.5 6.2, VR AS


def age_years(header: Dataset) -> float | None:
    """Age at the study: Patient's Age (0010,1010), else from birth date and study date; None where neither is whole."""
    given = text(header, "PatientAge").upper()
    if len(given) == 4 and given[:3].isdigit() and given[3] in _DAYS:
        return int(given[:3]) * _DAYS[given[3]] / DAYS_A_YEAR
    born, seen = _date(text(header, "PatientBirthDate")), _date(text(header, "StudyDate"))
    if born is None or seen is None or seen < born:
        return None
    return (seen - born).days / DAYS_A_YEAR


def check_one_patient(headers: Sequence[Dataset]) -> None:
    """See that all instances are of one patient and one study.

    Raises
    ------
    DefectError
        If they are not: nothing may be said of anyone until a person has looked.
    """
    studies = {text(header, "StudyInstanceUID") for header in headers}
    if len(studies) > 1 or "" in studies:
        raise DefectError(f"{len(studies)} Study Instance UIDs, absent ones counted, in what should be one study")
    patients = {text(header, "PatientID") for header in headers}
    issuers = {text(header, "IssuerOfPatientID") for header in headers} - {""}  # scanners leave it to the PACS
    if len(patients) > 1 or len(issuers) > 1:
        raise DefectError(f"{max(len(patients), len(issuers))} patient identities in one study")


def _date(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007  # a birthday has no time zone
    except ValueError:
        return None
