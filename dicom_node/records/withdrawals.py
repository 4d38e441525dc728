"""The ledger's part on withdrawal: which objects stand, and that they stand no more; knows no DICOM."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.errors import TransientError
from dicom_node.records.audit import Detail, Event
from dicom_node.records.tables import DeliveryRow, ResultRow, StudyRow, WorkitemRow
from dicom_node.records.work import KeptResult, WorkLedger, kept_result
from dicom_node.study import DeliveryState, ObjectKind, Rejection, StudyState


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The objects that one reading made and that were not withdrawn.

    Attributes
    ----------
    workitem
        Of the reading.
    algorithm
        Empty where no rule wanted the study.
    """

    workitem: int
    algorithm: str
    version: int
    results: tuple[KeptResult, ...]


class WithdrawalLedger(WorkLedger):
    """Work, and what of it is taken back."""

    def standing(
        self, study_uid: str, *, algorithm: str | None = None, version: int | None = None
    ) -> tuple[Standing, ...]:
        """What may be withdrawn of a study, by algorithm.

        Parameters
        ----------
        algorithm
            Of this one alone.
        version
            Of this version; None: of the newest one for which the algorithm made any object, which may be withdrawn
            already.
        """
        with self._database.reading() as session:
            items = session.scalars(
                select(WorkitemRow)
                .where(WorkitemRow.study_uid == study_uid, WorkitemRow.id.in_(select(ResultRow.workitem_id)))
                .order_by(WorkitemRow.algorithm, WorkitemRow.study_version)
            )
            newest = {i.algorithm: i for i in items if version in {None, i.study_version}}
            wanted = [i for i in newest.values() if algorithm in {None, i.algorithm}]
            found = [(item, _standing(session, item.id)) for item in wanted]
            return tuple(
                Standing(
                    workitem=item.id,
                    algorithm=item.algorithm,
                    version=item.study_version,
                    results=tuple(kept_result(session, row) for row in rows),
                )
                for item, rows in found
                if rows
            )

    def withdraw(self, standing: Standing, reason: Rejection, note: KeptResult, *, user: str, now: datetime) -> None:
        """Record that objects are withdrawn, and the note that says so, which goes where any of them may have gone.

        What has not begun to be sent never is; what is being sent now ends as it ends.

        Parameters
        ----------
        note
            Refers to all of `standing.results`; lies in the spool.
        user
            Who withdraws them, as the machine knows them.

        Raises
        ------
        TransientError
            If other objects stand by now; nothing is recorded.
        """
        with self._writing() as session:
            item = session.get_one(WorkitemRow, standing.workitem)
            study = session.get_one(StudyRow, item.study_uid)
            rows = _standing(session, item.id)
            if {row.uid for row in rows} != {result.sop_instance_uid for result in standing.results}:
                raise TransientError("the study changed meanwhile: look again")
            reached = self._stop_deliveries(session, [row.uid for row in rows])
            detail: Detail = {"reason": reason, "user": user, "note": note.sop_instance_uid}
            for row in rows:
                row.rejected = reason
                told = {**detail, "kind": row.kind, "sop_instance_uid": row.uid, "version": item.study_version}
                self._audit.append(session, Event.RESULT_WITHDRAWN, now=now, subject=study.pseudonym, detail=told)
            sent_to = tuple(destination for destination in item.destinations if destination in reached)
            self._keep_result(session, item, study, replace(note, destinations=sent_to), now)
            item.reason = _with(item.reason, f"withdrawn: {reason.words}")
            if study.state == StudyState.DONE:
                what = f"{item.algorithm} version {item.study_version}".strip()
                study.reason = _with(study.reason, f"{what} withdrawn: {reason.words}")

    def _stop_deliveries(self, session: Session, result_uids: Sequence[str]) -> set[str]:
        """Hold what waits or is parked, for ever; the destinations that any of it may have reached."""
        deliveries = session.scalars(select(DeliveryRow).where(DeliveryRow.result_uid.in_(result_uids))).all()
        for delivery in deliveries:
            if delivery.state in {DeliveryState.WAITING, DeliveryState.PARKED}:
                delivery.state = DeliveryState.WITHDRAWN
        return {d.destination for d in deliveries if d.attempts or d.last_error is not None or d.sent_at is not None}


def _with(reason: str | None, more: str) -> str:
    return f"{reason}; {more}" if reason else more


def _standing(session: Session, workitem_id: int) -> Sequence[ResultRow]:
    return session.scalars(
        select(ResultRow)
        .where(
            ResultRow.workitem_id == workitem_id,
            ResultRow.rejected.is_(None),
            ResultRow.kind != ObjectKind.REJECTION,
        )
        .order_by(ResultRow.kind, ResultRow.uid)
    ).all()
