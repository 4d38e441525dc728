"""The ledger's part on work: workitems claimed with a lease, tried again, ended; knows no algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.errors import TransientError
from dicom_node.records.arrivals import study_outcome
from dicom_node.records.audit import Event
from dicom_node.records.room import LedgerRoom
from dicom_node.records.tables import DeliveryRow, InstanceRow, QuestionRow, ResultRow, StudyRow, WorkitemRow
from dicom_node.study import LEGAL_TRANSITIONS, DeliveryState, ObjectKind, Outcome, StudyState, WorkitemState


@dataclass(frozen=True, kw_only=True)
class KeptResult:
    """An object that lies in the spool under `sha256`.

    `rendering` is the key of the rendering it belongs to; `destinations` are those it is for, None where it is for all
    of its workitem.
    """

    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    sha256: str
    size: int
    rendering: str = ""
    destinations: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ClaimedWork:
    """A workitem that is this worker's until its lease runs out.

    Attributes
    ----------
    instances
        sha256 of every instance of the series it may read, names in the spool, in order of SOP Instance UID.
    predecessors
        Objects of the same algorithm for the newest earlier version of which any stand.
    earlier_reports
        sha256 of its measurement reports for all earlier versions that stand, the newest first.
    attempt
        Number of this try, from 1.
    analysed_at
        Time of analysis, recorded with the first try.
    last_error
        Why the last try failed; empty before the first failure, or where the worker died without a word.
    """

    id: int
    study_pseudonym: str
    study_version: int
    algorithm: str
    destinations: tuple[str, ...]
    instances: tuple[str, ...]
    predecessors: tuple[KeptResult, ...]
    earlier_reports: tuple[str, ...]
    attempt: int
    analysed_at: datetime
    last_error: str


@dataclass(frozen=True, kw_only=True)
class MadeBefore:
    """Objects that a reading made for an earlier version of the study, and why they were withdrawn, if they were."""

    version: int
    rejected: str | None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a workitem ended, and what it made."""

    outcome: Outcome
    reason: str
    results: tuple[KeptResult, ...]
    provider: str | None = None
    algorithm_digest: str | None = None
    seconds: float | None = None
    summary: dict[str, Any] | None = None


