"""The clock's decisions against a real ledger: a study's life told with the times written out."""

import threading
import time
from pathlib import Path

from dicom_node.config import ClosingTable, Config, DestinationTable, Match, NodeTable, RuleTable
from dicom_node.operation.schedule import close_due, run
from tests.ledgers import at, instance, ledger


def config(folder: Path, *rules: RuleTable) -> Config:
    return Config(
        node=NodeTable(state_dir=folder),
        closing=ClosingTable(quiet_period_s=60, longest_wait_s=600),
        destination=(DestinationTable(name="pacs", ae_title="PACS", host="127.0.0.1", port=104),),
        rule=rules,
    )


HEADS = RuleTable(name="heads", algorithms=("brain-lesions",), destinations=("pacs",), match=Match(modality="MR"))


def test_a_study_waits_for_its_quiet_minute_and_is_scheduled_once(tmp_path: Path) -> None:
    book, settings = ledger(tmp_path), config(tmp_path, HEADS)
    book.record_instance(instance(1), now=at(0))
    book.record_instance(instance(2), now=at(50))
    assert close_due(book, settings, at(100)) == 0
    assert close_due(book, settings, at(110)) == 1
    assert close_due(book, settings, at(111)) == 0
    work = book.claim_workitem("w", now=at(111), lease_s=60)
    assert work is not None
    assert (work.algorithm, work.destinations, len(work.instances)) == ("brain-lesions", ("pacs",), 2)
    assert book.claim_workitem("w", now=at(111), lease_s=60) is None


def test_a_study_no_rule_wants_is_told_to_every_destination(tmp_path: Path) -> None:
    book, settings = ledger(tmp_path), config(tmp_path)
    book.record_instance(instance(1), now=at(0))
    assert close_due(book, settings, at(60)) == 1
    work = book.claim_workitem("w", now=at(60), lease_s=60)
    assert work is not None
    assert (work.algorithm, work.destinations) == ("", ("pacs",))


def test_a_study_that_misses_a_series_is_read_when_the_wait_is_over(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    settings = config(tmp_path, HEADS.model_copy(update={"required_series": (Match(modality="CT"),)}))
    book.record_instance(instance(1), now=at(0))
    assert close_due(book, settings, at(599)) == 0
    assert close_due(book, settings, at(600)) == 1


def test_two_studies_do_not_wait_for_each_other(tmp_path: Path) -> None:
    book, settings = ledger(tmp_path), config(tmp_path, HEADS)
    book.record_instance(instance(1, study="1.2.3"), now=at(0))
    book.record_instance(instance(1, study="1.2.4"), now=at(30))
    assert close_due(book, settings, at(60)) == 1
    assert close_due(book, settings, at(90)) == 1


def test_the_clock_ticks_until_it_is_stopped(tmp_path: Path) -> None:
    book, settings = ledger(tmp_path), config(tmp_path, HEADS)
    book.record_instance(instance(1), now=at(0))
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(book, settings, stop, lambda: at(3600)))
    thread.start()
    waited_until = time.monotonic() + 20
    while book.open_studies() and time.monotonic() < waited_until:
        time.sleep(0.05)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert book.open_studies() == []
