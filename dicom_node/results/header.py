"""What a result copies from its source: patient and study, decoded, made valid and written as ISO_IR 192.

Real headers hold values that no valid object may hold. What identifies the patient is never altered: Patient ID stays
as sent even where it is too long, and an accession number or study ID that does not fit is left empty, because a
shortened one is another one. Of a person's name no more is changed than the standard demands.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.valuerep import PersonName

from dicom_node.results.text import clean
from dicom_node.unreadable import UNREADABLE


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
    """A value as text, several joined by backslashes; empty where it is absent or cannot be read.

    Blanks around it mean nothing (PS3.5 6.2) and go; an ideographic space is none of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote the value, and a log must not
        try:
            value = source.get(keyword)
            parts = value if isinstance(value, MultiValue | list) else [value]
            return "\\".join(_plain(part) for part in parts).strip(" ")
        except UNREADABLE:
            return ""


def _plain(part: Any) -> str:
    """One value as text, in whatever representation it came; a sequence is none."""
    if isinstance(part, bytes):
        return part.rstrip(b"\0 ").decode("latin_1")  # a byte, a character: nothing is lost
    return str(part) if isinstance(part, str | PersonName | int | float) else ""


def _element(keyword: str, value: str) -> DataElement:
    tag = Tag(keyword)
    return DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)


def _as_sent(value: str) -> str:
    return value


def _person_name(value: str) -> str:
    # PS3.5 6.2.1: up to three groups (alphabetic, ideographic, phonetic) of up to 64 characters and five components
    groups = [clean(group).split("^", 4) for group in value.split("=")[:3]]
    whole = "=".join("^".join(c.replace("^", " ") for c in components)[:64] for components in groups)
    return whole.strip(" ")


def _identifier(value: str) -> str:
    return value if len(value) <= 16 and clean(value) == value else ""


def _description(value: str) -> str:
    return clean(value)[:64].strip(" ")


def _date(value: str) -> str:
    digits = value.replace(".", "")  # the form of ACR-NEMA, 1970.01.31, is still met
    try:
        return digits if datetime.strptime(digits, "%Y%m%d").strftime("%Y%m%d") == digits else ""  # noqa: DTZ007
    except ValueError:
        return ""


def _time(value: str) -> str:
    digits = value.replace(":", "")
    return digits if _matches(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?", digits) else ""


def _sex(value: str) -> str:
    return value.upper() if value.upper() in {"M", "F", "O"} else ""


def _age(value: str) -> str:
    return value if _matches(r"\d{3}[DWMY]", value) else ""


def _decimal(value: str) -> str:
    return value if _matches(r"(?=.{1,16}$)[+-]?\d+(\.\d*)?([eE][+-]?\d{1,2})?", value) else ""


def _yes(value: str) -> str:
    return value if value == "YES" else ""


def _offset(value: str) -> str:
    # PS3.3 C.12.1.1.8: from -1200 to +1400, and -0000 shall not be used
    return value if _matches(r"-(?!0000)(0\d|1[01])[0-5]\d|-1200|\+(0\d|1[0-3])[0-5]\d|\+1400", value) else ""


def _matches(pattern: str, value: str) -> bool:
    """Whether all of `value` is of this form, in digits of ASCII."""
    return re.fullmatch(pattern, value, re.ASCII) is not None


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
