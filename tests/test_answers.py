"""What the ledger remembers of destinations: for the peer that was asked, until it is asked again."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dicom_node.config import DestinationTable
from dicom_node.records import answers
from dicom_node.result_classes import ENHANCED, SEGMENTATION, Accepted
from tests.ledgers import at, ledger

TAKES: Accepted = {SEGMENTATION: ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"), ENHANCED: ("1.2.840.10008.1.2",)}


def pacs(**changes: Any) -> DestinationTable:
    return DestinationTable(**{"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": 104, **changes})


def test_an_answer_is_remembered_by_every_process(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    assert book.answer_of(pacs(), "NODE") is None
    book.record_answer(pacs(), "NODE", TAKES, now=at(1))
    answer = ledger(tmp_path, "another").answer_of(pacs(), "NODE")
    assert answer is not None
    assert (answer.accepted, answer.asked_at) == (TAKES, at(1))


def test_the_next_answer_replaces_it(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    for seconds, accepted in ((1, TAKES), (2, {})):
        book.record_answer(pacs(), "NODE", accepted, now=at(seconds))
    answer = book.answer_of(pacs(), "NODE")
    assert answer is not None
    assert (answer.accepted, answer.asked_at) == ({}, at(2))


@pytest.mark.parametrize("change", [{"ae_title": "OTHER"}, {"host": "127.0.0.2"}, {"port": 105}])
def test_another_peer_under_the_same_name_was_never_asked(change: dict[str, Any], tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.record_answer(pacs(), "NODE", TAKES, now=at(1))
    assert book.answer_of(pacs(**change), "NODE") is None
    assert book.answer_of(pacs(), "NODE2") is None
    assert book.answer_of(pacs(name="renamed", profile="ohif", first_delay_s=1), "NODE") is not None


def test_more_to_write_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = ledger(tmp_path)
    book.record_answer(pacs(), "NODE", TAKES, now=at(1))
    monkeypatch.setattr(answers, "_QUESTION", ("fewer",))
    assert book.answer_of(pacs(), "NODE") is None


def test_the_answer_is_audited(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.record_answer(pacs(profile="stone"), "NODE", TAKES, now=at(1))
    book.record_answer(pacs(), "NODE", {}, now=at(2))
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as raw:
        rows = raw.execute("SELECT detail FROM audit WHERE event = 'Destination Asked' ORDER BY sequence").fetchall()
    raw.close()
    assert [row[0] for row in rows] == [
        '{"destination":"pacs","profile":"stone","takes":"Enhanced SR, Segmentation"}',
        '{"destination":"pacs","profile":"auto","takes":"nothing"}',
    ]
    assert book.audit_verdict().fault is None
