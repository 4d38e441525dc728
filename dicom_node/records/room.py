"""What every part of the ledger shares: the database, the audit chain, the key that finds a patient's key."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from dicom_node.records.audit import AuditChain, Detail, Event
from dicom_node.records.database import Database


class LedgerRoom:
    """One process's access to the ledger; every write is one transaction that also holds its audit rows."""

    def __init__(self, database: Database, audit: AuditChain, node_key: bytes) -> None:
        self._database = database
        self._audit = audit
        self._node_key = node_key

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._database.writing() as session:
            yield session

    def _any(self, query: Select[Any]) -> bool:
        """Whether a query finds anything: asked without the write lock, so that waiting costs the others nothing."""
        with self._database.reading() as session:
            return session.execute(query).first() is not None

    def record_event(
        self,
        event: Event,
        *,
        now: datetime,
        success: bool = True,
        subject: str | None = None,
        detail: Detail | None = None,
    ) -> None:
        """Write an event that goes with no other change of the ledger."""
        with self._writing() as session:
            self._audit.append(
                session, event, now=now, subject=subject, outcome="success" if success else "failure", detail=detail
            )
