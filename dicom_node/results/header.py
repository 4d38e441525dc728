"""What a result copies from its source: patient and study, decoded, made valid and written as ISO_IR 192.

Real headers hold values that no valid object may hold. What identifies the patient is never altered: Patient ID stays
as sent even where it is too long, and an accession number or study ID that does not fit is left empty, because a
shortened one is another one.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from dicom_node.results.text import clean, fit


@dataclass(frozen=True, kw_only=True)
class PatientStudy:
    """Patient, General Study and Patient Study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2), fit to be written.

    Attributes
    ----------
    attributes
        A dataset of these attributes alone; type 2 ones are always present.
    repaired
        Keywords whose value had to change, in order of the rules below; no values.
    """

    attributes: Dataset
    repaired: tuple[str, ...]


def read(source: Dataset) -> PatientStudy:
    """The patient and study of a source instance, with every value valid or left out."""
    attributes, repaired = Dataset(), []
    for keyword, rule in _RULES.items():
        sent = text(source, keyword)
        value = rule(sent)
        if value != sent:
            repaired.append(keyword)
        if value or keyword in _TYPE_2:
            attributes.add(_element(keyword, value))
    if "DeidentificationMethod" not in attributes and "PatientIdentityRemoved" in attributes:
        del attributes.PatientIdentityRemoved  # PS3.3 C.7.1.1: YES demands the method
    return PatientStudy(attributes=attributes, repaired=tuple(repaired))


def text(source: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where it is absent or cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote the value, and a log must not
        try:
            value = source.get(keyword)
        except (ValueError, LookupError, TypeError):  # not a number, an unknown character set, a broken element
            return ""
        if value is None:
            return ""
        parts = value if isinstance(value, MultiValue | list) else [value]
        return "\\".join(str(part) for part in parts).strip()


def _element(keyword: str, value: str) -> DataElement:
    tag = Tag(keyword)
    return DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)


def _as_sent(value: str) -> str:
    return value


def _person_name(value: str) -> str:
    # PS3.5 6.2.1: up to three groups (alphabetic, ideographic, phonetic) of up to 64 characters
    return "=".join(clean(group)[:64] for group in value.split("=")[:3])


def _identifier(value: str) -> str:
    return value if len(value) <= 16 and fit(value, 16) == value else ""


def _description(value: str) -> str:
    return fit(value, 64)


def _date(value: str) -> str:
    digits = value.replace(".", "")  # the form of ACR-NEMA, 1970.01.31, is still met
    try:
        return digits if datetime.strptime(digits, "%Y%m%d").strftime("%Y%m%d") == digits else ""  # noqa: DTZ007
    except ValueError:
        return ""


def _time(value: str) -> str:
    digits = value.replace(":", "")
    return digits if re.fullmatch(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?", digits) else ""


def _sex(value: str) -> str:
    return value.upper() if value.upper() in {"M", "F", "O"} else ""


def _age(value: str) -> str:
    return value if re.fullmatch(r"\d{3}[DWMY]", value) else ""


def _decimal(value: str) -> str:
    return value if re.fullmatch(r"(?=.{1,16}$)[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", value) else ""


def _yes(value: str) -> str:
    return value if value == "YES" else ""


def _offset(value: str) -> str:
    return value if re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", value) else ""


_RULES: dict[str, Callable[[str], str]] = {
    "TimezoneOffsetFromUTC": _offset,  # the study's dates and times are in it
    "PatientName": _person_name,
    "PatientID": _as_sent,
    "IssuerOfPatientID": _as_sent,
    "PatientBirthDate": _date,
    "PatientSex": _sex,
    "PatientAge": _age,
    "PatientSize": _decimal,
    "PatientWeight": _decimal,
    "PatientIdentityRemoved": _yes,
    "DeidentificationMethod": _description,
    "StudyInstanceUID": _as_sent,
    "StudyDate": _date,
    "StudyTime": _time,
    "ReferringPhysicianName": _person_name,
    "StudyID": _identifier,
    "AccessionNumber": _identifier,
    "StudyDescription": _description,
}
KEYWORDS = tuple(_RULES)
"""All that `read` may give: an object has no other patient and study attributes than these."""

_TYPE_2 = {
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
}
