"""A header in one pass over its bytes, as pydicom keeps it before it converts anything; leaves to it what is not plain.

Most headers of a series are Explicit VR Little Endian with lengths stated (PS3.5 7.1.2). They are most of what a series
of hundreds of files costs before its first pixel is seen.
"""

import struct
from collections.abc import Callable
from mmap import mmap

from pydicom import Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

_UNDEFINED_LENGTH = 0xFFFFFFFF
_CHARACTER_SET = 0x00080005
_LONG = {str(vr).encode("ascii"): str(vr) for vr in EXPLICIT_VR_LENGTH_32}
_SHORT = {str(vr).encode("ascii"): str(vr) for vr in EXPLICIT_VR_LENGTH_16}
_ELEMENT = struct.Struct("<HH2sH")
_LENGTH = struct.Struct("<I")


def plain_header(data: bytes | mmap, offset: int, ends: Callable[[int], bool]) -> tuple[Dataset, int] | None:
    """Read a dataset up to the first element whose tag `ends` it.

    Parameters
    ----------
    data
        The file.
    offset
        Where the dataset begins.

    Returns
    -------
    tuple of Dataset and int, or None
        The header and where it ends; None where an element has no length, no known representation, or is cut short.
    """
    elements: dict[BaseTag, RawDataElement] = {}
    size = len(data)
    while offset + 8 <= size:
        group, element, representation, length = _ELEMENT.unpack_from(data, offset)
        tag = group << 16 | element
        if ends(tag):
            break
        start = offset + 8
        if representation in _LONG:
            if start + 4 > size:
                return None
            (length,) = _LENGTH.unpack_from(data, start)
            start += 4
        elif representation not in _SHORT:
            return None
        offset = start + length
        if length == _UNDEFINED_LENGTH or offset > size:
            return None
        name = _SHORT.get(representation) or _LONG[representation]
        value = data[start:offset] if length else empty_value_for_VR(name, raw=True)
        known = BaseTag(tag)
        elements[known] = RawDataElement(
            *(known, name, length, value, start),  # type: ignore[arg-type]
            is_implicit_VR=False,
            is_little_endian=True,
        )
    return _dataset(elements), offset


def _dataset(elements: dict[BaseTag, RawDataElement]) -> Dataset:
    named = elements.get(BaseTag(_CHARACTER_SET))
    encoding = default_encoding if named is None else convert_encodings(convert_raw_data_element(named).value)
    dataset = Dataset(dict(elements), parent_encoding=default_encoding)
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True, character_encoding=encoding)
    return dataset
