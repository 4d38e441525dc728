"""The ledger's part on arrivals: instances kept, studies opened, closed and reopened; knows no network and no rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dicom_node.records.audit import Event
from dicom_node.records.privacy import new_patient_key, patient_reference, pseudonym
from dicom_node.records.room import LedgerRoom
from dicom_node.records.tables import InstanceRow, PatientKeyRow, SeriesRow, StudyRow, WorkitemRow
from dicom_node.study import (
    Header,
    Instance,
    Outcome,
    Series,
    SeriesInstanceUID,
    Study,
    StudyInstanceUID,
    StudyState,
    WorkitemState,
)


class Receipt(StrEnum):
    """What became of an instance that arrived."""

    KEPT = "kept"  # new: row and audit event are durable
    KNOWN = "known"  # the same bytes were kept before: nothing twice
    CONFLICT = "conflict"  # other bytes under a UID that is taken: the first ones stay


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A study that is still open, and when its instances came."""

    study: Study
    first_received_at: datetime
    last_received_at: datetime
    instances: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One workitem to make when a study is closed; an empty algorithm stands for a study that no rule wants."""

    algorithm: str
    rule: str
    destinations: tuple[str, ...]
    series: tuple[SeriesInstanceUID, ...]  # the series it may read


class ArrivalsLedger(LedgerRoom):
    """Instances in, studies closed."""

    def record_instance(self, instance: Instance, *, now: datetime) -> Receipt:
        """Keep an instance's arrival; when this returns KEPT, row and audit event survive a power cut.

        Raises
        ------
        DurabilityError
            If the database did not commit: the sender must not hear success.
        """
        with self._writing() as session:
            known = session.get(InstanceRow, instance.header.sop_instance_uid)
            if known is not None:
                return self._second_arrival(session, known, instance, now)
            study = self._open_study(session, instance.header, now)
            self._ensure_series(session, instance)
            session.flush()
            session.add(_instance_row(instance, study.version))
            study.last_received_at = now
            self._audit.append(
                session,
                Event.INSTANCES_TRANSFERRED,
                now=now,
                subject=study.pseudonym,
                detail={"action": "received", "calling_ae": instance.calling_ae, "bytes": instance.size},
            )
            return Receipt.KEPT

    def open_studies(self) -> list[Arrivals]:
        """Every study that is still being received, oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(StudyRow)
                .where(StudyRow.state == StudyState.RECEIVING)
                .order_by(StudyRow.first_received_at, StudyRow.uid)
            )
            return [
                Arrivals(
                    study=study_of(session, row),
                    first_received_at=row.first_received_at,
                    last_received_at=row.last_received_at,
                    instances=_count(session, row.uid),
                )
                for row in rows
            ]

    def read_again(self, study_uid: str, *, now: datetime) -> int | None:
        """Open a study that is done, so that it is closed, routed and read once more; none of its instances changes.

        Returns
        -------
        int or None
            The new version; None if the study is still being received or read.
        """
        with self._writing() as session:
            study = session.get_one(StudyRow, study_uid)
            if study.state != StudyState.DONE:
                return None
            self._reopen(session, study, now, why="an administrator")
            return study.version

    def close_study(self, arrivals: Arrivals, reason: str, plans: Sequence[Plan], *, now: datetime) -> bool:
        """Close a study and make its workitems, if nothing arrived since `arrivals` was read.

        Returns
        -------
        bool
            False if an instance came in between: look again.
        """
        if not plans:
            raise ValueError("a closed study needs at least one workitem")
        with self._writing() as session:
            row = session.get_one(StudyRow, arrivals.study.uid)
            unchanged = row.state == StudyState.RECEIVING and row.last_received_at == arrivals.last_received_at
            if not unchanged or row.version != arrivals.study.version or _count(session, row.uid) != arrivals.instances:
                return False
            row.state, row.closed_at, row.close_reason = StudyState.CLOSED, now, reason
            self._audit.append(
                session,
                Event.STUDY_CLOSED,
                now=now,
                subject=row.pseudonym,
                detail={"reason": reason, "version": row.version, "instances": arrivals.instances},
            )
            for plan in plans:
                self._schedule(session, row, plan, now)
            return True

    def _schedule(self, session: Session, study: StudyRow, plan: Plan, now: datetime) -> None:
        session.add(
            WorkitemRow(
                study_uid=study.uid,
                study_version=study.version,
                algorithm=plan.algorithm,
                rule=plan.rule,
                destinations=list(plan.destinations),
                series=list(plan.series),
                state=WorkitemState.SCHEDULED,
                attempts=0,
                not_before=now,
            )
        )
        self._audit.append(
            session,
            Event.WORKITEM_SCHEDULED,
            now=now,
            subject=study.pseudonym,
            detail={"algorithm": plan.algorithm, "rule": plan.rule, "version": study.version},
        )

    def _second_arrival(self, session: Session, known: InstanceRow, instance: Instance, now: datetime) -> Receipt:
        if known.sha256 == instance.sha256:
            return Receipt.KNOWN
        study = session.get_one(StudyRow, known.study_uid)
        self._audit.append(
            session,
            Event.STORE_REFUSED,
            now=now,
            subject=study.pseudonym,
            outcome="failure",
            detail={"reason": "other bytes under a SOP Instance UID that is taken", "calling_ae": instance.calling_ae},
        )
        return Receipt.CONFLICT

    def _open_study(self, session: Session, header: Header, now: datetime) -> StudyRow:
        row = session.get(StudyRow, header.study_instance_uid)
        if row is None:
            key = self._patient_key(session, header)
            row = StudyRow(
                uid=header.study_instance_uid,
                pseudonym=pseudonym(key.key, "study", header.study_instance_uid),
                patient_key_id=key.id,
                version=1,
                state=StudyState.RECEIVING,
                first_received_at=now,
                last_received_at=now,
            )
            session.add(row)
        elif row.state != StudyState.RECEIVING:
            self._reopen(session, row, now, why="a late instance")
        return row

    def _reopen(self, session: Session, row: StudyRow, now: datetime, *, why: str) -> None:
        """Begin the next version: what was scheduled but not begun is taken over by the next version."""
        superseded = session.scalars(
            select(WorkitemRow).where(WorkitemRow.study_uid == row.uid, WorkitemRow.state == WorkitemState.SCHEDULED)
        ).all()
        row.version += 1
        for item in superseded:
            item.state, item.ended_at = WorkitemState.CANCELED, now
            item.reason = f"superseded by version {row.version} of the study"
        row.state, row.first_received_at = StudyState.RECEIVING, now
        row.closed_at = row.close_reason = row.outcome = row.reason = None
        self._audit.append(
            session,
            Event.STUDY_REOPENED,
            now=now,
            subject=row.pseudonym,
            detail={"version": row.version, "superseded": len(superseded), "why": why},
        )

    def _patient_key(self, session: Session, header: Header) -> PatientKeyRow:
        reference = patient_reference(
            self._node_key, header.issuer_of_patient_id, header.patient_id, header.study_instance_uid
        )
        row = session.scalar(select(PatientKeyRow).where(PatientKeyRow.reference == reference))
        if row is None:
            row = PatientKeyRow(reference=reference, key=new_patient_key())
            session.add(row)
            session.flush()
        return row

    def _ensure_series(self, session: Session, instance: Instance) -> None:
        header = instance.header
        row = session.get(SeriesRow, header.series_instance_uid)
        if row is not None:
            row.contrast = row.contrast or bool(header.contrast_bolus_agent)
            return
        session.add(
            SeriesRow(
                uid=header.series_instance_uid,
                study_uid=header.study_instance_uid,
                modality=header.modality,
                body_part_examined=header.body_part_examined,
                description=header.series_description,
                protocol_name=header.protocol_name,
                contrast=bool(header.contrast_bolus_agent),
                calling_ae=instance.calling_ae,
            )
        )


