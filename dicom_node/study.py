"""The nouns: UIDs, Instance, Series, Study, Workitem, states and their legal transitions; no I/O."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType

StudyInstanceUID = NewType("StudyInstanceUID", str)
SeriesInstanceUID = NewType("SeriesInstanceUID", str)
SOPInstanceUID = NewType("SOPInstanceUID", str)
SOPClassUID = NewType("SOPClassUID", str)

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_NAMESPACE = uuid.UUID("8a2f0f5e-3c5e-5d0c-9f0d-6f1b3e0d5a11")


def is_uid(value: str) -> bool:
    """Whether `value` is a UID by PS3.5 9.1: at most 64 characters, components without leading zeros."""
    return len(value) <= 64 and _UID.fullmatch(value) is not None


def derive_uid(*sources: str) -> str:
    """A UID from its sources: the same sources give the same UID (PS3.5 B.2, UUID-derived, at most 44 characters).

    The sources are joined with a separator that none may contain, so ("ab", "c") and ("a", "bc") differ.
    """
    if any("\x1f" in source for source in sources):
        raise ValueError("a source of a UID contains the unit separator")
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(31).join(sources)).int}"


IMPLEMENTATION_CLASS_UID = derive_uid("dicom-node", "implementation")
"""This node in associations and files (PS3.7 D.3.3.2). Part of every received file and of its name: never change it."""

IMPLEMENTATION_VERSION_NAME = "DICOM_NODE"
"""Goes with it; holds no version, for the same reason."""


class StudyState(StrEnum):
    """Where a study is between arrival and outcome.

    RECEIVING -> CLOSED -> DONE; a late instance brings CLOSED or DONE back to RECEIVING with the next version, as may
    an administrator with DONE.
    """

    RECEIVING = "RECEIVING"  # instances arrive; the clock watches for the end
    CLOSED = "CLOSED"  # complete as far as anyone can tell; workitems made
    DONE = "DONE"  # every workitem of this version has ended


class WorkitemState(StrEnum):
    """States of a UPS (PS3.4 CC.1.1), so that a UPS interface can come without renaming.

    SCHEDULED -> IN PROGRESS -> COMPLETED or CANCELED; IN PROGRESS -> SCHEDULED when a lease runs out or an attempt
    fails; CANCELED -> SCHEDULED when an administrator retries. Parked is CANCELED with a reason.
    """

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


LEGAL_TRANSITIONS: frozenset[tuple[WorkitemState, WorkitemState]] = frozenset(
    {
        (WorkitemState.SCHEDULED, WorkitemState.IN_PROGRESS),
        (WorkitemState.SCHEDULED, WorkitemState.CANCELED),
        (WorkitemState.IN_PROGRESS, WorkitemState.COMPLETED),
        (WorkitemState.IN_PROGRESS, WorkitemState.CANCELED),
        (WorkitemState.IN_PROGRESS, WorkitemState.SCHEDULED),
        (WorkitemState.CANCELED, WorkitemState.SCHEDULED),
    }
)


class Outcome(StrEnum):
    """How a reading ended; every accepted study gets exactly one."""

    RESULT = "result"
    ABSTAINED = "abstained"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"


Language = Literal["en", "de"]
"""What the sentences of results are written in (RFC 5646)."""


class DeliveryState(StrEnum):
    """How far one object has come on its way to one destination.

    WAITING -> SENDING -> SENT; SENDING -> WAITING with a later date after a failure or a lost lease; PARKED after the
    limit; WITHDRAWN, for ever, instead of any further try once the object was withdrawn.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"  # acknowledged; the destination offers no proof beyond that
    PARKED = "parked"
    WITHDRAWN = "withdrawn"


class ObjectKind(StrEnum):
    """What a result object is for."""

    SEG = "SEG"
    SR = "SR"
    NARRATIVE = "NARRATIVE"
    OUTCOME = "OUTCOME"
    CAPTURE = "CAPTURE"  # several instances in one series: pages
    REJECTION = "REJECTION"  # a note that others are withdrawn
    ANSWER = "ANSWER"  # a question that a person asked, and its answer


class Rejection(StrEnum):
    """Why a result is withdrawn (IHE Imaging Object Change Management)."""

    QUALITY = "quality"
    SAFETY = "safety"

    @property
    def words(self) -> str:
        """For a person."""
        return {"quality": "rejected for quality reasons", "safety": "rejected for patient safety reasons"}[self]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The few attributes of an instance that routing, closing and choice of series look at.

    Text is as the header says, blanks stripped; empty where absent. Patient data: never logged.
    """

    sop_instance_uid: SOPInstanceUID
    sop_class_uid: SOPClassUID
    study_instance_uid: StudyInstanceUID
    series_instance_uid: SeriesInstanceUID
    transfer_syntax_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    modality: str = ""
    body_part_examined: str = ""
    series_description: str = ""
    protocol_name: str = ""
    contrast_bolus_agent: str = ""
    image_type: str = ""
    number_of_frames: int = 1

    def __post_init__(self) -> None:
        for name in (
            "sop_instance_uid",
            "sop_class_uid",
            "study_instance_uid",
            "series_instance_uid",
            "transfer_syntax_uid",
        ):
            if not is_uid(getattr(self, name)):
                raise ValueError(f"{name} is not a UID")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance as it was received and kept.

    Attributes
    ----------
    header
        What a bounded scan found in it.
    sha256
        Of the file it is kept as: a fixed beginning that holds the transfer syntax, then the dataset as received; hex.
        Its name in the spool.
    size
        Of the dataset, bytes.
    received_at
        Aware UTC.
    calling_ae
        AE title of the sender.
    """

    header: Header
    sha256: str
    size: int
    received_at: datetime
    calling_ae: str

    def __post_init__(self) -> None:
        if self.received_at.tzinfo is None:
            raise ValueError("received_at must be aware")


@dataclass(frozen=True, kw_only=True)
class Series:
    """The instances of one series and what routing compares."""

    uid: SeriesInstanceUID
    modality: str
    body_part_examined: str
    description: str
    protocol_name: str
    contrast: bool
    calling_ae: str
    slices: int
    sop_class_uids: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One study with the series received so far."""

    uid: StudyInstanceUID
    version: int
    series: tuple[Series, ...]


@dataclass(frozen=True, kw_only=True)
class ResultObject:
    """One object made by a reading, ready to be kept and sent.

    `data` is a whole DICOM file (PS3.10), `rendering` the key of the rendering it belongs to.
    """

    kind: ObjectKind
    sop_class_uid: SOPClassUID
    sop_instance_uid: SOPInstanceUID
    series_instance_uid: SeriesInstanceUID
    data: bytes
    rendering: str = ""
