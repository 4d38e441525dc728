"""The ledger's part on questions: asked, given up, shown; a study's state never waits for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dicom_node.errors import NodeError
from dicom_node.records.audit import Event
from dicom_node.records.privacy import pseudonym
from dicom_node.records.tables import PatientKeyRow, QuestionRow, SeriesRow, StudyRow, WorkitemRow
from dicom_node.records.work import WorkLedger, move
from dicom_node.study import Outcome, StudyState, WorkitemState


@dataclass(frozen=True, kw_only=True)
class NewQuestion:
    """What a person asks.

    Attributes
    ----------
    algorithm
        Bundle that is to answer.
    compare
        Whether it is put in every way, not as it is alone.
    goes_on
        Whether it goes on from the last question of the study that the same bundle answered.
    line
        Name of the socket on which who asks listens.
    user
        Who asks, as the machine knows them.
    """

    study_uid: str
    algorithm: str
    text: str
    compare: bool
    goes_on: bool
    line: str
    user: str


@dataclass(frozen=True, kw_only=True)
class QuestionNow:
    """Where a question is.

    Attributes
    ----------
    since
        It was asked, or given back to be tried again.
    answers, objects
        Of one that was answered: what was said, and the SOP Instance UIDs that hold it.
    """

    id: int
    state: WorkitemState
    since: datetime
    lease_until: datetime | None
    outcome: str | None
    reason: str
    bundle: str | None
    digest: str | None
    provider: str | None
    seconds: float | None
    destinations: tuple[str, ...]
    answers: tuple[dict[str, Any], ...]
    objects: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self.state in (WorkitemState.COMPLETED, WorkitemState.CANCELED)


class QuestionLedger(WorkLedger):
    """Questions in."""

    def ask(self, new: NewQuestion, *, now: datetime) -> int:
        """Record a question, to be answered by the next worker that is free; returns its number.

        Raises
        ------
        NodeError
            If the study is still being received, or there is nothing to go on from.
        """
        with self._writing() as session:
            study = session.get_one(StudyRow, new.study_uid)
            readings = _readings(session, study)
            if study.state == StudyState.RECEIVING or not readings:
                raise NodeError("the study is still being received: ask again when it is complete")
            own = [item for item in readings if item.algorithm == new.algorithm]
            row = QuestionRow(
                study_uid=study.uid,
                study_version=study.version,
                workitem_id=(own or _best(readings))[0].id,
                algorithm=new.algorithm,
                series=list(own[0].series) if own else _every_series(session, study),
                destinations=list(dict.fromkeys(name for item in own or readings for name in item.destinations)),
                text=new.text,
                compare=new.compare,
                earlier=_before(session, new) if new.goes_on else [],
                line=new.line,
                state=WorkitemState.SCHEDULED,
                attempts=0,
                asked_at=now,
                not_before=now,
            )
            session.add(row)
            session.flush()
            self._tell_asked(session, study, row, new.user, now)
            return row.id

    def question(self, number: int) -> QuestionNow:
        """Where a question is."""
        with self._database.reading() as session:
            row = session.get_one(QuestionRow, number)
            return QuestionNow(
                id=row.id,
                state=WorkitemState(row.state),
                since=max(row.asked_at, row.not_before),
                lease_until=row.lease_until,
                outcome=row.outcome,
                reason=row.reason or "",
                bundle=row.bundle,
                digest=row.algorithm_digest,
                provider=row.provider,
                seconds=row.seconds,
                destinations=tuple(row.destinations),
                answers=tuple(row.answers or ()),
                objects=tuple(row.objects or ()),
            )

    def questions(self, study_uid: str) -> list[dict[str, Any]]:
        """Every question about a study, the oldest first, ready for JSON."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(QuestionRow).where(QuestionRow.study_uid == study_uid).order_by(QuestionRow.id)
            )
            return [_shown(row) for row in rows]

    def someone_works(self, *, now: datetime) -> bool:
        """Whether any worker holds a claim that it renewed: one that is busy takes a question when it is done."""
        busy = [
            select(row.id).where(row.state == WorkitemState.IN_PROGRESS, row.lease_until > now)
            for row in (WorkitemRow, QuestionRow)
        ]
        return any(self._any(each) for each in busy)

    def release_question(self, number: int, *, now: datetime) -> None:
        """Give back a question whose worker hung up without an ending; the next one takes it at once."""
        with self._writing() as session:
            row = session.get_one(QuestionRow, number)
            if row.state == WorkitemState.IN_PROGRESS:
                move(row, WorkitemState.SCHEDULED)
                row.lease_owner = row.lease_until = None
                row.not_before = now

    def give_up_question(self, number: int, reason: str, *, now: datetime) -> None:
        """End a question that no worker has ended; one that a worker holds is told so when it records its ending."""
        with self._writing() as session:
            row = session.get_one(QuestionRow, number)
            if row.state not in (WorkitemState.SCHEDULED, WorkitemState.IN_PROGRESS):
                return
            move(row, WorkitemState.CANCELED)
            row.lease_owner = row.lease_until = None
            row.ended_at, row.outcome, row.reason = now, Outcome.FAILED, reason
            self._tell_ended(session, row, now)

    def _tell_asked(self, session: Session, study: StudyRow, row: QuestionRow, user: str, now: datetime) -> None:
        """Who asked, and the text as a keyed hash alone."""
        self._audit.append(
            session,
            Event.QUESTION_ASKED,
            now=now,
            subject=study.pseudonym,
            detail={
                "question": row.id,
                "algorithm": row.algorithm,
                "user": user,
                "text": _pseudonym(session, study, "question", row.text),
                "characters": len(row.text),
                "compare": row.compare,
                "earlier": len(row.earlier),
                "version": row.study_version,
            },
        )

    def _tell_ended(self, session: Session, row: QuestionRow, now: datetime) -> None:
        """That a question was answered, with the text as a keyed hash alone, or that it was not, and why."""
        study = session.get_one(StudyRow, row.study_uid)
        detail: dict[str, str | int | float | bool | None] = {
            "question": row.id,
            "algorithm": row.algorithm,
            "outcome": row.outcome,
        }
        if row.answers is None:
            detail |= {"reason": row.reason}
        else:
            said = "\n".join(str(answer["text"]) for answer in row.answers)
            detail |= {
                "digest": row.algorithm_digest,
                "provider": row.provider,
                "text": _pseudonym(session, study, "answer", said),
                "characters": len(said),
                "version": row.study_version,
            }
        self._audit.append(
            session,
            Event.QUESTION_ENDED if row.answers is None else Event.TEXT_GENERATED,
            now=now,
            subject=study.pseudonym,
            outcome="failure" if row.outcome == Outcome.FAILED else "success",
            detail=detail,
        )