def study_of(session: Session, row: StudyRow) -> Study:
    """The study as routing and closing see it: all series received so far."""
    series = session.execute(
        select(SeriesRow, func.sum(InstanceRow.frames), func.group_concat(InstanceRow.sop_class_uid.distinct()))
        .join(InstanceRow, InstanceRow.series_uid == SeriesRow.uid)
        .where(InstanceRow.study_uid == row.uid)
        .group_by(SeriesRow.uid)
        .order_by(SeriesRow.uid)
    )
    return Study(
        uid=StudyInstanceUID(row.uid),
        version=row.version,
        series=tuple(
            Series(
                uid=SeriesInstanceUID(s.uid),
                modality=s.modality,
                body_part_examined=s.body_part_examined,
                description=s.description,
                protocol_name=s.protocol_name,
                contrast=s.contrast,
                calling_ae=s.calling_ae,
                slices=int(slices),
                sop_class_uids=frozenset(classes.split(",")),
            )
            for s, slices, classes in series
        ),
    )


def study_outcome(outcomes: Sequence[str]) -> Outcome:
    """One outcome for a study from those of its workitems: a result if there is any, else what needs a person most."""
    order = (Outcome.RESULT, Outcome.FAILED, Outcome.ABSTAINED, Outcome.NOT_APPLICABLE)
    return next(o for o in order if o in outcomes)


def _instance_row(instance: Instance, version: int) -> InstanceRow:
    header = instance.header
    return InstanceRow(
        uid=header.sop_instance_uid,
        study_uid=header.study_instance_uid,
        series_uid=header.series_instance_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=header.transfer_syntax_uid,
        frames=header.number_of_frames,
        sha256=instance.sha256,
        size=instance.size,
        study_version=version,
        received_at=instance.received_at,
    )


def _count(session: Session, study_uid: str) -> int:
    return session.scalar(select(func.count()).select_from(InstanceRow).where(InstanceRow.study_uid == study_uid)) or 0
