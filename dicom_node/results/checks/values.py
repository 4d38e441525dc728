"""Whether each value fits its value representation and multiplicity (PS3.5 6.2, PS3.6 6), without ever quoting one."""

import math
import re
import struct
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.valuerep import STR_VR, validate_value

from dicom_node.errors import DefectError
from dicom_node.results.checks.nesting import nested
from dicom_node.results.checks.subject import Subject, Written

_AS_SENT = frozenset(Tag(k) for k in ("PatientID", "IssuerOfPatientID"))  # whom a study belongs to is never altered
_ONE_TEXT = frozenset({"LT", "ST", "UR", "UT"})  # a backslash in them is text
_NUMBERS = {"AT": "I", "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_Value = str | bytes | int | float


def check_values(written: Written, subject: Subject) -> None:
    """Check every element but those of the frames' functional groups, of which there are many and which `frames` reads.

    Raises
    ------
    DefectError
        If the object is not in ISO_IR 192, or a value is none of its value representation.
    """
    if written.dataset.get("SpecificCharacterSet") != "ISO_IR 192":
        raise DefectError(f"{written.name} is not in ISO_IR 192 (SpecificCharacterSet)")
    # a mask lies in the source's frame of reference, whatever it is called
    as_sent = frozenset(str(source.get("FrameOfReferenceUID")) for source in subject.received)
    _check_elements(written.dataset, written.name, as_sent)
    for keyword, item in nested(written.dataset, but={"PerFrameFunctionalGroupsSequence"}):
        _check_elements(item, f"{keyword} of {written.name}", as_sent)


def is_empty(item: Dataset, keyword: str) -> bool:
    """Whether an element that is there has no value, no item or nothing but blanks."""
    element = item.get_item(keyword)
    value = element.value
    if element.VR in STR_VR and isinstance(value, str | bytes):
        value = value.strip()
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def _check_elements(item: Dataset, where: str, as_sent: frozenset[str]) -> None:
    for tag in item.keys():  # noqa: SIM118 - iterating a dataset decodes its elements, with warnings that quote them
        element = item.get_item(tag)
        if element.VR == "SQ" or tag in _AS_SENT:
            continue
        keyword = keyword_for_tag(tag)
        if not keyword:
            raise DefectError(f"{where} holds an attribute {tag} that the dictionary does not know")
        if str(element.VR) not in dictionary_VR(tag):  # "US or SS" where it depends
            raise DefectError(f"{keyword} in {where} is a {element.VR}, not a {dictionary_VR(tag)}")
        try:
            values = list(_values(element))
            for value in values:
                if element.VR != "UI" or value not in as_sent:
                    _check_value(str(element.VR), value)
        except (ValueError, TypeError):
            raise DefectError(f"{keyword} in {where} is not a valid {element.VR}") from None
        if not _allowed(dictionary_VM(tag), len(values)):
            raise DefectError(f"{keyword} in {where} has {len(values)} values, not {dictionary_VM(tag)}")


def _check_value(vr: str, value: _Value) -> None:
    validate_value(vr, value, RAISE)
    if vr in {"DA", "TM"} and "-" in str(value):
        raise ValueError("a range is for queries")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a number")


def _values(element: DataElement | RawDataElement) -> Iterator[_Value]:
    """The values of an element, not decoded where it came from a file."""
    if isinstance(element, RawDataElement):
        yield from _undecoded(str(element.VR), element.value or b"")
        return
    for value in element.value if isinstance(element.value, MultiValue | list) else [element.value]:
        if value is not None and value != "":
            binary = element.VR in _NUMBERS or isinstance(value, bytes)
            yield value if binary else str(value)  # a DS as it was written, a PN as text


def _undecoded(vr: str, data: bytes) -> Iterator[_Value]:
    if vr in _NUMBERS:
        yield from (value for (value,) in struct.iter_unpack(f"<{_NUMBERS[vr]}", data))
    elif vr[0] == "O" or vr == "UN":
        yield data
    elif text := data.decode("utf-8").rstrip(" \0"):
        yield from [text] if vr in _ONE_TEXT else (part.strip(" ") for part in text.split("\\"))


def _allowed(multiplicity: str, count: int) -> bool:
    """Whether a Value Multiplicity such as "1", "1-n" or "2-2n" (PS3.5 6.4) allows a number of values, 0 always."""
    low, _, high = multiplicity.partition("-")
    if not count or not high:
        return count in {0, int(low)}
    step = re.fullmatch(r"(\d*)n", high)
    return count >= int(low) and (count % int(step[1] or 1) == 0 if step else count <= int(high))
