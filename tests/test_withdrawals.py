"""Withdrawn is withdrawn: never sent again, never a predecessor, recorded object by object; a resend never doubles."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dicom_node.errors import TransientError
from dicom_node.records.arrivals import Plan
from dicom_node.records.deliveries import ClaimedDelivery
from dicom_node.records.ledger import Ledger
from dicom_node.records.tables import AuditRow
from dicom_node.records.withdrawals import Standing
from dicom_node.records.work import ClaimedWork, Ending, KeptResult
from dicom_node.study import Outcome, Rejection, SeriesInstanceUID
from tests.ledgers import at, instance, ledger, result

STUDY = "1.2.3"
SERIES = (SeriesInstanceUID("1.2.3.1"),)


def plan(*destinations: str, algorithm: str = "tiny") -> Plan:
    return Plan(algorithm=algorithm, rule="r", destinations=destinations, series=SERIES)


def received(book: Ledger) -> None:
    book.record_instance(instance(1), now=at(0))


def claimed(book: Ledger, *plans: Plan, now: float = 10) -> ClaimedWork:
    """Close the open study and claim its first workitem."""
    (arrivals,) = book.open_studies()
    assert book.close_study(arrivals, "quiet", plans, now=at(now))
    work = book.claim_workitem("w", now=at(now), lease_s=60)
    assert work is not None
    return work


def read(book: Ledger, *results: KeptResult, to: tuple[str, ...] = ("pacs",), now: float = 10) -> None:
    work = claimed(book, plan(*to), now=now)
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=results), now=at(now))


def again(book: Ledger, *results: KeptResult, now: float) -> None:
    assert book.read_again(STUDY, now=at(now)) is not None
    read(book, *results, now=now)


def note(standing: Standing, reason: Rejection = Rejection.QUALITY) -> KeptResult:
    """As the command makes it: another one for other objects."""
    text = " ".join([reason, *(r.sop_instance_uid for r in standing.results)])
    number = int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
    return replace(result(number, "REJECTION"), sop_class_uid="1.2.840.10008.5.1.4.1.1.88.59")


def withdraw(book: Ledger, *, now: float = 50, version: int | None = None) -> list[Standing]:
    found = book.standing(STUDY, version=version)
    for standing in found:
        book.withdraw(standing, Rejection.QUALITY, note(standing), user="anna", now=at(now))
    return list(found)


def send(book: Ledger, count: int = 1, *, to: str = "pacs", now: float = 20) -> list[str]:
    uids = []
    for _ in range(count):
        delivery = book.claim_delivery("s", destination=to, now=at(now), lease_s=30)
        assert delivery is not None
        book.delivery_sent(delivery.id, "s", status=0, now=at(now))
        uids.append(delivery.sop_instance_uid)
    return uids


def states(book: Ledger) -> dict[str, str]:
    """State by object and destination."""
    objects = [o for r in book.readings(STUDY) for o in r["objects"]]
    return {f"{o['kind']} {d['destination']}": d["state"] for o in objects for d in o["deliveries"]}


def test_the_note_goes_where_anything_may_have_gone_and_the_rest_never_leaves(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1, "SEG"), result(2, "SR"), to=("pacs", "archive", "away"))
    send(book, 1)
    tried = book.claim_delivery("s", destination="archive", now=at(20), lease_s=30)
    assert tried is not None
    book.delivery_failed(tried.id, "s", error="no answer", retry_at=at(30), now=at(21))
    (standing,) = withdraw(book)
    assert (standing.algorithm, standing.version, [r.kind for r in standing.results]) == ("tiny", 1, ["SEG", "SR"])
    assert states(book) == {
        "SEG pacs": "sent",
        "SR pacs": "withdrawn",
        "REJECTION pacs": "waiting",
        "SEG archive": "withdrawn",
        "SR archive": "withdrawn",
        "REJECTION archive": "waiting",  # whether the archive has the SEG is not known
        "SEG away": "withdrawn",
        "SR away": "withdrawn",
    }
    assert book.retry_study(STUDY, now=at(60)) == 0
    assert send(book, 1, now=70) == [note(standing).sop_instance_uid]
    assert book.claim_delivery("s", destination="pacs", now=at(10**6), lease_s=30) is None


def test_what_is_being_sent_ends_as_it_ends(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1), to=("a", "b", "c"))
    going = {to: book.claim_delivery("s", destination=to, now=at(20), lease_s=30) for to in ("a", "b", "c")}
    assert all(going.values())
    (standing,) = withdraw(book, now=25)
    arrived, failed = going["a"], going["b"]
    assert arrived is not None
    assert failed is not None
    book.delivery_sent(arrived.id, "s", status=0, now=at(30))
    book.delivery_failed(failed.id, "s", error="refused", retry_at=at(40), now=at(30))
    assert book.claim_delivery("t", destination="c", now=at(60), lease_s=30) is None  # its sender died: not again
    assert {k: v for k, v in states(book).items() if k.startswith("SEG")} == {
        "SEG a": "sent",
        "SEG b": "withdrawn",
        "SEG c": "withdrawn",
    }
    notes = [send(book, to=to, now=61) for to in ("a", "b", "c")]
    assert notes == 3 * [[note(standing).sop_instance_uid]]
    assert not book.work_remains(STUDY)


def test_it_is_told_and_audited_object_by_object(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1, "SEG"), result(2, "SR"))
    (standing,) = withdraw(book)
    line, (reading,) = book.find_study(STUDY), book.readings(STUDY)
    assert (line.outcome, line.reason) == ("result", "tiny version 1 withdrawn: rejected for quality reasons")
    assert reading["reason"] == "withdrawn: rejected for quality reasons"
    assert {o["kind"]: o["withdrawn"] for o in reading["objects"]} == {
        "SEG": "quality",
        "SR": "quality",
        "REJECTION": None,
    }
    with book._database.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.event == "Result Withdrawn")).all()
        told = [json.loads(row.detail) for row in rows]
        who_and_when = {(row.actor, row.subject, row.at) for row in rows}
    assert [(t["sop_instance_uid"], t["kind"]) for t in told] == [("2.25.1", "SEG"), ("2.25.2", "SR")]
    assert {(t["user"], t["reason"], t["version"], t["note"]) for t in told} == {
        ("anna", "quality", 1, note(standing).sop_instance_uid)
    }
    assert who_and_when == {("test", line.pseudonym, at(50))}
    assert book.audit_verdict().fault is None


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1))
    again(book, result(2), now=30)
    assert [s.version for s in withdraw(book)] == [2]
    before = book.readings(STUDY), book.audit_verdict().rows
    assert withdraw(book, now=60) == []  # nor does it go on to version 1
    assert (book.readings(STUDY), book.audit_verdict().rows) == before
    assert [s.version for s in withdraw(book, version=1, now=61)] == [1]


def test_objects_that_came_meanwhile_are_not_passed_over(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    work = claimed(book, plan("pacs"))
    book.end_workitem(
        work, "w", Ending(outcome=Outcome.FAILED, reason="x", results=(result(9, "OUTCOME"),)), now=at(11)
    )
    (seen,) = book.standing(STUDY)
    assert book.retry_study(STUDY, now=at(12)) == 1
    retried = book.claim_workitem("w", now=at(12), lease_s=60)
    assert retried is not None
    book.end_workitem(retried, "w", Ending(outcome=Outcome.RESULT, reason="", results=(result(1),)), now=at(13))
    with pytest.raises(TransientError, match="changed meanwhile"):
        book.withdraw(seen, Rejection.SAFETY, note(seen), user="anna", now=at(14))
    assert {o["withdrawn"] for r in book.readings(STUDY) for o in r["objects"]} == {None}


def test_one_algorithm_can_be_withdrawn_alone(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    work = claimed(book, plan("pacs", algorithm="one"), plan("pacs", algorithm="two"))
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=(result(1),)), now=at(11))
    other = book.claim_workitem("w", now=at(11), lease_s=60)
    assert other is not None
    book.end_workitem(other, "w", Ending(outcome=Outcome.RESULT, reason="", results=(result(2),)), now=at(12))
    (standing,) = book.standing(STUDY, algorithm="two")
    book.withdraw(standing, Rejection.SAFETY, note(standing), user="anna", now=at(13))
    assert [(s.algorithm, s.version) for s in book.standing(STUDY)] == [("one", 1)]
    assert book.find_study(STUDY).reason == "two version 1 withdrawn: rejected for patient safety reasons"


def test_a_later_version_follows_on_what_stands(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1, "SR"))
    again(book, result(2, "SR"), now=30)
    withdraw(book)
    assert book.read_again(STUDY, now=at(60)) == 3
    work = claimed(book, plan("pacs"), now=61)
    assert [p.sop_instance_uid for p in work.predecessors] == ["2.25.1"]
    assert work.earlier_reports == (result(1, "SR").sha256,)
    made = book.made_before(work, ["2.25.2", "2.25.7"])
    assert made is not None
    assert (made.version, made.rejected) == (2, "quality")
    assert book.made_before(work, ["2.25.7"]) is None


def test_all_withdrawn_leaves_no_predecessor(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    read(book, result(1, "SR"))
    withdraw(book)
    assert book.read_again(STUDY, now=at(60)) == 2
    work = claimed(book, plan("pacs"), now=61)
    assert (work.predecessors, work.earlier_reports) == ((), ())


def test_a_study_under_way_is_not_read_twice(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    received(book)
    assert book.read_again(STUDY, now=at(5)) is None
    work = claimed(book, plan("pacs"))
    assert book.read_again(STUDY, now=at(12)) is None
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=()), now=at(13))
    assert book.read_again(STUDY, now=at(14)) == 2
    (arrivals,) = book.open_studies()
    assert (arrivals.first_received_at, arrivals.last_received_at, arrivals.instances) == (at(14), at(0), 1)


MOVES = (
    "claim",
    "store",
    "acknowledge",
    "fail",
    "give up",
    "die",
    "retry",
    "park",
    "again",
    "anew",
    "withdraw",
    "wait",
)


class Archive:
    """A ledger, a sender that may die between any two steps, and an archive that keeps what it is sent."""

    def __init__(self, folder: Path) -> None:
        self.book = ledger(folder)
        self.clock = 100.0
        self.made = 1
        self.held: ClaimedDelivery | None = None
        self.objects: dict[str, str] = {}  # UID -> sha256 of its bytes
        self.banned: set[str] = set()  # withdrawn before their try began
        received(self.book)
        self._read(self._results())

    def _results(self) -> tuple[KeptResult, ...]:
        return result(10 * self.made, "SEG"), result(10 * self.made + 1, "SR")

    def _read(self, results: tuple[KeptResult, ...]) -> None:
        """As a worker does, the same results again where nothing changed."""
        work = claimed(self.book, plan("pacs"), now=self.clock)
        before = self.book.made_before(work, [r.sop_instance_uid for r in results])
        ending = Ending(outcome=Outcome.RESULT, reason="", results=() if before else results)
        self.book.end_workitem(work, "w", ending, now=at(self.clock))

    def claim(self) -> None:
        claim = self.book.claim_delivery("s", destination="pacs", now=at(self.clock), lease_s=50)
        assert claim is None or claim.sop_instance_uid not in self.banned
        self.held = claim or self.held

    def store(self) -> None:
        """The object arrives; the answer may still be lost."""
        if self.held is not None:
            assert self.objects.setdefault(self.held.sop_instance_uid, self.held.sha256) == self.held.sha256

    def acknowledge(self) -> None:
        self.store()
        self._end(lambda held: self.book.delivery_sent(held.id, "s", status=0, now=at(self.clock)))

    def fail(self) -> None:
        self._failed(self.clock + 10)

    def give_up(self) -> None:
        self._failed(None)

    def _failed(self, again_at: float | None) -> None:
        retry_at = None if again_at is None else at(again_at)
        now = at(self.clock)
        self._end(lambda held: self.book.delivery_failed(held.id, "s", error="x", retry_at=retry_at, now=now))

    def _end(self, act: Callable[[ClaimedDelivery], None]) -> None:
        if self.held is not None:
            with suppress(TransientError):
                act(self.held)
            self.held = None

    def die(self) -> None:
        self.held = None

    def retry(self) -> None:
        self.book.retry_study(STUDY, now=at(self.clock))

    def park(self) -> None:
        self.book.park_study(STUDY, now=at(self.clock))

    def again(self) -> None:
        """Read once more, and nothing changed."""
        if self.book.read_again(STUDY, now=at(self.clock)):
            self._read(self._results())

    def anew(self) -> None:
        """Read once more, with another bundle."""
        if self.book.read_again(STUDY, now=at(self.clock)):
            self.made += 1
            self._read(self._results())

    def withdraw(self) -> None:
        for standing in withdraw(self.book, now=self.clock):
            self.banned |= {r.sop_instance_uid for r in standing.results}

    def wait(self) -> None:
        self.clock += 100


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.sampled_from(MOVES), max_size=30))
def test_whatever_happens_each_object_is_there_once_and_what_was_withdrawn_comes_no_more(
    tmp_path_factory: pytest.TempPathFactory, moves: list[str]
) -> None:
    archive = Archive(tmp_path_factory.mktemp("archive"))
    for move in moves:
        archive.clock += 1
        getattr(archive, move.replace(" ", "_"))()
    archive.die()
    archive.retry()
    archive.clock += 1000
    while archive.book.work_remains(STUDY):
        archive.claim()
        archive.acknowledge()
    objects = {o["sop_instance_uid"]: o for r in archive.book.readings(STUDY) for o in r["objects"]}
    assert archive.objects == {uid: objects[uid]["sha256"] for uid in archive.objects}
    assert {uid for uid, o in objects.items() if not o["withdrawn"] and o["deliveries"]} <= set(archive.objects)
    rejected = {uid for uid, o in objects.items() if o["withdrawn"]} & set(archive.objects)
    assert not rejected or any(objects[uid]["kind"] == "REJECTION" for uid in archive.objects)
    assert len([o for o in objects.values() if o["kind"] == "SEG"]) <= archive.made
    assert archive.book.audit_verdict().fault is None