class WorkLedger(LedgerRoom):
    """Workitems out to workers, endings in."""

    def claim_workitem(self, owner: str, *, now: datetime, lease_s: float) -> ClaimedWork | None:
        """Take the oldest workitem that is due, or whose worker has not renewed its lease; None if there is none."""
        due = (WorkitemRow.state == WorkitemState.SCHEDULED) & (WorkitemRow.not_before <= now)
        lost = (WorkitemRow.state == WorkitemState.IN_PROGRESS) & (WorkitemRow.lease_until < now)
        oldest = select(WorkitemRow).where(due | lost).order_by(WorkitemRow.id).limit(1)
        if not self._any(oldest):
            return None
        with self._writing() as session:
            item = session.scalar(oldest)
            if item is None:
                return None
            if item.state == WorkitemState.SCHEDULED:
                move(item, WorkitemState.IN_PROGRESS)
            item.attempts += 1
            item.lease_owner, item.lease_until = owner, now + timedelta(seconds=lease_s)
            item.analysed_at = item.analysed_at or now
            study = session.get_one(StudyRow, item.study_uid)
            instances = instances_of(session, item)
            earlier = _earlier(session, item)
            self._audit.append(
                session,
                Event.INSTANCES_ACCESSED,
                now=now,
                subject=study.pseudonym,
                detail={"algorithm": item.algorithm, "attempt": item.attempts, "instances": len(instances)},
            )
            return ClaimedWork(
                id=item.id,
                study_pseudonym=study.pseudonym,
                study_version=item.study_version,
                algorithm=item.algorithm,
                destinations=tuple(item.destinations),
                instances=instances,
                predecessors=tuple(kept_result(session, row) for row, version in earlier if version == earlier[0][1]),
                earlier_reports=tuple(row.sha256 for row, _ in earlier if row.kind == ObjectKind.SR),
                attempt=item.attempts,
                analysed_at=item.analysed_at,
                last_error=item.reason or "",
            )

    def made_before(self, work: ClaimedWork, sop_instance_uids: Sequence[str]) -> MadeBefore | None:
        """Whether objects of these UIDs were made for an earlier version, or withdrawn; None if they are new."""
        elsewhere = (WorkitemRow.id != work.id) | ResultRow.rejected.is_not(None)
        with self._database.reading() as session:
            found = session.execute(
                select(WorkitemRow.study_version, ResultRow.rejected)
                .join(ResultRow, ResultRow.workitem_id == WorkitemRow.id)
                .where(ResultRow.uid.in_(sop_instance_uids), elsewhere)
                .order_by(ResultRow.rejected.is_(None), WorkitemRow.study_version)
                .limit(1)
            ).first()
        return MadeBefore(version=found.study_version, rejected=found.rejected) if found else None

    def renew(self, work: ClaimedWork, owner: str, *, now: datetime, lease_s: float) -> bool:
        """Prolong a claim; False if it was lost to another worker."""
        with self._writing() as session:
            item = session.get_one(WorkitemRow, work.id)
            if item.lease_owner != owner or item.state != WorkitemState.IN_PROGRESS:
                return False
            item.lease_until = now + timedelta(seconds=lease_s)
            return True

    def end_workitem(self, work: ClaimedWork, owner: str, ending: Ending, *, now: datetime) -> None:
        """Record how a workitem ended, the objects it made and their deliveries, in one transaction.

        Raises
        ------
        TransientError
            If the claim was lost to another worker meanwhile; nothing is recorded.
        """
        with self._writing() as session:
            item = _claimed(session, work, owner)
            study = session.get_one(StudyRow, item.study_uid)
            move(item, WorkitemState.CANCELED if ending.outcome is Outcome.FAILED else WorkitemState.COMPLETED)
            item.lease_owner = item.lease_until = None
            item.ended_at, item.outcome, item.reason = now, ending.outcome, ending.reason
            item.provider, item.algorithm_digest, item.seconds = (
                ending.provider,
                ending.algorithm_digest,
                ending.seconds,
            )
            item.summary = ending.summary
            self._audit.append(
                session,
                Event.ALGORITHM_RUN,
                now=now,
                subject=study.pseudonym,
                outcome="failure" if ending.outcome is Outcome.FAILED else "success",
                detail={
                    "algorithm": item.algorithm,
                    "digest": ending.algorithm_digest,
                    "outcome": ending.outcome,
                    "provider": ending.provider,
                    "version": item.study_version,
                },
            )
            for result in ending.results:
                self._keep_result(session, item, study, result, now)
            session.flush()
            _finish_study(session, study, item.study_version)

    def attempt_failed(self, work: ClaimedWork, owner: str, error: str, *, retry_at: datetime, now: datetime) -> None:
        """Give a workitem back to be tried again at `retry_at`; raises TransientError as `end_workitem`."""
        with self._writing() as session:
            item = _claimed(session, work, owner)
            move(item, WorkitemState.SCHEDULED)
            item.lease_owner = item.lease_until = None
            item.not_before, item.reason = retry_at, error
            study = session.get_one(StudyRow, item.study_uid)
            self._audit.append(
                session,
                Event.ATTEMPT_FAILED,
                now=now,
                subject=study.pseudonym,
                outcome="failure",
                detail={"algorithm": item.algorithm, "attempt": item.attempts, "error": error},
            )

    def retry_study(self, study_uid: str, *, now: datetime) -> int:
        """Schedule every parked workitem of the study's current version and every parked delivery again.

        Returns how many.
        """
        with self._writing() as session:
            study = session.get_one(StudyRow, study_uid)
            items = _items(session, study, WorkitemState.CANCELED)
            for item in items:
                move(item, WorkitemState.SCHEDULED)
                item.attempts, item.not_before, item.ended_at, item.outcome, item.reason = 0, now, None, None, None
            deliveries = _deliveries(session, study, DeliveryState.PARKED)
            for delivery in deliveries:
                delivery.state, delivery.attempts, delivery.not_before = DeliveryState.WAITING, 0, now
            if items:
                study.state, study.outcome, study.reason = StudyState.CLOSED, None, None
            changed = len(items) + len(deliveries)
            self._tell_levers(session, Event.WORK_RETRIED, study, len(items), len(deliveries), now)
            return changed

    def park_study(self, study_uid: str, *, now: datetime) -> int:
        """Cancel what is scheduled of the study's current version and park its waiting deliveries; returns how many."""
        with self._writing() as session:
            study = session.get_one(StudyRow, study_uid)
            items = _items(session, study, WorkitemState.SCHEDULED)
            for item in items:
                move(item, WorkitemState.CANCELED)
                item.ended_at, item.outcome, item.reason = now, Outcome.FAILED, "parked by an administrator"
            deliveries = _deliveries(session, study, DeliveryState.WAITING)
            for delivery in deliveries:
                delivery.state = DeliveryState.PARKED
            session.flush()
            if items:
                _finish_study(session, study, study.version)
            self._tell_levers(session, Event.WORK_PARKED, study, len(items), len(deliveries), now)
            return len(items) + len(deliveries)

    def _tell_levers(
        self, session: Session, event: Event, study: StudyRow, items: int, deliveries: int, now: datetime
    ) -> None:
        detail = {"workitems": items, "deliveries": deliveries}
        self._audit.append(session, event, now=now, subject=study.pseudonym, detail=detail)

    def _keep_result(
        self,
        session: Session,
        item: WorkitemRow,
        study: StudyRow,
        result: KeptResult,
        now: datetime,
    ) -> None:
        if session.get(ResultRow, result.sop_instance_uid) is None:
            session.add(
                ResultRow(
                    uid=result.sop_instance_uid,
                    workitem_id=item.id,
                    kind=result.kind,
                    rendering=result.rendering,
                    sop_class_uid=result.sop_class_uid,
                    series_uid=result.series_instance_uid,
                    sha256=result.sha256,
                    size=result.size,
                    created_at=now,
                )
            )
            session.flush()
        wanted = item.destinations if result.destinations is None else result.destinations
        for destination in [name for name in wanted if name not in _destinations(session, result.sop_instance_uid)]:
            session.add(
                DeliveryRow(
                    result_uid=result.sop_instance_uid,
                    destination=destination,
                    state=DeliveryState.WAITING,
                    attempts=0,
                    not_before=now,
                )
            )
        self._audit.append(
            session,
            Event.RESULT_MADE,
            now=now,
            subject=study.pseudonym,
            detail={
                "kind": result.kind,
                "rendering": result.rendering,
                "sop_instance_uid": result.sop_instance_uid,
                "sha256": result.sha256,
            },
        )


