"""Questions in the ledger: claimed with a lease, ended once, audited without a word; the study's state never waits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dicom_node.errors import NodeError, TransientError
from dicom_node.records.arrivals import Plan
from dicom_node.records.claimed_questions import AnswerEnding, ClaimedQuestion
from dicom_node.records.ledger import Ledger
from dicom_node.records.questions import NewQuestion
from dicom_node.records.tables import AuditRow
from dicom_node.records.work import Ending
from dicom_node.study import Outcome, Rejection, SeriesInstanceUID, WorkitemState
from tests.ledgers import at, instance, ledger, result

STUDY = "1.2.3"
SERIES = (SeriesInstanceUID("1.2.3.1"),)
NEW = NewQuestion(
    study_uid=STUDY, algorithm="speaker", text="CANARY question?", compare=False, goes_on=False, line="l", user="ada"
)
ANSWERS = ({"mode": "zero-shot", "text": "CANARY answer."},)
FOUND = ({"label": "lesion 1", "tracking_uid": "2.25.1"},)


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    """One study, read with a result that went to the PACS."""
    made = ledger(tmp_path)
    made.record_instance(instance(1), now=at(0))
    plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=SERIES)
    assert made.close_study(made.open_studies()[0], "quiet", [plan], now=at(1))
    work = made.claim_workitem("w", now=at(2), lease_s=60)
    assert work is not None
    ending = Ending(outcome=Outcome.RESULT, reason="", results=(result(1, "SR"),), summary={"findings": list(FOUND)})
    made.end_workitem(work, "w", ending, now=at(3))
    return made


def claimed(book: Ledger, now: float = 11) -> ClaimedQuestion:
    question = book.claim_question("w", now=at(now), lease_s=60)
    assert question is not None
    return question


def answered(number: int = 7, **changes: Any) -> AnswerEnding:
    kept = result(number, "ANSWER")
    ending = AnswerEnding(
        outcome=Outcome.RESULT,
        reason="",
        results=(replace(kept, destinations=("pacs",)),),
        objects=(kept.sop_instance_uid,),
        answers=ANSWERS,
        provider="CPU",
    )
    return replace(ending, **changes)


def events(book: Ledger) -> list[tuple[str, str, dict[str, Any]]]:
    with book._database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.sequence)).all()
        return [(row.event, row.outcome, json.loads(row.detail)) for row in rows]


def test_a_question_is_answered_beside_the_reading_and_goes_where_its_results_went(book: Ledger) -> None:
    number = book.ask(NEW, now=at(10))
    work = claimed(book)
    assert (work.id, work.text, work.found, work.instances) == (
        number,
        NEW.text,
        (("tiny", FOUND),),
        (instance(1).sha256,),
    )
    assert book.claim_question("other", now=at(12), lease_s=60) is None
    book.end_question(work, "w", answered(), now=at(13))
    now = book.question(number)
    assert (now.ended, now.outcome, now.answers, now.objects) == (True, "result", ANSWERS, ("2.25.7",))
    (reading,) = book.readings(STUDY)
    assert [(o["kind"], o["deliveries"][0]["destination"]) for o in reading["objects"]] == [
        ("ANSWER", "pacs"),
        ("SR", "pacs"),
    ]
    (shown,) = book.questions(STUDY)
    assert (shown["question"], shown["outcome"]) == (NEW.text, "result")


def test_the_study_does_not_wait_for_it(book: Ledger) -> None:
    book.ask(NEW, now=at(10))
    line = book.find_study(STUDY)
    assert (line.state, line.outcome) == ("DONE", "result")
    work = claimed(book)
    book.end_question(work, "w", AnswerEnding(outcome=Outcome.FAILED, reason="no model"), now=at(12))
    assert book.find_study(STUDY) == line
    assert book.park_study(STUDY, now=at(13)) == 1  # the delivery of the reading alone
    assert book.retry_study(STUDY, now=at(14)) == 1


def test_what_is_audited_holds_who_asked_and_no_word_of_it(book: Ledger) -> None:
    book.ask(NEW, now=at(10))
    book.end_question(claimed(book), "w", answered(), now=at(12))
    told = {event: detail for event, _, detail in events(book)}
    assert told["Question Asked"]["user"] == "ada"
    assert told["Question Asked"]["characters"] == len(NEW.text)
    assert told["Text Generated"]["provider"] == "CPU"
    for name in ("Question Asked", "Text Generated"):
        assert len(told[name]["text"]) == 20
    assert "CANARY" not in json.dumps(told)
    assert told["Question Asked"]["text"] != told["Text Generated"]["text"]
    assert book.audit_verdict().fault is None


def test_a_question_that_goes_on_carries_what_was_said(book: Ledger) -> None:
    with pytest.raises(NodeError, match="nothing to go on from"):
        book.ask(replace(NEW, goes_on=True), now=at(10))
    for number, now in ((7, 10), (8, 20)):
        book.ask(replace(NEW, text=f"{number}?", goes_on=number == 8), now=at(now))
        book.end_question(claimed(book, now + 1), "w", answered(number), now=at(now + 2))
    book.ask(replace(NEW, goes_on=True), now=at(30))
    assert claimed(book, 31).earlier == (("7?", "CANARY answer."), ("8?", "CANARY answer."))
    with pytest.raises(NodeError, match="nothing to go on from"):
        book.ask(replace(NEW, algorithm="other", goes_on=True), now=at(32))


def test_a_study_that_is_still_received_is_not_asked_about(book: Ledger) -> None:
    book.record_instance(instance(2), now=at(20))
    with pytest.raises(NodeError, match="still being received"):
        book.ask(NEW, now=at(21))


def test_a_question_whose_worker_died_is_taken_by_the_next_one(book: Ledger) -> None:
    number = book.ask(NEW, now=at(10))
    first = claimed(book)
    book.release_question(number, now=at(12))
    second = book.claim_question("other", now=at(13), lease_s=60)
    assert second is not None
    assert (second.attempt, second.analysed_at) == (2, first.analysed_at)
    with pytest.raises(TransientError, match="taken over"):
        book.end_question(first, "w", answered(), now=at(14))
    assert book.renew_question(second, "other", now=at(60), lease_s=60)
    assert book.claim_question("third", now=at(119), lease_s=60) is None
    assert book.claim_question("third", now=at(121), lease_s=60) is not None  # nobody renewed it


def test_one_that_was_given_up_is_not_answered(book: Ledger) -> None:
    number = book.ask(NEW, now=at(10))
    work = claimed(book)
    book.give_up_question(number, "given up by who asked", now=at(12))
    with pytest.raises(TransientError, match="given up"):
        book.end_question(work, "w", answered(), now=at(13))
    assert book.question(number).state is WorkitemState.CANCELED
    assert ("Question Ended", "failure") in [(event, outcome) for event, outcome, _ in events(book)]
    book.give_up_question(number, "again", now=at(14))
    assert book.question(number).reason == "given up by who asked"


def test_a_failed_attempt_waits_for_its_time(book: Ledger) -> None:
    number = book.ask(NEW, now=at(10))
    book.question_failed(claimed(book), "w", "the session host died", retry_at=at(20), now=at(12))
    assert book.claim_question("w", now=at(19), lease_s=60) is None
    assert book.question(number).since == at(20)
    assert claimed(book, 20).last_error == "the session host died"


def test_who_is_at_work(book: Ledger) -> None:
    book.ask(NEW, now=at(10))
    assert not book.someone_works(now=at(10))
    claimed(book)
    assert book.someone_works(now=at(12))
    assert not book.someone_works(now=at(100))


def test_withdrawn_findings_are_no_evidence_and_answers_are_withdrawn_with_their_reading(book: Ledger) -> None:
    book.ask(NEW, now=at(10))
    book.end_question(claimed(book), "w", answered(), now=at(12))
    (standing,) = book.standing(STUDY)
    assert {kept.kind for kept in standing.results} == {"SR", "ANSWER"}
    book.withdraw(standing, Rejection.QUALITY, result(99, "REJECTION"), user="ada", now=at(13))
    assert book.answered_before(["2.25.7", "2.25.8"]) == {"2.25.7": "quality"}
    book.ask(NEW, now=at(20))
    assert claimed(book, 21).found == ()


def test_an_answer_is_no_predecessor_of_a_reading(book: Ledger) -> None:
    book.ask(NEW, now=at(10))
    book.end_question(claimed(book), "w", answered(), now=at(12))
    assert book.read_again(STUDY, now=at(20)) == 2
    plan = Plan(algorithm="tiny", rule="r", destinations=("pacs",), series=SERIES)
    assert book.close_study(book.open_studies()[0], "quiet", [plan], now=at(21))
    work = book.claim_workitem("w", now=at(22), lease_s=60)
    assert work is not None
    assert [kept.kind for kept in work.predecessors] == ["SR"]
