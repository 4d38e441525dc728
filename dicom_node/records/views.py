"""What the ledger shows to people: counts, studies, one study whole; changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dicom_node.errors import NodeError
from dicom_node.records.audit import Verdict
from dicom_node.records.room import LedgerRoom
from dicom_node.records.tables import DeliveryRow, InstanceRow, ResultRow, StudyRow, WorkitemRow
from dicom_node.study import DeliveryState, StudyState, WorkitemState


class UnknownStudyError(NodeError):
    """No study of that UID or pseudonym is in the ledger."""


@dataclass(frozen=True, kw_only=True)
class StudyLine:
    """One study in a list."""

    pseudonym: str
    study_instance_uid: str
    version: int
    state: str
    outcome: str | None
    reason: str | None
    instances: int
    first_received_at: datetime
    last_received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much is where."""

    studies: dict[str, int]
    outcomes: dict[str, int]
    workitems: dict[str, int]
    deliveries: dict[str, dict[str, int]]  # destination -> state -> count
    oldest_waiting_delivery: datetime | None
    oldest_scheduled_workitem: datetime | None


class ViewsLedger(LedgerRoom):
    """Questions of people."""

    def counts(self) -> Counts:
        """Studies by state and by outcome, workitems by state, deliveries by destination and state."""
        with self._database.reading() as session:
            deliveries: dict[str, dict[str, int]] = {}
            for destination, state, number in session.execute(
                select(DeliveryRow.destination, DeliveryRow.state, func.count()).group_by(
                    DeliveryRow.destination, DeliveryRow.state
                )
            ):
                deliveries.setdefault(destination, {})[state] = number
            waiting, scheduled = (
                DeliveryRow.state == DeliveryState.WAITING,
                WorkitemRow.state == WorkitemState.SCHEDULED,
            )
            return Counts(
                studies=_grouped(session, StudyRow.state),
                outcomes=_grouped(session, StudyRow.outcome),
                workitems=_grouped(session, WorkitemRow.state),
                deliveries=deliveries,
                oldest_waiting_delivery=session.scalar(
                    select(func.min(ResultRow.created_at))
                    .join(DeliveryRow, DeliveryRow.result_uid == ResultRow.uid)
                    .where(waiting)
                ),
                oldest_scheduled_workitem=session.scalar(select(func.min(WorkitemRow.not_before)).where(scheduled)),
            )

    def studies(self, *, limit: int = 50) -> list[StudyLine]:
        """The studies that moved last, newest first."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(StudyRow).order_by(StudyRow.last_received_at.desc(), StudyRow.uid).limit(limit)
            )
            return [_line(session, row) for row in rows]

    def find_study(self, reference: str) -> StudyLine:
        """The study of a Study Instance UID or a pseudonym; raises UnknownStudyError."""
        with self._database.reading() as session:
            row = session.scalar(
                select(StudyRow).where(or_(StudyRow.uid == reference, StudyRow.pseudonym == reference))
            )
            if row is None:
                raise UnknownStudyError("no study of that UID or pseudonym is in the ledger")
            return _line(session, row)

    def readings(self, study_uid: str) -> list[dict[str, Any]]:
        """Every workitem of a study, oldest first, with its objects and their deliveries, ready for JSON."""
        with self._database.reading() as session:
            items = session.scalars(
                select(WorkitemRow).where(WorkitemRow.study_uid == study_uid).order_by(WorkitemRow.id)
            ).all()
            return [_reading(session, item) for item in items]

    def work_remains(self, study_uid: str) -> bool:
        """Whether a study still waits for its end or any of its objects for delivery."""
        with self._database.reading() as session:
            study = session.get(StudyRow, study_uid)
            if study is None or study.state != StudyState.DONE:
                return True
            under_way = DeliveryRow.state.in_((DeliveryState.WAITING, DeliveryState.SENDING))
            open_deliveries = (
                select(func.count())
                .select_from(DeliveryRow)
                .join(ResultRow, ResultRow.uid == DeliveryRow.result_uid)
                .join(WorkitemRow, WorkitemRow.id == ResultRow.workitem_id)
                .where(WorkitemRow.study_uid == study_uid, under_way)
            )
            return bool(session.scalar(open_deliveries))

    def audit_verdict(self) -> Verdict:
        """Check the whole audit chain."""
        with self._database.reading() as session:
            return self._audit.verify(session)


def _grouped(session: Session, column: Any) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(column))
    return {str(state): int(number) for state, number in rows}


def _line(session: Session, row: StudyRow) -> StudyLine:
    instances = session.scalar(select(func.count()).select_from(InstanceRow).where(InstanceRow.study_uid == row.uid))
    return StudyLine(
        pseudonym=row.pseudonym,
        study_instance_uid=row.uid,
        version=row.version,
        state=row.state,
        outcome=row.outcome,
        reason=row.reason,
        instances=instances or 0,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
    )


def _reading(session: Session, item: WorkitemRow) -> dict[str, Any]:
    results = session.scalars(
        select(ResultRow).where(ResultRow.workitem_id == item.id).order_by(ResultRow.rendering, ResultRow.kind)
    ).all()
    summary = item.summary or {}
    return {
        "name": item.algorithm,
        "rule": item.rule,
        "version": item.study_version,
        "state": item.state,
        "attempts": item.attempts,
        "outcome": item.outcome,
        "reason": item.reason,
        "digest": item.algorithm_digest,
        "provider": item.provider,
        "seconds": item.seconds,
        "objects": [_object(session, result) for result in results],
        "findings": summary.get("findings", []),
        "narrative": summary.get("narrative", ""),
        "series": summary.get("series", {}),
        "notes": summary.get("notes", []),
        "bundle": summary.get("bundle"),
    }


def _object(session: Session, result: ResultRow) -> dict[str, Any]:
    deliveries = session.scalars(
        select(DeliveryRow).where(DeliveryRow.result_uid == result.uid).order_by(DeliveryRow.destination)
    )
    return {
        "kind": result.kind,
        "profile": result.rendering.partition(":")[0],
        "sop_class_uid": result.sop_class_uid,
        "sop_instance_uid": result.uid,
        "bytes": result.size,
        "sha256": result.sha256,
        "withdrawn": result.rejected,
        "deliveries": [
            {
                "destination": d.destination,
                "state": d.state,
                "attempts": d.attempts,
                "status": d.last_status,
                "error": d.last_error,
            }
            for d in deliveries
        ],
    }
