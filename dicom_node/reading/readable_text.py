"""Text whose bytes are not in the character set that its header names, read so that no character is lost.

pydicom puts U+FFFD in the place of what it cannot read, and two patients may become one. Here bytes are taken as
declared where that is possible; else as UTF-8; else with escape sequences that were not declared; else as Latin-1, in
which every byte is a character. Two sets that pydicom reads wrongly or not at all are read here too.
"""

import warnings
from contextlib import suppress
from typing import Any

from pydicom import Dataset, config
from pydicom.charset import CODES_TO_ENCODINGS, ESC, decode_bytes, default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag
from pydicom.valuerep import TEXT_VR_DELIMS, VR

from dicom_node.unreadable import UNREADABLE

_TEXT = frozenset({VR.SH, VR.LO, VR.ST, VR.LT, VR.UC, VR.UT, VR.PN})  # PS3.5 6.1.2.3: what (0008,0005) speaks of
_ESCAPED = list(dict.fromkeys(CODES_TO_ENCODINGS.values()))
_LATER = {"ISO_IR 203": "iso8859_15", "ISO 2022 IR 203": "iso8859_15"}  # PS3.3 C.12.1.1.2, not known to pydicom
_IR_58 = ESC + b"$)A"  # an escape sequence that pydicom leaves in the text


def make_readable(header: Dataset) -> None:
    """Decode in place what pydicom would lose of the root's text; everything else is left to it."""
    strange = [tag for tag, element in header.items() if _is_strange(element)]
    if not strange:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydicom, for each value that it cannot read
        encodings = _declared(header)
        for tag in strange:
            with suppress(*UNREADABLE):  # what is no value stays for those who ask for it
                _make_readable(header, tag, encodings)


def _is_strange(element: DataElement | RawDataElement) -> bool:
    """Whether it has bytes that not every character set reads alike; most elements of most headers have none."""
    return isinstance(element.value, bytes) and not (element.value.isascii() and ESC not in element.value)


def _make_readable(header: Dataset, tag: BaseTag, encodings: list[str]) -> None:
    item: Any = header.get_item(tag)
    if not isinstance(item, RawDataElement) or not isinstance(item.value, bytes):
        return
    vr = item.VR or _known(tag)
    if vr in _TEXT and (text := read_otherwise(item.value, encodings)) is not None:
        header[tag] = DataElement(tag, vr, text.rstrip("\0 "), validation_mode=config.IGNORE)


def read_otherwise(value: bytes, encodings: list[str]) -> str | None:
    """The text of `value`, where it is not what its header declares; None where it is.

    Parameters
    ----------
    encodings
        Python's names of the declared sets; the default repertoire is `pydicom.charset.default_encoding`.
    """
    if value.isascii() and ESC not in value:
        return None
    declared = ["ascii" if encoding == default_encoding else encoding for encoding in encodings]
    by_pydicom = encodings[0] not in _LATER.values() and _IR_58 not in value
    if by_pydicom and _decoded(value, declared) is not None:
        return None
    attempts = [declared, ["utf-8"], [declared[0], *_ESCAPED], ["latin_1"]]
    texts = (_decoded(value, attempt) for attempt in attempts)
    return next((text for text in texts if text is not None), value.decode("latin_1"))


def _declared(header: Dataset) -> list[str]:
    terms = header.get("SpecificCharacterSet") or ""
    first = terms if isinstance(terms, str) else str(terms[0])
    found = header.original_character_set
    encodings = [found] if isinstance(found, str) else list(found or [default_encoding])
    return [_LATER[first], *encodings[1:]] if first in _LATER else encodings


def _known(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return VR.UN


def _decoded(value: bytes, encodings: list[str]) -> str | None:
    """None where a byte has no character, or an escape sequence is none of these encodings'."""
    try:
        if ESC not in value:
            return value.decode(encodings[0])
        text = decode_bytes(value, encodings, TEXT_VR_DELIMS)
    except (UnicodeError, LookupError):
        return None
    text = text.replace(_IR_58.decode(), "")
    return None if "\N{REPLACEMENT CHARACTER}" in text or "\x1b" in text else text