def _claimed(session: Session, work: ClaimedWork, owner: str) -> WorkitemRow:
    item = session.get_one(WorkitemRow, work.id)
    if item.state != WorkitemState.IN_PROGRESS or item.lease_owner != owner:
        raise TransientError(f"workitem {work.id} was taken over by another worker")
    return item


def move(item: WorkitemRow | QuestionRow, to: WorkitemState) -> None:
    if (WorkitemState(item.state), to) not in LEGAL_TRANSITIONS:
        raise ValueError(f"a workitem does not go from {item.state} to {to}")
    item.state = to


def instances_of(session: Session, item: WorkitemRow | QuestionRow) -> tuple[str, ...]:
    """sha256 of every instance of its series, as far as its version of the study goes."""
    return tuple(
        session.scalars(
            select(InstanceRow.sha256)
            .where(InstanceRow.series_uid.in_(item.series), InstanceRow.study_version <= item.study_version)
            .order_by(InstanceRow.uid)
        )
    )


def _earlier(session: Session, item: WorkitemRow) -> list[tuple[ResultRow, int]]:
    """Objects of the algorithm for earlier versions, the newest version first; what was withdrawn hands nothing on."""
    rows = session.execute(
        select(ResultRow, WorkitemRow.study_version)
        .join(WorkitemRow, WorkitemRow.id == ResultRow.workitem_id)
        .where(
            WorkitemRow.study_uid == item.study_uid,
            WorkitemRow.algorithm == item.algorithm,
            WorkitemRow.study_version < item.study_version,
            ResultRow.rejected.is_(None),
            ResultRow.kind.not_in((ObjectKind.REJECTION, ObjectKind.ANSWER)),
        )
        .order_by(WorkitemRow.study_version.desc(), ResultRow.uid)
    )
    return [(row, version) for row, version in rows]


def kept_result(session: Session, row: ResultRow) -> KeptResult:
    """An object as those who do not know the tables see it."""
    return KeptResult(
        kind=row.kind,
        sop_class_uid=row.sop_class_uid,
        sop_instance_uid=row.uid,
        series_instance_uid=row.series_uid,
        sha256=row.sha256,
        size=row.size,
        rendering=row.rendering,
        destinations=_destinations(session, row.uid),
    )


def _destinations(session: Session, result_uid: str) -> tuple[str, ...]:
    """Where an object goes or went."""
    found = select(DeliveryRow.destination).where(DeliveryRow.result_uid == result_uid)
    return tuple(session.scalars(found.order_by(DeliveryRow.destination)))


def _items(session: Session, study: StudyRow, state: WorkitemState) -> Sequence[WorkitemRow]:
    return session.scalars(
        select(WorkitemRow).where(
            WorkitemRow.study_uid == study.uid, WorkitemRow.study_version == study.version, WorkitemRow.state == state
        )
    ).all()


def _deliveries(session: Session, study: StudyRow, state: DeliveryState) -> Sequence[DeliveryRow]:
    return session.scalars(
        select(DeliveryRow)
        .join(ResultRow, ResultRow.uid == DeliveryRow.result_uid)
        .join(WorkitemRow, WorkitemRow.id == ResultRow.workitem_id)
        .where(WorkitemRow.study_uid == study.uid, DeliveryRow.state == state)
    ).all()


def _finish_study(session: Session, study: StudyRow, version: int) -> None:
    """When the last workitem of the study's current version has ended, the study has its one outcome."""
    if study.version != version or study.state != StudyState.CLOSED:
        return
    items = session.scalars(
        select(WorkitemRow).where(WorkitemRow.study_uid == study.uid, WorkitemRow.study_version == version)
    ).all()
    if any(i.outcome is None for i in items):
        return
    outcome = study_outcome([str(i.outcome) for i in items])
    study.state, study.outcome = StudyState.DONE, outcome
    study.reason = "; ".join(i.reason for i in items if i.outcome == outcome and i.reason)
