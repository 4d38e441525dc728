"""One object to one destination: what became of it, as a value; knows no ledger and never tries twice."""

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import build_context

from dicom_node.config import DestinationTable
from dicom_node.delivery.link import Link, NotTakenError, UnreachableError
from dicom_node.errors import RefusedError, TransientError
from dicom_node.records.part10 import FileMeta, read_meta
from dicom_node.result_classes import name_of
from dicom_node.study import is_uid

SUCCESS = 0x0000
_NATIVE = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_WARNINGS = frozenset({0x0001, 0x0107, 0x0116})  # PS3.7 C; those of Storage are 0xB... (PS3.4 B.2.3)
_META_BYTES = 128 * 1024
_BYTES_PER_SECOND = 2**20


@dataclass(frozen=True, kw_only=True)
class SendResult:
    """How one try ended.

    Attributes
    ----------
    status
        DIMSE status of the answer; None if none came.
    error
        Why the object is not known to be there, for a person; None if it was taken.
    reached
        Whether the destination answered the association request at all.
    """

    status: int | None
    error: str | None
    reached: bool

    @property
    def warning(self) -> bool:
        """Whether the destination took the object with a reservation."""
        return self.error is None and self.status != SUCCESS


def send(path: Path, link: Link) -> SendResult:
    """Send one DICOM file and close the link.

    It goes out byte for byte; where the destination takes only the other uncompressed little endian transfer syntax, it
    is encoded in that one. No answer means unknown: send it again with the same UID.

    Parameters
    ----------
    path
        A DICOM file (PS3.10) with complete File Meta Information.
    link
        To the destination, not yet open. The association has its `connect_timeout_s`; the answer `response_timeout_s`,
        and for a large object up to as much again, one second for each MiB.
    """
    try:
        meta, size = _read(path)
    except (OSError, RefusedError) as error:
        return SendResult(status=None, error=f"the object cannot be read ({type(error).__name__})", reached=True)
    try:
        return _outcome(_store(link, path, meta, _answer_within_s(link.destination, size)))
    except UnreachableError as error:
        return SendResult(status=None, error=str(error), reached=False)
    except NotTakenError:
        return SendResult(status=None, error=_not_taken(meta.media_storage_sop_class_uid), reached=True)
    except TransientError as error:
        return SendResult(status=None, error=str(error), reached=True)
    finally:
        link.close()


def longest_try_s(destination: DestinationTable) -> float:
    """Within this `send` has ended, whatever the destination does, s."""
    return destination.connect_timeout_s + 2 * destination.response_timeout_s + 5.0


def _not_taken(sop_class_uid: str) -> str:
    return (
        f"the destination does not take {name_of(sop_class_uid)} (SOP class {sop_class_uid}) in any syntax offered; "
        "`check --ask` asks it again what it takes, for what is read from then on"
    )


def _store(link: Link, path: Path, meta: FileMeta, within_s: float) -> int | None:
    own = meta.transfer_syntax_uid
    offered = (own, *(s for s in _NATIVE if s != own)) if own in _NATIVE else (own,)
    accepted = link.open([build_context(meta.media_storage_sop_class_uid, [syntax]) for syntax in offered])
    if any(own in context.transfer_syntax for context in accepted):
        return link.store(path, within_s)
    return link.store(pydicom.dcmread(path), within_s)


def _read(path: Path) -> tuple[FileMeta, int]:
    with path.open("rb") as file:
        meta = read_meta(file.read(_META_BYTES))
        size = file.seek(0, 2)
    if meta is None or not all(
        map(is_uid, (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid, meta.transfer_syntax_uid))
    ):
        raise RefusedError("no DICOM file, or without its UIDs", 0xC000)
    return meta, size


def _answer_within_s(destination: DestinationTable, size: int) -> float:
    return destination.response_timeout_s + min(size / _BYTES_PER_SECOND, destination.response_timeout_s)


def _outcome(status: int | None) -> SendResult:
    if status is None:
        return SendResult(status=None, error="no answer; whether the object was kept is not known", reached=True)
    taken = status == SUCCESS or status in _WARNINGS or status >> 12 == 0xB
    return SendResult(
        status=status, error=None if taken else f"the destination answered with status 0x{status:04X}", reached=True
    )
