"""What a dataset says of itself, read within bounds before it is kept: the Header, or a refusal; decodes no pixels."""

from pathlib import Path
from typing import NamedTuple

from pydicom.charset import python_encoding

from dicom_node.errors import RefusedError
from dicom_node.intake.elements import CANNOT_UNDERSTAND, ITEM, Place, walk
from dicom_node.records.part10 import read_meta
from dicom_node.study import Header, SeriesInstanceUID, SOPClassUID, SOPInstanceUID, StudyInstanceUID, is_uid

DOES_NOT_MATCH_SOP_CLASS = 0xA900  # PS3.4 B.2.3
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
# PS3.5 A: the others are Explicit VR Little Endian, but for big endian and those that deflate the dataset
_OF_THE_STANDARD = "1.2.840.10008.1.2."
_NOT_SCANNED = frozenset(
    {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)
_MOST_FRAMES = 2**31 - 1

_TEXTS: dict[str, Place] = {
    "patient_id": (0, 0x00100020),
    "issuer_of_patient_id": (0, 0x00100021),
    "modality": (0, 0x00080060),
    "body_part_examined": (0, 0x00180015),
    "series_description": (0, 0x0008103E),
    "protocol_name": (0, 0x00181030),
    "image_type": (0, 0x00080008),
}
_SOP_CLASS_UID, _SOP_INSTANCE_UID = (0, 0x00080016), (0, 0x00080018)
_STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID = (0, 0x0020000D), (0, 0x0020000E)
_CHARACTER_SET = (0, 0x00080005)
_NUMBER_OF_FRAMES = (0, 0x00280008)
_CONTRAST_AGENT = (0, 0x00180010)
_CONTRAST_ITEM = (0x00180012, ITEM)  # PS3.3 C.7.6.4b: Enhanced objects name the agent in a sequence of codes
_CONTRAST_MEANING = (0x00180012, 0x00080104)
_WANTED = frozenset(
    {
        *_TEXTS.values(),
        *(_SOP_CLASS_UID, _SOP_INSTANCE_UID, _STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID),
        *(_CHARACTER_SET, _NUMBER_OF_FRAMES, _CONTRAST_AGENT, _CONTRAST_ITEM, _CONTRAST_MEANING),
    }
)


class ScannedFile(NamedTuple):
    """A DICOM file's header, its transfer syntax, and where its dataset begins."""

    header: Header
    transfer_syntax_uid: str
    dataset_offset: int


def scan(dataset: bytes | memoryview, transfer_syntax_uid: str) -> Header:
    """The Header of a dataset as it came over the wire.

    Raises
    ------
    RefusedError
        0xC000: its transfer syntax is not scanned, it cannot be understood, or it asks for more than the budget
        (`elements.Budget`).
    """
    implicit = transfer_syntax_uid == _IMPLICIT_LITTLE_ENDIAN
    if not implicit and (transfer_syntax_uid in _NOT_SCANNED or not transfer_syntax_uid.startswith(_OF_THE_STANDARD)):
        raise RefusedError("big endian, deflated and private transfer syntaxes are not taken", CANNOT_UNDERSTAND)
    return _header(walk(memoryview(dataset), implicit=implicit, wanted=_WANTED), transfer_syntax_uid)


def require_match(header: Header, *, sop_class_uid: str, sop_instance_uid: str) -> None:
    """Raise RefusedError 0xA900 unless the dataset is of the class and the instance that the request named."""
    if header.sop_class_uid != sop_class_uid:
        raise RefusedError("the dataset is of another SOP Class than the request names", DOES_NOT_MATCH_SOP_CLASS)
    if header.sop_instance_uid != sop_instance_uid:
        raise RefusedError("the dataset is another SOP Instance than the request names", DOES_NOT_MATCH_SOP_CLASS)


def scan_file(source: Path | bytes) -> ScannedFile | None:
    """The Header of a DICOM file; None if it is no DICOM file, or a DICOMDIR.

    Where File Meta Information and dataset name different UIDs, as after many an anonymisation, the dataset counts.

    Raises
    ------
    RefusedError
        If it is a DICOM file and is broken, or `scan` refuses its dataset.
    OSError
        If it cannot be read.
    """
    data = source if isinstance(source, bytes) else _read(source)
    meta = read_meta(data)
    if meta is None or meta.media_storage_sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        return None
    if not is_uid(meta.transfer_syntax_uid):
        raise RefusedError("the File Meta Information names no transfer syntax", CANNOT_UNDERSTAND)
    header = scan(memoryview(data)[meta.dataset_offset :], meta.transfer_syntax_uid)
    return ScannedFile(header, meta.transfer_syntax_uid, meta.dataset_offset)


def _read(path: Path) -> bytes:
    """The file if it begins as a DICOM file, else nothing of it: a folder may hold anything of any size."""
    with path.open("rb") as file:
        start = file.read(132)
        return start + file.read() if start.endswith(b"DICM") else b""


def _header(values: dict[Place, bytes], transfer_syntax_uid: str) -> Header:
    terms = [t.strip() for t in values.get(_CHARACTER_SET, b"").decode("latin-1").split("\\")]
    texts = {name: _text(values.get(place, b""), terms) for name, place in _TEXTS.items()}
    return Header(
        sop_instance_uid=SOPInstanceUID(_uid(values, _SOP_INSTANCE_UID, "SOP Instance UID")),
        sop_class_uid=SOPClassUID(_uid(values, _SOP_CLASS_UID, "SOP Class UID")),
        study_instance_uid=StudyInstanceUID(_uid(values, _STUDY_INSTANCE_UID, "Study Instance UID")),
        series_instance_uid=SeriesInstanceUID(_uid(values, _SERIES_INSTANCE_UID, "Series Instance UID")),
        transfer_syntax_uid=transfer_syntax_uid,
        contrast_bolus_agent=_contrast(values, terms),
        number_of_frames=_frames(values.get(_NUMBER_OF_FRAMES, b"")),
        **texts,
    )


def _uid(values: dict[Place, bytes], place: Place, name: str) -> str:
    uid = values.get(place, b"").rstrip(b"\0 ").decode("latin-1")
    if not is_uid(uid):
        raise RefusedError(f"the dataset's {name} is missing or not a UID", CANNOT_UNDERSTAND)
    return uid


def _contrast(values: dict[Place, bytes], terms: list[str]) -> str:
    agent = _text(values.get(_CONTRAST_AGENT, b""), terms) or _text(values.get(_CONTRAST_MEANING, b""), terms)
    return agent or ("agent" if _CONTRAST_ITEM in values else "")


def _frames(value: bytes) -> int:
    text = value.strip(b" \0")
    if not text:
        return 1
    if not text.isdigit() or len(text) > 12 or not 1 <= int(text) <= _MOST_FRAMES:  # PS3.5 6.2, VR IS
        raise RefusedError("the dataset's Number of Frames is not a positive integer", CANNOT_UNDERSTAND)
    return int(text)


def _text(value: bytes, terms: list[str]) -> str:
    """Text for matching: in the first of the header's character sets that fits, control characters taken out."""
    decoded = next((text for term in reversed(terms) if (text := _decoded(value, term)) is not None), None)
    if decoded is None:
        decoded = value.decode("latin-1")
    return "".join(c for c in decoded if c.isprintable()).strip()


def _decoded(value: bytes, term: str) -> str | None:
    try:
        return value.decode(python_encoding[term])
    except (KeyError, LookupError, UnicodeDecodeError):
        return None
