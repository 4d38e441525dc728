"""The DICOM file (PS3.10) as the spool keeps it: its beginning written, any file's read; parses no dataset."""

import hashlib
import struct
from dataclasses import dataclass

from dicom_node.errors import RefusedError
from dicom_node.study import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_PREAMBLE_BYTES = 128
_PREFIX = b"DICM"
_CANNOT_UNDERSTAND = 0xC000  # PS3.4 B.2.3
_LONG_VR = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_LONGEST_META_BYTES = 64 * 1024
Buffer = bytes | memoryview


@dataclass(frozen=True, kw_only=True)
class FileMeta:
    """What the File Meta Information says (PS3.10 7.1); UIDs as they stand there, empty where absent."""

    media_storage_sop_class_uid: str
    media_storage_sop_instance_uid: str
    transfer_syntax_uid: str
    dataset_offset: int


def beginning(*, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Everything of a DICOM file before its dataset: a preamble of zeros and the File Meta Information.

    The same UIDs give the same bytes in every version of this node: an instance that comes again has the same name.
    """
    meta = b"".join(
        (
            _element(0x0001, b"OB", b"\x00\x01"),
            _element(0x0002, b"UI", sop_class_uid.encode("ascii")),
            _element(0x0003, b"UI", sop_instance_uid.encode("ascii")),
            _element(0x0010, b"UI", transfer_syntax_uid.encode("ascii")),
            _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
            _element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
        )
    )
    return b"\x00" * _PREAMBLE_BYTES + _PREFIX + _element(0x0000, b"UL", struct.pack("<I", len(meta))) + meta


def content_name(*parts: Buffer) -> str:
    """Name of a file in the spool: sha256 of all its bytes, hex.

    For an instance as received these are `beginning`, which holds the transfer syntax, and the dataset untouched: equal
    names mean equal datasets in equal encoding.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def read_meta(data: Buffer) -> FileMeta | None:
    """The File Meta Information at the beginning of a file; None if it is no DICOM file (no prefix after the preamble).

    Its group length is not believed: the dataset begins where group 0002 ends.

    Raises
    ------
    RefusedError
        If it begins as a DICOM file and cannot be understood.
    """
    view = memoryview(data)
    if bytes(view[_PREAMBLE_BYTES : _PREAMBLE_BYTES + len(_PREFIX)]) != _PREFIX:
        return None
    values: dict[int, bytes] = {}
    offset = _PREAMBLE_BYTES + len(_PREFIX)
    while bytes(view[offset : offset + 2]) == b"\x02\x00":
        element, value, offset = _next(view, offset)
        values[element] = value
    return FileMeta(
        media_storage_sop_class_uid=_uid(values, 0x0002),
        media_storage_sop_instance_uid=_uid(values, 0x0003),
        transfer_syntax_uid=_uid(values, 0x0010),
        dataset_offset=offset,
    )


def _next(view: memoryview, offset: int) -> tuple[int, bytes, int]:
    """Element number and value of the Explicit VR element at `offset`, and where the next one begins (PS3.5 7.1.2)."""
    try:
        element, vr, length = struct.unpack_from("<2xH2sH", view, offset)
        start = offset + 8
        if vr in _LONG_VR:
            (length,) = struct.unpack_from("<I", view, offset + 8)
            start = offset + 12
    except struct.error as error:
        raise RefusedError("the File Meta Information is cut short", _CANNOT_UNDERSTAND) from error
    end = start + length
    if end > min(len(view), _LONGEST_META_BYTES):
        raise RefusedError("the File Meta Information is cut short or too long", _CANNOT_UNDERSTAND)
    return element, bytes(view[start:end]), end


def _uid(values: dict[int, bytes], element: int) -> str:
    return values.get(element, b"").rstrip(b"\0 ").decode("ascii", errors="replace")


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    """One element of group 0002, Explicit VR Little Endian; UIDs are padded with NUL, text with a blank (PS3.5 6.2)."""
    if len(value) % 2:
        value += b"\0" if vr == b"UI" else b" "
    if vr in _LONG_VR:
        return struct.pack("<HH2sHI", 0x0002, element, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 0x0002, element, vr, len(value)) + value
