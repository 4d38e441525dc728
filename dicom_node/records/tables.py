"""The ledger's tables as typed models; knows no engine and no rules.

Times are aware UTC, kept as whole microseconds since 1970 so that they compare exactly on every database.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Aware datetime to microseconds; a naive one is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the ledger must be aware")
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Microseconds to aware UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Base(DeclarativeBase):
    """Root of the tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 (read by SQLAlchemy)


class PatientKeyRow(Base):
    """The key of one patient's pseudonyms; deleting the row is the erasure."""

    __tablename__ = "patient_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), unique=True)  # keyed hash of issuer and Patient ID
    key: Mapped[bytes] = mapped_column(LargeBinary(32))


class StudyRow(Base):
    """One study: where it is and how it ended."""

    __tablename__ = "study"
    uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)
    patient_key_id: Mapped[int] = mapped_column(ForeignKey("patient_key.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), index=True)
    first_received_at: Mapped[datetime]  # of this version
    last_received_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None]


class SeriesRow(Base):
    """What routing compares, from the first instance of a series."""

    __tablename__ = "series"
    uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    study_uid: Mapped[str] = mapped_column(ForeignKey("study.uid"), index=True)
    modality: Mapped[str]
    body_part_examined: Mapped[str]
    description: Mapped[str]
    protocol_name: Mapped[str]
    contrast: Mapped[bool]
    calling_ae: Mapped[str]


class InstanceRow(Base):
    """One instance as received; its bytes lie in the spool under `sha256`."""

    __tablename__ = "instance"
    uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    study_uid: Mapped[str] = mapped_column(ForeignKey("study.uid"), index=True)
    series_uid: Mapped[str] = mapped_column(ForeignKey("series.uid"))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64))
    frames: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    study_version: Mapped[int]  # version of the study it arrived for
    received_at: Mapped[datetime]


class WorkitemRow(Base):
    """One algorithm on one version of a study (states of a UPS, PS3.4 CC.1.1)."""

    __tablename__ = "workitem"
    __table_args__ = (
        UniqueConstraint("study_uid", "study_version", "algorithm"),
        Index("ix_workitem_due", "state", "not_before"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(ForeignKey("study.uid"))
    study_version: Mapped[int]
    algorithm: Mapped[str]  # empty: no rule wanted the study, only its outcome is reported
    rule: Mapped[str]
    destinations: Mapped[list[Any]]
    series: Mapped[list[Any]]  # UIDs of the series it may read
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    analysed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None]
    provider: Mapped[str | None]
    algorithm_digest: Mapped[str | None] = mapped_column(String(64))
    seconds: Mapped[float | None]
    summary: Mapped[dict[str, Any] | None]


class QuestionRow(Base):
    """A question of a person about a study, and its answers; states as of a workitem, which no study waits for."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_due", "state", "not_before"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    study_uid: Mapped[str] = mapped_column(ForeignKey("study.uid"), index=True)
    study_version: Mapped[int]
    workitem_id: Mapped[int] = mapped_column(ForeignKey("workitem.id"))  # the reading beside which its objects stand
    algorithm: Mapped[str]
    series: Mapped[list[Any]]  # UIDs of the series it may be about
    destinations: Mapped[list[Any]]
    text: Mapped[str]
    compare: Mapped[bool]
    earlier: Mapped[list[Any]]  # [question, answer] that it goes on from, the oldest first
    line: Mapped[str]  # name of the socket on which who asked listens
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    not_before: Mapped[datetime]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    analysed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None]
    provider: Mapped[str | None]
    algorithm_digest: Mapped[str | None] = mapped_column(String(64))
    bundle: Mapped[str | None]
    seconds: Mapped[float | None]
    answers: Mapped[list[Any] | None]
    objects: Mapped[list[Any] | None]  # SOP Instance UIDs, those of an earlier answer that came out the same included


class ResultRow(Base):
    """One object made by a workitem, or by a question beside it; its bytes lie in the spool under `sha256`."""

    __tablename__ = "result"
    uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    workitem_id: Mapped[int] = mapped_column(ForeignKey("workitem.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    rendering: Mapped[str]  # key of the rendering it belongs to: profile and classes
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    rejected: Mapped[str | None] = mapped_column(String(16))  # why it was withdrawn


class DestinationRow(Base):
    """What a peer answered that it takes; `digest` is of who asked whom for what."""

    __tablename__ = "destination"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]  # as it was called in the configuration when it was asked
    accepted: Mapped[dict[str, Any]]  # SOP class to transfer syntaxes
    asked_at: Mapped[datetime]


class DeliveryRow(Base):
    """One object on its way to one destination."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("result_uid", "destination"),
        Index("ix_delivery_due", "destination", "state", "not_before"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    result_uid: Mapped[str] = mapped_column(ForeignKey("result.uid"))
    destination: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class AuditRow(Base):
    """One event of the audit chain; `hash` covers the previous row's hash and everything in this row."""

    __tablename__ = "audit"
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    event: Mapped[str]
    outcome: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str]
    subject: Mapped[str | None]  # pseudonym of a study, or None
    detail: Mapped[str]  # canonical JSON
    hash: Mapped[str] = mapped_column(String(64))