def _pseudonym(session: Session, study: StudyRow, kind: str, text: str) -> str:
    return pseudonym(session.get_one(PatientKeyRow, study.patient_key_id).key, kind, text)


def _readings(session: Session, study: StudyRow) -> Sequence[WorkitemRow]:
    return session.scalars(
        select(WorkitemRow)
        .where(WorkitemRow.study_uid == study.uid, WorkitemRow.study_version == study.version)
        .order_by(WorkitemRow.id)
    ).all()


def _best(readings: Sequence[WorkitemRow]) -> Sequence[WorkitemRow]:
    """Those with a result first."""
    return sorted(readings, key=lambda item: item.outcome != Outcome.RESULT)


def _every_series(session: Session, study: StudyRow) -> list[str]:
    return list(session.scalars(select(SeriesRow.uid).where(SeriesRow.study_uid == study.uid).order_by(SeriesRow.uid)))


def _before(session: Session, new: NewQuestion) -> list[list[str]]:
    """The last question that was answered, and what it went on from."""
    last = session.scalar(
        select(QuestionRow)
        .where(
            QuestionRow.study_uid == new.study_uid,
            QuestionRow.algorithm == new.algorithm,
            QuestionRow.outcome == Outcome.RESULT,
        )
        .order_by(QuestionRow.ended_at.desc(), QuestionRow.id.desc())
        .limit(1)
    )
    if last is None or not last.answers:
        raise NodeError(f"nothing to go on from: {new.algorithm} has not answered a question about this study yet")
    return [*last.earlier, [last.text, str(last.answers[0]["text"])]]


def _shown(row: QuestionRow) -> dict[str, Any]:
    return {
        "number": row.id,
        "algorithm": row.algorithm,
        "version": row.study_version,
        "asked_at": row.asked_at,
        "state": row.state,
        "outcome": row.outcome,
        "reason": row.reason,
        "question": row.text,
        "earlier": len(row.earlier),
        "answers": row.answers or [],
        "objects": row.objects or [],
    }
