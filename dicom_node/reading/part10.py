"""One DICOM file as bytes: its header without pixels, and where its pixels lie; decodes nothing."""

import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, cast

from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.filereader import read_dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicom_node.errors import UnsuitableError
from dicom_node.reading.plain_header import plain_header
from dicom_node.reading.readable_text import make_readable
from dicom_node.unreadable import UNREADABLE

UNCOMPRESSED = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
"""Transfer syntaxes whose pixels lie in the file as they are (PS3.5 A.1 to A.3)."""

ENCAPSULATED = frozenset(
    {
        *(JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless),
        *(JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K, RLELossless),
    }
)
"""Compressed transfer syntaxes (PS3.5 A.4). Deflated (A.5) is not read: one megabyte can inflate to a gigabyte."""

_PREAMBLE = 128
_PIXEL_DATA = (0x7FE0, 0x0010)
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # of floating point numbers too
_UNDEFINED_LENGTH = 0xFFFFFFFF
_LONG_VR = frozenset({b"OB", b"OW", b"OD", b"OF", b"OL", b"OV", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


@dataclass(frozen=True, kw_only=True)
class Part10:
    """One file, parsed up to its pixels.

    Attributes
    ----------
    header
        The dataset before the pixels.
    transfer_syntax_uid
        As the file meta information says.
    pixels
        Value of Pixel Data (7FE0,0010); of an encapsulated one everything from the first item on. None without pixels.
    dataset
        All of the dataset as received, without preamble and file meta information.
    """

    header: Dataset
    transfer_syntax_uid: str
    pixels: memoryview | None
    dataset: memoryview

    @cached_property
    def dataset_sha256(self) -> str:
        """Of the dataset; hex."""
        return hashlib.sha256(self.dataset).hexdigest()


def parse_file(path: Path) -> Part10:
    """Parse a file where it lies, which nobody may write to meanwhile: what is not looked at is not read.

    Raises
    ------
    UnsuitableError
        As `parse`.
    OSError
        If there is no such file, or it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return parse(b"")
        return parse(mmap(file.fileno(), 0, access=ACCESS_READ))


def parse(data: bytes | mmap) -> Part10:
    """Parse one DICOM file (PS3.10) as far as its pixels.

    Raises
    ------
    UnsuitableError
        If it is no DICOM file, its transfer syntax is not one that is read, or it cannot be parsed.
    """
    transfer_syntax_uid, offset = _file_meta(data)
    if transfer_syntax_uid not in UNCOMPRESSED | ENCAPSULATED:
        raise UnsuitableError(f"transfer syntax {_shown(transfer_syntax_uid)} is not read")
    try:
        header, end = _header(data, offset, transfer_syntax_uid)
        make_readable(header)
    except UNREADABLE as error:
        raise UnsuitableError(f"an instance cannot be parsed ({type(error).__name__})") from error
    return Part10(
        header=header,
        transfer_syntax_uid=transfer_syntax_uid,
        pixels=_pixels(data, end, header),
        dataset=memoryview(data)[offset:],
    )


def _header(data: bytes | mmap, offset: int, transfer_syntax_uid: str) -> tuple[Dataset, int]:
    """The dataset from `offset` up to its pixels, and where they begin."""
    implicit, little = transfer_syntax_uid == ImplicitVRLittleEndian, transfer_syntax_uid != ExplicitVRBigEndian
    if not implicit and little and (plain := plain_header(data, offset, _PIXELS.__contains__)):
        return plain
    stream = cast("BinaryIO", data) if isinstance(data, mmap) else BytesIO(data)
    stream.seek(offset)
    header = read_dataset(stream, implicit, little, stop_when=lambda tag, _, __: tag in _PIXELS)
    return header, stream.tell()


def _file_meta(data: bytes | mmap) -> tuple[str, int]:
    """Transfer syntax and offset of the dataset (PS3.10 7.1), read by hand so that nothing is inflated unasked."""
    if data[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        raise UnsuitableError("an instance is not a DICOM file: no DICM prefix after the preamble")
    offset, syntax = _PREAMBLE + 4, b""
    try:
        while data[offset : offset + 2] == b"\x02\x00":
            element = struct.unpack_from("<H", data, offset + 2)[0]
            value, length = _explicit_value(data, offset)
            if element == 0x0010:
                syntax = data[value : value + length]
            offset = value + length
    except struct.error as error:
        raise UnsuitableError("an instance is not a DICOM file: its file meta information is cut short") from error
    return syntax.rstrip(b"\0 ").decode("ascii", errors="replace"), offset


def _explicit_value(data: bytes | mmap, offset: int) -> tuple[int, int]:
    """Offset and length of the value of the Explicit VR Little Endian element at `offset` (PS3.5 7.1.2)."""
    if data[offset + 4 : offset + 6] in _LONG_VR:
        return offset + 12, struct.unpack_from("<I", data, offset + 8)[0]
    return offset + 8, struct.unpack_from("<H", data, offset + 6)[0]


def _pixels(data: bytes | mmap, offset: int, header: Dataset) -> memoryview | None:
    implicit, little = header.original_encoding
    order = "<" if little else ">"
    if len(data) < offset + 12 or struct.unpack_from(f"{order}HH", data, offset) != _PIXEL_DATA:
        return None
    # PS3.5 7.1.2 and 7.1.3: tag, then a 4-byte length, or VR, two reserved bytes and a 4-byte length
    start = offset + (8 if implicit else 12)
    length = struct.unpack_from(f"{order}I", data, start - 4)[0]
    end = len(data) if length == _UNDEFINED_LENGTH else start + length
    if end > len(data):
        raise UnsuitableError(
            f"an instance is cut short: {len(data) - start} of {length} bytes of Pixel Data are there"
        )
    return memoryview(data)[start:end]


def _shown(uid: str) -> str:
    """A transfer syntax for a sentence: its name where the standard has one, else nothing of what the file said."""
    name = UID(uid, validation_mode=IGNORE).name
    return "of an unknown UID" if name == uid else f"{name} ({uid})"
