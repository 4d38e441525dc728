"""The levers as an administrator pulls them: results taken back, a finished study read anew."""

import hashlib
import json
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from typer.testing import CliRunner, Result

from dicom_node.__main__ import app
from dicom_node.operation.withdrawal import user
from dicom_node.records.arrivals import Plan
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool
from dicom_node.records.work import Ending, KeptResult
from dicom_node.results import objects
from dicom_node.study import Outcome, SeriesInstanceUID
from tests import phantoms
from tests.ledgers import at, instance, ledger
from tests.peers import dciodvfy

CONFIG = """\
[node]
state_dir = "{state}"
[[destination]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = 104
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node with one study that was read; its three objects lie in the spool."""

    config: Path
    ledger: Ledger
    spool: Spool

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)])

    def objects(self) -> dict[str, dict[str, str]]:
        return {o["kind"]: o for r in self.ledger.readings("1.2.3") for o in r["objects"]}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    state = tmp_path / "state"
    book, spool = ledger(state), Spool(state / "spool", 0)
    book.record_instance(instance(1), now=at(0))
    plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=(SeriesInstanceUID("1.2.3.1"),))
    assert book.close_study(book.open_studies()[0], "quiet", [plan], now=at(60))
    work = book.claim_workitem("w", now=at(60), lease_s=60)
    assert work is not None
    source = phantoms.single_frame(phantoms.volume())
    made = objects.write_all(phantoms.two_lesions(), source, phantoms.identity())
    kept = [
        KeptResult(
            kind=each.kind,
            sop_class_uid=each.sop_class_uid,
            sop_instance_uid=each.sop_instance_uid,
            series_instance_uid=each.series_instance_uid,
            sha256=hashlib.sha256(each.data).hexdigest(),
            size=len(each.data),
        )
        for each in made
    ]
    for each, result in zip(made, kept, strict=True):
        spool.put(each.data, result.sha256)
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=tuple(kept)), now=at(61))
    delivery = book.claim_delivery("s", destination="pacs", now=at(62), lease_s=30)
    assert delivery is not None
    book.delivery_sent(delivery.id, "s", status=0, now=at(63))
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(state=state), encoding="utf-8")
    yield Node(config=config, ledger=book, spool=spool)
    book.close()


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    import structlog

    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_withdrawal_writes_a_valid_note_of_all_objects_and_says_so(node: Node, tmp_path: Path) -> None:
    before = node.objects()
    done = node.call("withdraw", "1.2.3", "--reason", "safety", "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)["withdrawn"]
    assert (told["algorithm"], told["version"]) == ("tiny", 1)
    assert set(told["objects"]) == {o["sop_instance_uid"] for o in before.values()}
    kept = node.objects()["REJECTION"]
    assert kept["sop_instance_uid"] == told["note"]
    assert [d["state"] for d in kept["deliveries"]] == ["waiting"]  # type: ignore[index]
    data = node.spool.read(kept["sha256"])
    assert hashlib.sha256(data).hexdigest() == kept["sha256"]
    note = dcmread(BytesIO(data))
    assert note.ConceptNameCodeSequence[0].CodeValue == "113037"
    (evidence,) = note.CurrentRequestedProcedureEvidenceSequence
    referenced = {
        i.ReferencedSOPInstanceUID for s in evidence.ReferencedSeriesSequence for i in s.ReferencedSOPSequence
    }
    assert referenced == set(told["objects"])
    path = tmp_path / "note.dcm"
    path.write_bytes(data)
    assert dciodvfy(path) == []
    shown = node.call("show", "1.2.3").stdout
    assert "tiny version 1 withdrawn: rejected for patient safety reasons" in " ".join(shown.split())
    assert shown.count("WITHDRAWN") == 3


def test_a_second_withdrawal_is_a_no_and_changes_nothing(node: Node) -> None:
    assert node.call("withdraw", "1.2.3", "--reason", "quality").exit_code == 0
    before = node.ledger.readings("1.2.3"), node.ledger.audit_verdict().rows
    again = node.call("withdraw", "1.2.3", "--reason", "safety")
    assert (again.exit_code, again.stdout.strip()) == (1, "nothing that stands")
    assert (node.ledger.readings("1.2.3"), node.ledger.audit_verdict().rows) == before


@pytest.mark.parametrize("choice", [("--algorithm", "other"), ("--version", "2")])
def test_what_is_not_there_cannot_be_withdrawn(node: Node, choice: tuple[str, str]) -> None:
    done = node.call("withdraw", "1.2.3", "--reason", "quality", *choice, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (1, {"withdrawn": []})


def test_a_reason_is_asked_for_and_known(node: Node) -> None:
    assert node.call("withdraw", "1.2.3").exit_code == 2
    assert node.call("withdraw", "1.2.3", "--reason", "taste").exit_code == 2


def test_another_user_may_not_write_what_the_sender_could_not_read(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: node.config.stat().st_uid + 1)
    done = node.call("withdraw", "1.2.3", "--reason", "quality")
    assert done.exit_code == 1
    assert "run this as the user that the node runs as" in str(done.exception)
    assert "REJECTION" not in node.objects()


def test_who_asked_is_the_one_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert user() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert user() == "4000000000"
    monkeypatch.setenv("SUDO_USER", "anna")
    assert user() == "anna"


def test_force_opens_a_study_that_is_done_and_only_that(node: Node) -> None:
    assert node.call("retry", "1.2.3").exit_code == 1  # nothing is parked
    done = node.call("retry", "1.2.3", "--force", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"version": 2})
    assert node.ledger.find_study("1.2.3").state == "RECEIVING"
    again = node.call("retry", "1.2.3", "--force")
    assert again.exit_code == 1
    assert "still being received or read" in again.stdout
