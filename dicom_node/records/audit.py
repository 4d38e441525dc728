"""The audit log: a keyed hash chain, one row made durable together with the act it tells of.

hash(n) = HMAC-SHA256(key, hash(n-1) | sequence | time | event | outcome | actor | subject | detail). Rows carry
pseudonyms and counts,
never patient data. A chain alone does not show that its tail was cut; that takes an anchor outside this machine.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.records.tables import AuditRow

_GENESIS = "0" * 64
Detail = Mapping[str, str | int | float | bool | None]


class Event(StrEnum):
    """What can happen; the first ones are the event types of PS3.15 A.5.3, in its words."""

    APPLICATION_START = "Application Start"  # 110120
    APPLICATION_STOP = "Application Stop"  # 110121
    BEGIN_TRANSFERRING = "Begin Transferring DICOM Instances"  # 110102
    INSTANCES_ACCESSED = "DICOM Instances Accessed"  # 110103
    INSTANCES_TRANSFERRED = "DICOM Instances Transferred"  # 110104
    SECURITY_ALERT = "Security Alert"  # 110113
    STORE_REFUSED = "Store Refused"
    STUDY_CLOSED = "Study Closed"
    STUDY_REOPENED = "Study Reopened"
    WORKITEM_SCHEDULED = "Workitem Scheduled"
    ATTEMPT_FAILED = "Attempt Failed"
    ALGORITHM_RUN = "Algorithm Run"
    RESULT_MADE = "Result Made"
    RESULT_WITHDRAWN = "Result Withdrawn"
    QUESTION_ASKED = "Question Asked"
    QUESTION_ENDED = "Question Ended"  # without an answer
    TEXT_GENERATED = "Text Generated"
    DESTINATION_ASKED = "Destination Asked"
    DELIVERY_FAILED = "Delivery Failed"
    DELIVERY_PARKED = "Delivery Parked"
    WORK_RETRIED = "Work Retried"
    WORK_PARKED = "Work Parked"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check of the chain found."""

    rows: int
    first_bad_sequence: int | None
    fault: str | None


class AuditChain:
    """Appends to the chain and checks it; one for each process.

    Parameters
    ----------
    key
        Key of the chain, 32 bytes.
    actor
        Which process writes, for example "listener".
    """

    def __init__(self, key: bytes, actor: str) -> None:
        self._key = key
        self._actor = actor

    def append(
        self,
        session: Session,
        event: Event,
        *,
        now: datetime,
        subject: str | None = None,
        outcome: Literal["success", "failure"] = "success",
        detail: Detail | None = None,
    ) -> None:
        """Add one event within the session's transaction, which must hold the write lock."""
        last = session.execute(
            select(AuditRow.sequence, AuditRow.hash).order_by(AuditRow.sequence.desc()).limit(1)
        ).first()
        sequence, previous = (last.sequence + 1, last.hash) if last else (1, _GENESIS)
        row = AuditRow(
            sequence=sequence,
            at=now,
            event=event.value,
            outcome=outcome,
            actor=self._actor,
            subject=subject,
            detail=json.dumps(detail or {}, sort_keys=True, separators=(",", ":")),
        )
        row.hash = self._hash(previous, row)
        session.add(row)
        session.flush()

    def verify(self, session: Session) -> Verdict:
        """Follow the chain from its start and name the first row that does not fit."""
        previous, expected = _GENESIS, 1
        for row in session.scalars(select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=1000)):
            if row.sequence != expected:
                return Verdict(rows=expected - 1, first_bad_sequence=expected, fault=f"row {expected} is missing")
            if not hmac.compare_digest(row.hash, self._hash(previous, row)):
                return Verdict(
                    rows=expected - 1, first_bad_sequence=expected, fault=f"row {expected} does not fit its hash"
                )
            previous, expected = row.hash, expected + 1
        return Verdict(rows=expected - 1, first_bad_sequence=None, fault=None)

    def _hash(self, previous: str, row: AuditRow) -> str:
        parts = [
            previous,
            str(row.sequence),
            row.at.isoformat(),
            row.event,
            row.outcome,
            row.actor,
            row.subject or "",
            row.detail,
        ]
        return hmac.new(self._key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
