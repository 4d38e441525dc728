"""The ledger's part on answering: questions claimed with a lease, tried again, ended; knows no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.errors import TransientError
from dicom_node.records.audit import Event
from dicom_node.records.questions import QuestionLedger
from dicom_node.records.tables import QuestionRow, ResultRow, StudyRow, WorkitemRow
from dicom_node.records.work import KeptResult, instances_of, move
from dicom_node.study import ObjectKind, Outcome, WorkitemState


@dataclass(frozen=True, kw_only=True)
class ClaimedQuestion:
    """A question that is this worker's until its lease runs out.

    Attributes
    ----------
    instances, attempt, analysed_at, last_error
        As in `ClaimedWork`.
    earlier
        (question, answer) that it goes on from, the oldest first.
    found
        Name of each algorithm, and the coded findings of its newest result that stands, as its summary has them.
    """

    id: int
    study_pseudonym: str
    study_version: int
    algorithm: str
    destinations: tuple[str, ...]
    instances: tuple[str, ...]
    text: str
    compare: bool
    earlier: tuple[tuple[str, str], ...]
    found: tuple[tuple[str, tuple[dict[str, Any], ...]], ...]
    line: str
    attempt: int
    analysed_at: datetime
    last_error: str


@dataclass(frozen=True, kw_only=True)
class AnswerEnding:
    """How a question ended.

    Attributes
    ----------
    results
        New objects; those that an earlier question made are in `objects` alone.
    objects
        SOP Instance UIDs of everything that holds the answer.
    answers
        What was said; None: nothing.
    """

    outcome: Outcome
    reason: str
    results: tuple[KeptResult, ...] = ()
    objects: tuple[str, ...] = ()
    answers: tuple[dict[str, Any], ...] | None = None
    provider: str | None = None
    algorithm_digest: str | None = None
    bundle: str | None = None
    seconds: float | None = None


class AnsweringLedger(QuestionLedger):
    """Questions out to workers, answers in."""

    def claim_question(self, owner: str, *, now: datetime, lease_s: float) -> ClaimedQuestion | None:
        """Take the oldest question that is due, or whose worker has not renewed its lease; None if there is none."""
        due = (QuestionRow.state == WorkitemState.SCHEDULED) & (QuestionRow.not_before <= now)
        lost = (QuestionRow.state == WorkitemState.IN_PROGRESS) & (QuestionRow.lease_until < now)
        oldest = select(QuestionRow).where(due | lost).order_by(QuestionRow.id).limit(1)
        if not self._any(oldest):
            return None
        with self._writing() as session:
            row = session.scalar(oldest)
            if row is None:
                return None
            if row.state == WorkitemState.SCHEDULED:
                move(row, WorkitemState.IN_PROGRESS)
            row.attempts += 1
            row.lease_owner, row.lease_until = owner, now + timedelta(seconds=lease_s)
            row.analysed_at = row.analysed_at or now
            study, instances = session.get_one(StudyRow, row.study_uid), instances_of(session, row)
            self._audit.append(
                session,
                Event.INSTANCES_ACCESSED,
                now=now,
                subject=study.pseudonym,
                detail={
                    "algorithm": row.algorithm,
                    "attempt": row.attempts,
                    "instances": len(instances),
                    "question": row.id,
                },
            )
            return ClaimedQuestion(
                id=row.id,
                study_pseudonym=study.pseudonym,
                study_version=row.study_version,
                algorithm=row.algorithm,
                destinations=tuple(row.destinations),
                instances=instances,
                text=row.text,
                compare=row.compare,
                earlier=tuple((question, answer) for question, answer in row.earlier),
                found=_found(session, row.study_uid),
                line=row.line,
                attempt=row.attempts,
                analysed_at=row.analysed_at,
                last_error=row.reason or "",
            )

    def renew_question(self, claimed: ClaimedQuestion, owner: str, *, now: datetime, lease_s: float) -> bool:
        """Prolong a claim; False if it was lost."""
        with self._writing() as session:
            row = session.get_one(QuestionRow, claimed.id)
            if row.lease_owner != owner or row.state != WorkitemState.IN_PROGRESS:
                return False
            row.lease_until = now + timedelta(seconds=lease_s)
            return True

    def answered_before(self, sop_instance_uids: Sequence[str]) -> dict[str, str | None]:
        """Those of these objects that an earlier question made, and why each was withdrawn, if it was."""
        with self._database.reading() as session:
            rows = session.execute(
                select(ResultRow.uid, ResultRow.rejected).where(ResultRow.uid.in_(sop_instance_uids))
            )
            return {row.uid: row.rejected for row in rows}

    def end_question(self, claimed: ClaimedQuestion, owner: str, ending: AnswerEnding, *, now: datetime) -> None:
        """Record how a question ended, its objects and their deliveries, in one transaction.

        Raises
        ------
        TransientError
            If the claim was lost, to another worker or because who asked gave up; nothing is recorded.
        """
        with self._writing() as session:
            row = _claimed(session, claimed, owner)
            move(row, WorkitemState.CANCELED if ending.outcome is Outcome.FAILED else WorkitemState.COMPLETED)
            row.lease_owner = row.lease_until = None
            row.ended_at, row.outcome, row.reason = now, ending.outcome, ending.reason
            row.provider, row.algorithm_digest, row.seconds = ending.provider, ending.algorithm_digest, ending.seconds
            row.bundle, row.objects = ending.bundle, list(ending.objects)
            row.answers = None if ending.answers is None else list(ending.answers)
            self._tell_ended(session, row, now)
            item, study = session.get_one(WorkitemRow, row.workitem_id), session.get_one(StudyRow, row.study_uid)
            for result in ending.results:
                self._keep_result(session, item, study, result, now)

    def question_failed(
        self, claimed: ClaimedQuestion, owner: str, error: str, *, retry_at: datetime, now: datetime
    ) -> None:
        """Give a question back to be tried again at `retry_at`; raises TransientError as `end_question`."""
        with self._writing() as session:
            row = _claimed(session, claimed, owner)
            move(row, WorkitemState.SCHEDULED)
            row.lease_owner = row.lease_until = None
            row.not_before, row.reason = retry_at, error
            self._audit.append(
                session,
                Event.ATTEMPT_FAILED,
                now=now,
                subject=claimed.study_pseudonym,
                outcome="failure",
                detail={"algorithm": row.algorithm, "attempt": row.attempts, "error": error, "question": row.id},
            )


def _claimed(session: Session, claimed: ClaimedQuestion, owner: str) -> QuestionRow:
    row = session.get_one(QuestionRow, claimed.id)
    if row.state != WorkitemState.IN_PROGRESS or row.lease_owner != owner:
        raise TransientError(f"question {claimed.id} was taken over by another worker, or given up")
    return row


def _found(session: Session, study_uid: str) -> tuple[tuple[str, tuple[dict[str, Any], ...]], ...]:
    """Of each algorithm the newest result of which any object stands that says what was found."""
    standing = (
        select(ResultRow.workitem_id)
        .where(ResultRow.rejected.is_(None), ResultRow.kind.not_in((ObjectKind.REJECTION, ObjectKind.ANSWER)))
        .distinct()
    )
    items = session.scalars(
        select(WorkitemRow)
        .where(
            WorkitemRow.study_uid == study_uid,
            WorkitemRow.outcome == Outcome.RESULT,
            WorkitemRow.id.in_(standing),
        )
        .order_by(WorkitemRow.algorithm, WorkitemRow.study_version)
    )
    newest = {item.algorithm: item for item in items}
    return tuple((name, tuple((item.summary or {}).get("findings", ()))) for name, item in newest.items())
