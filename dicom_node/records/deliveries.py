"""The ledger's part on delivery: objects claimed by a sender, sent, tried again, parked; knows no protocol."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.errors import TransientError
from dicom_node.records.audit import Event
from dicom_node.records.room import LedgerRoom
from dicom_node.records.tables import DeliveryRow, ResultRow, StudyRow, WorkitemRow
from dicom_node.study import DeliveryState


@dataclass(frozen=True, kw_only=True)
class ClaimedDelivery:
    """One object for one destination, this sender's until its lease runs out; `attempts` counts this try, from 1."""

    id: int
    sop_class_uid: str
    sop_instance_uid: str
    sha256: str
    destination: str
    attempts: int


class DeliveryLedger(LedgerRoom):
    """Objects out to destinations."""

    def claim_delivery(self, owner: str, *, destination: str, now: datetime, lease_s: float) -> ClaimedDelivery | None:
        """Take the oldest object that is due for a destination, or whose sender lost its lease.

        None if there is none.
        """
        due = (DeliveryRow.state == DeliveryState.WAITING) & (DeliveryRow.not_before <= now)
        lost = (DeliveryRow.state == DeliveryState.SENDING) & (DeliveryRow.lease_until < now)
        oldest = (
            select(DeliveryRow)
            .where(DeliveryRow.destination == destination, due | lost)
            .order_by(DeliveryRow.not_before, DeliveryRow.id)
            .limit(1)
        )
        if not self._any(oldest):
            return None
        with self._writing() as session:
            row = session.scalar(oldest)
            if row is None:
                return None
            result = session.get_one(ResultRow, row.result_uid)
            if result.rejected is not None:  # while a sender that died was sending it
                self._withdrawn(session, row, "withdrawn; whether it was kept is not known", now)
                return None
            row.state, row.attempts = DeliveryState.SENDING, row.attempts + 1
            row.lease_owner, row.lease_until = owner, now + timedelta(seconds=lease_s)
            self._tell(session, Event.BEGIN_TRANSFERRING, row, now=now, detail={"attempt": row.attempts})
            return ClaimedDelivery(
                id=row.id,
                sop_class_uid=result.sop_class_uid,
                sop_instance_uid=result.uid,
                sha256=result.sha256,
                destination=destination,
                attempts=row.attempts,
            )

    def delivery_sent(self, delivery_id: int, owner: str, *, status: int, now: datetime) -> None:
        """The destination acknowledged the object; raises TransientError if the claim was lost meanwhile."""
        with self._writing() as session:
            row = _claimed(session, delivery_id, owner)
            row.state, row.sent_at, row.last_status, row.last_error = DeliveryState.SENT, now, status, None
            row.lease_owner = row.lease_until = None
            self._tell(session, Event.INSTANCES_TRANSFERRED, row, now=now, detail={"action": "sent", "status": status})

    def delivery_failed(
        self, delivery_id: int, owner: str, *, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        """The object did not get there: again at `retry_at`, or parked where that is None; never again once withdrawn.

        Raises as `delivery_sent`.
        """
        with self._writing() as session:
            row = _claimed(session, delivery_id, owner)
            if session.get_one(ResultRow, row.result_uid).rejected is not None:
                self._withdrawn(session, row, error, now)
                return
            row.last_error, row.lease_owner, row.lease_until = error, None, None
            if retry_at is None:
                row.state, event = DeliveryState.PARKED, Event.DELIVERY_PARKED
            else:
                row.state, row.not_before, event = DeliveryState.WAITING, retry_at, Event.DELIVERY_FAILED
            self._tell(session, event, row, now=now, success=False, detail={"error": error, "attempt": row.attempts})

    def _withdrawn(self, session: Session, row: DeliveryRow, error: str, now: datetime) -> None:
        row.state, row.last_error = DeliveryState.WITHDRAWN, error
        row.lease_owner = row.lease_until = None
        self._tell(session, Event.DELIVERY_PARKED, row, now=now, success=False, detail={"error": error})

    def _tell(
        self,
        session: Session,
        event: Event,
        row: DeliveryRow,
        *,
        now: datetime,
        success: bool = True,
        detail: dict[str, str | int | float | bool | None],
    ) -> None:
        subject = session.scalar(
            select(StudyRow.pseudonym)
            .join(WorkitemRow, WorkitemRow.study_uid == StudyRow.uid)
            .join(ResultRow, ResultRow.workitem_id == WorkitemRow.id)
            .where(ResultRow.uid == row.result_uid)
        )
        self._audit.append(
            session,
            event,
            now=now,
            subject=subject,
            outcome="success" if success else "failure",
            detail={"destination": row.destination, "sop_instance_uid": row.result_uid, **detail},
        )


def _claimed(session: Session, delivery_id: int, owner: str) -> DeliveryRow:
    row = session.get_one(DeliveryRow, delivery_id)
    if row.state != DeliveryState.SENDING or row.lease_owner != owner:
        raise TransientError(f"delivery {delivery_id} was taken over by another sender")
    return row
