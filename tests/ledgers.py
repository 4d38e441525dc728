"""Ledgers, instances and times for tests."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dicom_node.config import Config, NodeTable
from dicom_node.records.ledger import Ledger, open_ledger
from dicom_node.records.work import KeptResult
from dicom_node.study import Header, Instance, SeriesInstanceUID, SOPClassUID, SOPInstanceUID, StudyInstanceUID

START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment on the test's day."""
    return START + timedelta(seconds=seconds)


def ledger(state_dir: Path, actor: str = "test") -> Ledger:
    """A fresh ledger, or another process's view of the one that is there."""
    return open_ledger(Config(node=NodeTable(state_dir=state_dir)), actor)


def instance(
    number: int, *, study: str = "1.2.3", series: str = "1", content: str = "", patient: str = "P1"
) -> Instance:
    """An instance that was received; other `content` means other bytes."""
    return Instance(
        header=Header(
            sop_instance_uid=SOPInstanceUID(f"{study}.{series}.{number}"),
            sop_class_uid=SOPClassUID("1.2.840.10008.5.1.4.1.1.4"),
            study_instance_uid=StudyInstanceUID(study),
            series_instance_uid=SeriesInstanceUID(f"{study}.{series}"),
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            patient_id=patient,
            modality="MR",
        ),
        sha256=hashlib.sha256(f"{study}.{series}.{number}{content}".encode()).hexdigest(),
        size=100,
        received_at=START,
        calling_ae="PACS",
    )


def result(number: int = 1, kind: str = "SEG") -> KeptResult:
    """An object that a reading made."""
    return KeptResult(
        kind=kind,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.66.4",
        sop_instance_uid=f"2.25.{number}",
        series_instance_uid=f"2.25.{number}0",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        size=10,
        rendering="generic: BINARY SEG",
    )
