"""Values of a header by keyword, with absent and broken told apart; knows no series and no pixels."""

import math
from functools import cache

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from dicom_node.errors import UnsuitableError
from dicom_node.unreadable import UNREADABLE

_PLAIN = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI"})
_ESCAPE = b"\x1b"  # what follows is of another character set (PS3.5 6.1.2.5)


def text(header: Dataset, keyword: str) -> str:
    """A text value, blanks stripped; several values joined by a backslash; empty where absent or broken."""
    try:
        if (plain := _plain(header, keyword)) is not None:
            return "\\".join(plain)
        value = header.get(keyword)
        if value is None:
            return ""
        if isinstance(value, (list, tuple, MultiValue)):
            return "\\".join(str(part).strip() for part in value)
        return str(value).strip()
    except UNREADABLE:
        return ""


def numbers(header: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Finite numbers of an attribute; None where it is absent or empty.

    Raises
    ------
    UnsuitableError
        If there are not `count` of them, or one is not a finite number.
    """
    try:
        value = plain if (plain := _plain(header, keyword)) is not None else header.get(keyword)
        if value is None or value == "":
            return None
        parts = (value,) if isinstance(value, (str, int, float)) else tuple(value)
        found = tuple(float(part) for part in parts)
    except UNREADABLE as error:
        raise UnsuitableError(f"{keyword} is not {_count(count)}") from error
    if not found:
        return None
    if len(found) != count or not all(math.isfinite(v) for v in found):
        raise UnsuitableError(f"{keyword} is not {_count(count)}")
    return found


def number(header: Dataset, keyword: str) -> float | None:
    """One finite number; None where it is absent, one of several or broken: for attributes that only describe."""
    try:
        found = numbers(header, keyword, 1)
    except UnsuitableError:
        return None
    return None if found is None else found[0]


def whole(header: Dataset, keyword: str) -> int:
    """A whole number that must be there, 0 or more.

    Raises
    ------
    UnsuitableError
        If it is absent, not whole or negative.
    """
    found = numbers(header, keyword, 1)
    if found is None:
        raise UnsuitableError(f"{keyword} is absent")
    if found[0] < 0 or found[0] != int(found[0]):
        raise UnsuitableError(f"{keyword} is not a whole number")
    return int(found[0])


def items(header: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Items of a sequence; empty where it is absent or broken."""
    try:
        return tuple(header.get(keyword) or ())
    except UNREADABLE:
        return ()


def _plain(header: Dataset, keyword: str) -> list[str] | None:
    """Values as the bytes of an element say that pydicom has not converted; none where it is absent or empty.

    None where pydicom has converted it, or has to.

    A series is asked for the same few attributes of hundreds of headers, and converting costs ten times as much.
    """
    element: object = header.get_item(_tag(keyword))
    if element is None:
        return []
    if not isinstance(element, RawDataElement):
        return None
    if not element.value:
        return []
    if element.VR == "US" and len(element.value) == 2:
        return [str(int.from_bytes(element.value, "little" if element.is_little_endian else "big"))]
    if element.VR not in _PLAIN or not element.value.isascii() or _ESCAPE in element.value:
        return None
    parts = [part.strip("\0").strip() for part in element.value.decode("ascii").split("\\")]
    return parts if any(parts) else []


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def _count(count: int) -> str:
    return "one finite number" if count == 1 else f"{count} finite numbers"
