import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dicom_node.records.audit import Event
from tests.ledgers import at, ledger


def write_ten(folder: Path) -> None:
    book = ledger(folder)
    for number in range(10):
        book.record_event(Event.SECURITY_ALERT, now=at(number), success=False, detail={"number": number})
    assert book.audit_verdict().rows == 10
    book.close()


TAMPERINGS: dict[str, tuple[str, int]] = {
    "edited detail": ("UPDATE audit SET detail = '{\"number\":99}' WHERE sequence = 4", 4),
    "edited time": ("UPDATE audit SET at = at + 1 WHERE sequence = 5", 5),
    "edited outcome": ("UPDATE audit SET outcome = 'success' WHERE sequence = 6", 6),
    "edited actor": ("UPDATE audit SET actor = 'nobody' WHERE sequence = 2", 2),
    "subject added": ("UPDATE audit SET subject = 'x' WHERE sequence = 3", 3),
    "deleted": ("DELETE FROM audit WHERE sequence = 7", 7),
    "first deleted": ("DELETE FROM audit WHERE sequence = 1", 1),
    "hash replaced": ("UPDATE audit SET hash = 'g' || substr(hash, 2) WHERE sequence = 8", 8),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_the_first_row_named(tmp_path: Path, name: str) -> None:
    write_ten(tmp_path)
    statement, first_bad = TAMPERINGS[name]
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as raw:
        raw.execute(statement)
    raw.close()
    assert ledger(tmp_path).audit_verdict().first_bad_sequence == first_bad


def _delete_and_renumber(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM audit WHERE sequence = 3")
    for number in range(4, 11):
        raw.execute("UPDATE audit SET sequence = ? WHERE sequence = ?", (number - 1, number))


def _swap(raw: sqlite3.Connection) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        raw.execute("UPDATE audit SET sequence = ? WHERE sequence = ?", (new, old))


@pytest.mark.parametrize("tamper", [_delete_and_renumber, _swap])
def test_reordering_is_found(tmp_path: Path, tamper: Callable[[sqlite3.Connection], None]) -> None:
    write_ten(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as raw:
        tamper(raw)
    raw.close()
    assert ledger(tmp_path).audit_verdict().first_bad_sequence == 3


def test_rows_of_two_processes_make_one_chain(tmp_path: Path) -> None:
    first, second = ledger(tmp_path, "listener"), ledger(tmp_path, "worker")
    for number in range(6):
        (first if number % 2 else second).record_event(Event.APPLICATION_START, now=at(number))
    assert first.audit_verdict().rows == 6
    assert second.audit_verdict().fault is None


def test_another_key_does_not_verify(tmp_path: Path) -> None:
    write_ten(tmp_path)
    (tmp_path / "keys" / "audit.key").write_bytes(bytes(32))
    assert ledger(tmp_path).audit_verdict().first_bad_sequence == 1
