from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.errors import TransientError
from dicom_node.records.arrivals import Arrivals, Plan, Receipt
from dicom_node.records.ledger import Ledger
from dicom_node.records.views import UnknownStudyError
from dicom_node.records.work import ClaimedWork, Ending
from dicom_node.study import Outcome, SeriesInstanceUID
from tests.ledgers import at, instance, ledger, result

PLAN = Plan(algorithm="brain-lesions", rule="mr", destinations=("pacs",), series=(SeriesInstanceUID("1.2.3.1"),))


def receive_and_close(book: Ledger, plan: Plan = PLAN, *, instances: int = 3) -> Arrivals:
    for number in range(instances):
        book.record_instance(instance(number), now=at(number))
    (arrivals,) = book.open_studies()
    assert book.close_study(arrivals, "quiet", [plan], now=at(100))
    return arrivals


def test_an_instance_is_kept_once_and_its_first_bytes_stay(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    assert book.record_instance(instance(1), now=at(0)) is Receipt.KEPT
    assert book.record_instance(instance(1), now=at(1)) is Receipt.KNOWN
    assert book.record_instance(instance(1, content="other"), now=at(2)) is Receipt.CONFLICT
    (arrivals,) = book.open_studies()
    assert (arrivals.instances, arrivals.last_received_at) == (1, at(0))
    verdict = book.audit_verdict()
    assert (verdict.rows, verdict.fault) == (2, None)  # one transfer, one refusal, nothing for the resend


def test_a_study_is_not_closed_over_an_instance_that_came_meanwhile(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.record_instance(instance(1), now=at(0))
    (before,) = book.open_studies()
    book.record_instance(instance(2), now=at(0))  # at the very same moment
    assert not book.close_study(before, "quiet", [PLAN], now=at(60))
    (now,) = book.open_studies()
    assert book.close_study(now, "quiet", [PLAN], now=at(60))


def test_one_workitem_has_one_worker_until_its_lease_runs_out(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    first = book.claim_workitem("a", now=at(100), lease_s=60)
    assert first is not None
    assert (first.attempt, len(first.instances), first.analysed_at) == (1, 3, at(100))
    assert book.claim_workitem("b", now=at(150), lease_s=60) is None
    assert book.renew(first, "a", now=at(150), lease_s=60)
    assert book.claim_workitem("b", now=at(200), lease_s=60) is None
    second = book.claim_workitem("b", now=at(211), lease_s=60)
    assert second is not None
    assert (second.attempt, second.analysed_at) == (2, at(100))  # the time of analysis is recorded once
    assert not book.renew(first, "a", now=at(212), lease_s=60)
    ending = Ending(outcome=Outcome.RESULT, reason="", results=(result(),))
    with pytest.raises(TransientError, match="taken over"):
        book.end_workitem(first, "a", ending, now=at(213))
    book.end_workitem(second, "b", ending, now=at(213))
    assert book.find_study("1.2.3").outcome == "result"


def test_a_failed_attempt_waits_for_its_time(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    work = book.claim_workitem("a", now=at(100), lease_s=60)
    assert work is not None
    book.attempt_failed(work, "a", "the reading process was killed by signal 9", retry_at=at(130), now=at(101))
    assert book.claim_workitem("a", now=at(129), lease_s=60) is None
    again = book.claim_workitem("a", now=at(130), lease_s=60)
    assert again is not None
    assert again.attempt == 2


def test_failed_work_is_parked_and_can_be_retried(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    work = book.claim_workitem("a", now=at(100), lease_s=60)
    assert work is not None
    book.end_workitem(work, "a", Ending(outcome=Outcome.FAILED, reason="bundle changed", results=()), now=at(101))
    line = book.find_study("1.2.3")
    assert (line.state, line.outcome, line.reason) == ("DONE", "failed", "bundle changed")
    assert book.retry_study("1.2.3", now=at(200)) == 1
    again = book.claim_workitem("a", now=at(200), lease_s=60)
    assert again is not None
    assert again.attempt == 1
    book.end_workitem(again, "a", Ending(outcome=Outcome.RESULT, reason="", results=(result(),)), now=at(201))
    assert book.find_study("1.2.3").outcome == "result"


def test_parking_ends_the_study_and_holds_its_objects(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    assert book.park_study("1.2.3", now=at(110)) == 1
    assert book.claim_workitem("a", now=at(120), lease_s=60) is None
    assert book.find_study("1.2.3").reason == "parked by an administrator"


def test_a_late_instance_makes_a_new_version_that_knows_its_predecessor(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    work = book.claim_workitem("a", now=at(100), lease_s=60)
    assert work is not None
    book.end_workitem(work, "a", Ending(outcome=Outcome.RESULT, reason="", results=(result(1),)), now=at(101))
    book.record_instance(instance(9), now=at(200))
    (arrivals,) = book.open_studies()
    assert (arrivals.study.version, arrivals.first_received_at, arrivals.instances) == (2, at(200), 4)
    assert book.close_study(arrivals, "quiet", [PLAN], now=at(300))
    second = book.claim_workitem("a", now=at(300), lease_s=60)
    assert second is not None
    assert (second.study_version, len(second.instances)) == (2, 4)
    assert [p.sop_instance_uid for p in second.predecessors] == ["2.25.1"]
    assert second.earlier_reports == ()  # a segmentation tracks nothing by itself


def test_a_late_instance_takes_over_what_was_not_begun(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    book.record_instance(instance(9), now=at(101))
    assert book.claim_workitem("a", now=at(102), lease_s=60) is None
    (arrivals,) = book.open_studies()
    assert book.close_study(arrivals, "quiet", [PLAN], now=at(200))
    work = book.claim_workitem("a", now=at(200), lease_s=60)
    assert work is not None
    assert len(work.instances) == 4


def test_a_delivery_is_sent_once_whoever_lost_its_lease(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    work = book.claim_workitem("a", now=at(100), lease_s=60)
    assert work is not None
    ending = Ending(outcome=Outcome.RESULT, reason="", results=(result(1), result(2, "SR")))
    book.end_workitem(work, "a", ending, now=at(101))
    first = book.claim_delivery("s", destination="pacs", now=at(101), lease_s=30)
    assert first is not None
    assert book.claim_delivery("s", destination="elsewhere", now=at(101), lease_s=30) is None
    book.delivery_failed(first.id, "s", error="connection refused", retry_at=at(120), now=at(102))
    other = book.claim_delivery("s", destination="pacs", now=at(103), lease_s=30)
    assert other is not None
    assert other.sop_instance_uid != first.sop_instance_uid
    book.delivery_sent(other.id, "s", status=0, now=at(104))
    again = book.claim_delivery("t", destination="pacs", now=at(120), lease_s=30)
    assert again is not None
    assert (again.sop_instance_uid, again.attempts) == (first.sop_instance_uid, 2)
    stolen = book.claim_delivery("u", destination="pacs", now=at(151), lease_s=30)
    assert stolen is not None
    with pytest.raises(TransientError):
        book.delivery_sent(again.id, "t", status=0, now=at(152))
    assert book.work_remains("1.2.3")
    book.delivery_failed(stolen.id, "u", error="refused", retry_at=None, now=at(153))
    assert book.counts().deliveries == {"pacs": {"parked": 1, "sent": 1}}
    assert not book.work_remains("1.2.3")
    assert book.retry_study("1.2.3", now=at(160)) == 1
    assert book.counts().deliveries == {"pacs": {"sent": 1, "waiting": 1}}


def test_the_same_objects_again_are_not_sent_again(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book)
    for attempt in range(2):
        work = book.claim_workitem("a", now=at(100 + attempt), lease_s=60)
        assert work is not None
        book.end_workitem(work, "a", Ending(outcome=Outcome.FAILED, reason="x", results=(result(1),)), now=at(110))
        book.retry_study("1.2.3", now=at(101))
    assert book.counts().deliveries == {"pacs": {"waiting": 1}}


def test_pseudonyms_join_the_studies_of_a_patient_only_through_the_ledger(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.record_instance(instance(1, study="1.2.3"), now=at(0))
    book.record_instance(instance(1, study="1.2.4"), now=at(0))
    first, second = book.studies()
    assert first.pseudonym != second.pseudonym
    assert book.find_study(first.pseudonym).study_instance_uid == first.study_instance_uid
    with pytest.raises(UnknownStudyError):
        book.find_study("1.2.5")


MOVES = st.lists(
    st.tuples(st.sampled_from(["receive", "close", "claim", "end", "fail", "wait"]), st.integers(0, 4)), max_size=40
)
MADE = Ending(outcome=Outcome.RESULT, reason="", results=())


class History:
    """A ledger, a clock and one worker that may lose what it holds."""

    def __init__(self, folder: Path) -> None:
        self.book = ledger(folder)
        self.clock = 0.0
        self.held: ClaimedWork | None = None
        self.kept: set[int] = set()

    def receive(self, number: int) -> None:
        self.book.record_instance(instance(number), now=at(self.clock))
        self.kept.add(number)

    def close(self, _number: int) -> None:
        for arrivals in self.book.open_studies():
            assert self.book.close_study(arrivals, "quiet", [PLAN], now=at(self.clock))

    def claim(self, _number: int) -> None:
        self.held = self.book.claim_workitem("w", now=at(self.clock), lease_s=50) or self.held

    def end(self, _number: int) -> None:
        self._let_go(lambda held: self.book.end_workitem(held, "w", MADE, now=at(self.clock)))

    def fail(self, _number: int) -> None:
        now = at(self.clock)
        self._let_go(lambda held: self.book.attempt_failed(held, "w", "killed", retry_at=now, now=now))

    def wait(self, _number: int) -> None:
        self.clock += 100

    def _let_go(self, act: Callable[[ClaimedWork], None]) -> None:
        if self.held is not None:
            with suppress(TransientError):
                act(self.held)
            self.held = None


@settings(max_examples=30, deadline=None)
@given(moves=MOVES)
def test_any_history_keeps_every_instance_and_ends_in_one_outcome(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int]]
) -> None:
    """Whatever order things happen in: what was kept is read in the end, every study ends, the chain holds."""
    history = History(tmp_path_factory.mktemp("history"))
    for move, number in [*moves, ("receive", 0), ("close", 0), ("wait", 0)]:
        history.clock += 1
        getattr(history, move)(number)
    book = history.book
    while (work := book.claim_workitem("z", now=at(history.clock), lease_s=50)) is not None:
        assert len(work.instances) <= len(history.kept)
        book.end_workitem(work, "z", MADE, now=at(history.clock))
    line = book.find_study("1.2.3")
    assert (line.state, line.outcome, line.instances) == ("DONE", "result", len(history.kept))
    assert max(r["version"] for r in book.readings("1.2.3") if r["outcome"] == "result") == line.version
    assert book.audit_verdict().fault is None


def test_an_object_goes_to_the_destinations_of_its_rendering(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book, replace(PLAN, destinations=("a", "b")))
    work = book.claim_workitem("w", now=at(100), lease_s=60)
    assert work is not None
    kept = (replace(result(1), destinations=("b",)), result(2))
    book.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=kept), now=at(101))
    objects = {o["sop_instance_uid"]: o for r in book.readings("1.2.3") for o in r["objects"]}
    assert {uid: [d["destination"] for d in o["deliveries"]] for uid, o in objects.items()} == {
        "2.25.1": ["b"],
        "2.25.2": ["a", "b"],
    }
    assert {o["profile"] for o in objects.values()} == {"generic"}


def test_an_object_that_is_made_again_for_one_more_destination_goes_there_too(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    receive_and_close(book, replace(PLAN, destinations=("a", "b")))
    for attempt, names in enumerate((("a",), ("a", "b"))):
        work = book.claim_workitem("w", now=at(100 + attempt), lease_s=60)
        assert work is not None
        kept = (replace(result(1), destinations=names),)
        book.end_workitem(work, "w", Ending(outcome=Outcome.FAILED, reason="x", results=kept), now=at(100 + attempt))
        book.retry_study("1.2.3", now=at(100 + attempt))
    (made,) = [o for r in book.readings("1.2.3") for o in r["objects"]]
    assert [d["destination"] for d in made["deliveries"]] == ["a", "b"]
