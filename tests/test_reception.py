import errno
import os
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicom_node.errors import DurabilityError
from dicom_node.intake.reception import Offer, Reception
from dicom_node.records.ledger import Ledger
from dicom_node.records.part10 import content_name, read_meta
from dicom_node.records.spool import Spool
from tests.arriving import EXPLICIT, IMPLICIT, encoded, files_below, slices
from tests.ledgers import START, ledger


def offer(of: Dataset, syntax: str = EXPLICIT, **changed: Any) -> Offer:
    """A C-STORE request for a dataset."""
    values: dict[str, Any] = {
        "sop_class_uid": str(of.SOPClassUID),
        "sop_instance_uid": str(of.SOPInstanceUID),
        "context_sop_class_uid": str(of.SOPClassUID),
        "transfer_syntax_uid": syntax,
        "dataset": memoryview(encoded(of, syntax)),
        "calling_ae": "PACS",
    }
    return Offer(**(values | changed))


class Desk:
    """A reception with a spool and a ledger of its own."""

    def __init__(self, folder: Path, *, minimum_free_bytes: int = 0, maximum_instance_bytes: int = 10**6) -> None:
        self.folder = folder / "spool"
        self.spool = Spool(self.folder, minimum_free_bytes)
        self.ledger: Ledger = ledger(folder / "state")
        self.reception = Reception(
            self.spool, self.ledger, maximum_instance_bytes=maximum_instance_bytes, clock=lambda: START
        )

    def instances(self) -> int:
        return sum(arrivals.instances for arrivals in self.ledger.open_studies())


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_what_is_acknowledged_lies_in_spool_and_ledger_as_it_came(tmp_path: Path, syntax: str) -> None:
    desk, dataset = Desk(tmp_path), slices(1)[0]
    assert desk.reception.store(offer(dataset, syntax)) == 0x0000
    (path,) = files_below(desk.folder)
    data = path.read_bytes()
    meta = read_meta(data)
    assert meta is not None
    assert data[:132] == b"\0" * 128 + b"DICM"
    assert data[meta.dataset_offset :] == encoded(dataset, syntax)
    assert (meta.transfer_syntax_uid, meta.media_storage_sop_instance_uid) == (syntax, dataset.SOPInstanceUID)
    assert path.stem == content_name(data)
    (arrivals,) = desk.ledger.open_studies()
    assert arrivals.study.uid == dataset.StudyInstanceUID
    assert arrivals.last_received_at == START


def test_the_same_instance_again_is_a_success_and_nothing_twice(tmp_path: Path) -> None:
    desk, dataset = Desk(tmp_path), slices(1)[0]
    assert desk.reception.store(offer(dataset)) == 0x0000
    rows = desk.ledger.audit_verdict().rows
    (path,) = files_below(desk.folder)
    inode = path.stat().st_ino
    assert desk.reception.store(offer(dataset)) == 0x0000
    assert (desk.instances(), desk.ledger.audit_verdict().rows) == (1, rows)
    assert path.stat().st_ino == inode
    path.unlink()
    assert desk.reception.store(offer(dataset)) == 0x0000
    assert files_below(desk.folder) == [path]


def test_other_bytes_under_a_known_uid_are_refused_and_the_first_stay(tmp_path: Path) -> None:
    desk, dataset = Desk(tmp_path), slices(1)[0]
    desk.reception.store(offer(dataset))
    kept = files_below(desk.folder)
    rows = desk.ledger.audit_verdict().rows
    assert desk.reception.store(offer(dataset, IMPLICIT)) == 0x0111
    dataset.PatientName = "Other^Name"
    assert desk.reception.store(offer(dataset)) == 0x0111
    assert files_below(desk.folder) == kept
    assert (desk.instances(), desk.ledger.audit_verdict().rows) == (1, rows + 2)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, minimum_free_bytes=2**62)
    assert desk.reception.store(offer(slices(1)[0])) == 0xA700
    assert (desk.instances(), files_below(desk.folder)) == (0, [])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_fsync_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    desk = Desk(tmp_path)

    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("dicom_node.records.spool.os.fsync", fsync)
        assert desk.reception.store(offer(slices(1)[0])) == 0xA700
    assert (desk.instances(), files_below(desk.folder)) == (0, [])
    assert desk.reception.store(offer(slices(1)[0])) == 0x0000


def test_a_database_that_does_not_commit_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)

    def fail(*_args: object, **_keywords: object) -> None:
        raise DurabilityError("the database did not commit: OperationalError")

    with monkeypatch.context() as patch:
        patch.setattr(desk.ledger, "record_instance", fail)
        patch.setattr(desk.ledger, "record_event", fail)
        assert desk.reception.store(offer(slices(1)[0])) == 0xA700
        assert desk.reception.begin("PACS", "127.0.0.1") == 0xA700
    assert desk.reception.begin("PACS", "127.0.0.1") == 0x0000
    assert desk.reception.store(offer(slices(1)[0])) == 0x0000
    assert desk.instances() == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"sop_instance_uid": "1.2.3"}, 0xA900),
        ({"sop_instance_uid": "../../../../tmp/x"}, 0xA900),
        ({"sop_class_uid": "1.2.3", "context_sop_class_uid": "1.2.3"}, 0xA900),
        ({"context_sop_class_uid": "1.2.840.10008.5.1.4.1.1.2"}, 0x0122),
        ({"dataset": memoryview(b"")}, 0xC000),
        ({"dataset": memoryview(b"\x08\x00\x18\x00UI\xff\xff1.2")}, 0xC000),
        ({"dataset": memoryview(bytes(1_000_001))}, 0xA700),
        ({"transfer_syntax_uid": IMPLICIT}, 0xC000),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_status(tmp_path: Path, changed: dict[str, Any], status: int) -> None:
    desk = Desk(tmp_path)
    assert desk.reception.store(offer(slices(1)[0], **changed)) == status
    assert (desk.instances(), files_below(desk.folder)) == (0, [])


def test_nothing_of_the_patient_is_in_the_logs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    desk, dataset = Desk(tmp_path), slices(1, description="CANARY-DESCRIPTION")[0]
    dataset.PatientName, dataset.PatientID, dataset.AccessionNumber = "CANARY^NAME", "CANARY-ID", "CANARY-ACC"
    assert desk.reception.store(offer(dataset)) == 0x0000
    assert desk.reception.store(offer(dataset, IMPLICIT)) == 0x0111
    assert desk.reception.store(offer(dataset, sop_instance_uid="1.2.CANARY")) == 0xA900
    said = "".join(capfd.readouterr())
    assert "store_refused" in said
    for canary in ("CANARY", str(dataset.SOPInstanceUID), str(dataset.StudyInstanceUID)):
        assert canary not in said
