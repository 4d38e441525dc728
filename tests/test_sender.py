import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicom_node.config import Config, parse
from dicom_node.delivery import sender
from dicom_node.delivery.acceptance import ask
from dicom_node.delivery.link import Link
from dicom_node.errors import DefectError, DurabilityError
from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.records.answers import Answer
from dicom_node.records.arrivals import Plan
from dicom_node.records.ledger import Ledger, open_ledger
from dicom_node.records.spool import Spool
from dicom_node.records.work import Ending, KeptResult
from dicom_node.result_classes import ENHANCED, WRITTEN, Accepted
from dicom_node.study import Outcome, SeriesInstanceUID
from tests.arriving import file_of, files_below, slices, spooled
from tests.hostile_peers import accepted_then_silent, peer
from tests.ledgers import at, instance
from tests.loopback import free_port, wait_until

DESTINATION = """
[[destination]]
name = "{name}"
ae_title = "PACS"
host = "127.0.0.1"
port = {port}
response_timeout_s = 2.0
maximum_attempts = {attempts}
first_delay_s = {delay}
longest_delay_s = {delay}
"""


class House:
    """A ledger and a spool with results for some destinations."""

    def __init__(self, folder: Path, *, attempts: int = 40, delay: float = 0.2, **ports: int) -> None:
        tables = [DESTINATION.format(name=n, port=p, attempts=attempts, delay=delay) for n, p in ports.items()]
        self.config: Config = parse(f'[node]\nae_title = "NODE"\nstate_dir = "{folder}"\n' + "".join(tables))
        self.ledger: Ledger = open_ledger(self.config, "sender")
        self.spool = Spool(self.config.spool_dir, 0)
        self.destinations = tuple(ports)

    def results(self, count: int) -> list[str]:
        """Make so many results for every destination, as a worker does; their SOP Instance UIDs."""
        self.ledger.record_instance(instance(1), now=at(0))
        (arrivals,) = self.ledger.open_studies()
        plan = Plan(algorithm="a", rule="r", destinations=self.destinations, series=(SeriesInstanceUID("1.2.3.1"),))
        assert self.ledger.close_study(arrivals, "quiet", [plan], now=at(1))
        work = self.ledger.claim_workitem("w", now=at(2), lease_s=60)
        assert work is not None
        kept = [
            KeptResult(
                kind="SEG",
                sop_class_uid=str(each.SOPClassUID),
                sop_instance_uid=str(each.SOPInstanceUID),
                series_instance_uid=str(each.SeriesInstanceUID),
                sha256=spooled(self.spool, each),
                size=len(file_of(each)),
            )
            for each in slices(count)
        ]
        self.ledger.end_workitem(work, "w", Ending(outcome=Outcome.RESULT, reason="", results=tuple(kept)), now=at(3))
        return sorted(k.sop_instance_uid for k in kept)

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery as `show` tells it."""
        readings = self.ledger.readings("1.2.3")
        return [d for r in readings for o in r["objects"] for d in o["deliveries"]]

    def states(self, destination: str = "pacs") -> dict[str, int]:
        return self.ledger.counts().deliveries.get(destination, {})

    @contextmanager
    def sending(self) -> Iterator[threading.Thread]:
        stop = threading.Event()
        arguments = (self.ledger, self.spool, self.config, stop, "sender")
        thread = threading.Thread(target=sender.run, args=arguments)
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


@contextmanager
def pacs(port: int = 0, takes: Accepted | None = None) -> Iterator[SmallPacs]:
    running = SmallPacs("PACS", port=port, takes=takes)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def test_what_is_due_is_sent_once_and_recorded(tmp_path: Path) -> None:
    with pacs() as there:
        house = House(tmp_path, pacs=there.port)
        uids = house.results(4)
        with house.sending():
            wait_until(lambda: house.states() == {"sent": 4}, 30, "four deliveries")
        assert sorted(str(d.SOPInstanceUID) for d in there.received()) == uids
    assert {(d["state"], d["attempts"]) for d in house.deliveries()} == {("sent", 1)}
    assert house.ledger.audit_verdict().fault is None


def test_a_slow_destination_holds_up_no_other(tmp_path: Path) -> None:
    with pacs() as there, peer(accepted_then_silent) as slow:
        house = House(tmp_path, pacs=there.port, slow=slow)
        house.results(3)
        started = time.monotonic()
        with house.sending():
            wait_until(lambda: house.states() == {"sent": 3}, 30, "the healthy destination")
            assert "sent" not in house.states("slow")
            assert time.monotonic() - started < 20
    # what was cut off on stopping is not lost: it waits for its next try
    assert set(house.states("slow")) <= {"waiting"}


def test_an_outage_ends_and_everything_arrives(tmp_path: Path) -> None:
    port = free_port()
    house = House(tmp_path, pacs=port)
    uids = house.results(3)
    with house.sending():
        wait_until(lambda: any(d["attempts"] >= 2 for d in house.deliveries()), 30, "some failed tries")
        assert house.states() != {"sent": 3}
        with pacs(port) as there:
            wait_until(lambda: house.states() == {"sent": 3}, 30, "the deliveries after the outage")
            assert sorted(str(d.SOPInstanceUID) for d in there.received()) == uids


def test_after_the_last_attempt_a_delivery_is_parked_with_its_reason(tmp_path: Path) -> None:
    house = House(tmp_path, attempts=2, delay=0.1, pacs=free_port())
    house.results(1)
    with house.sending():
        wait_until(lambda: house.states() == {"parked": 1}, 30, "the delivery to be parked")
    (delivery,) = house.deliveries()
    assert delivery["attempts"] == 2
    assert "no connection" in str(delivery)
    assert house.ledger.retry_study("1.2.3", now=at(10**9)) == 1
    assert house.states() == {"waiting": 1}


def test_a_damaged_object_never_leaves(tmp_path: Path) -> None:
    with pacs() as there:
        house = House(tmp_path, attempts=1, pacs=there.port)
        house.results(1)
        (path,) = files_below(house.config.spool_dir)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))
        with house.sending():
            wait_until(lambda: house.states() == {"parked": 1}, 30, "the delivery to be parked")
        assert there.received() == []
    assert "damaged" in str(house.deliveries())


def test_a_ledger_that_fails_for_a_while_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "_AFTER_LEDGER_FAULT_S", 0.1)
    with pacs() as there:
        house = House(tmp_path, pacs=there.port)
        house.results(1)
        real, calls = house.ledger.claim_delivery, 0

        def claim(*args: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls <= 3:
                raise DurabilityError("the database did not commit: OperationalError")
            return real(*args, **keywords)

        monkeypatch.setattr(house.ledger, "claim_delivery", claim)
        with house.sending():
            wait_until(lambda: house.states() == {"sent": 1}, 30, "the delivery")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_destination_that_stops_being_served_ends_the_sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, pacs=free_port(), other=free_port())

    def claim(*_args: Any, **_keywords: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(house.ledger, "claim_delivery", claim)
    with pytest.raises(DefectError, match="sender-pacs"):
        sender.run(house.ledger, house.spool, house.config, threading.Event(), "sender")


def test_a_name_in_the_spool_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    """What a worker names its results by."""
    data = file_of(slices(1)[0])
    name = hashlib.sha256(data).hexdigest()
    spool = Spool(tmp_path, 0)
    spool.put(data, name)
    assert spool.verify(name)


def answers(house: House) -> list[Answer | None]:
    return [house.ledger.answer_of(each, "NODE") for each in house.config.destination]


def test_a_destination_is_asked_once_when_the_sender_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(link: Link) -> Accepted:
        asked.append(link.destination.port)
        return ask(link)

    monkeypatch.setattr(sender, "ask", counted)
    with pacs(takes={ENHANCED: WRITTEN[ENHANCED]}) as there:
        house = House(tmp_path, pacs=there.port)
        for _ in range(2):
            with house.sending():
                wait_until(lambda: answers(house)[0] is not None, 30, "the answer")
    (answer,) = answers(house)
    assert answer is not None
    assert answer.accepted == {ENHANCED: WRITTEN[ENHANCED]}
    assert asked == [house.config.destination[0].port]


def test_a_destination_that_was_away_is_asked_when_it_is_reached(tmp_path: Path) -> None:
    port = free_port()
    house = House(tmp_path, pacs=port)
    house.results(1)
    with house.sending():
        wait_until(lambda: any(d["attempts"] >= 1 for d in house.deliveries()), 30, "a failed try")
        assert answers(house) == [None]
        with pacs(port) as _there:
            wait_until(lambda: answers(house) != [None], 30, "the answer, well before a minute is over")


def test_a_generic_destination_is_not_asked(tmp_path: Path) -> None:
    with pacs() as there:
        house = House(tmp_path, pacs=there.port)
        generic = house.config.destination[0].model_copy(update={"profile": "generic"})
        house.config = house.config.model_copy(update={"destination": (generic,)})
        house.results(1)
        with house.sending():
            wait_until(lambda: house.states() == {"sent": 1}, 30, "the delivery")
    assert answers(house) == [None]


def test_a_class_that_is_not_taken_is_parked_in_the_end_with_its_name(tmp_path: Path) -> None:
    with pacs(takes={ENHANCED: WRITTEN[ENHANCED]}) as there:
        house = House(tmp_path, attempts=2, delay=0.1, pacs=there.port)
        house.results(1)
        with house.sending():
            wait_until(lambda: house.states() == {"parked": 1}, 30, "the delivery to be parked")
        (delivery,) = house.deliveries()
    assert delivery["attempts"] == 2
    assert "does not take 1.2.840.10008.5.1.4.1.1.4 (SOP class" in delivery["error"]
    assert "`check --ask`" in delivery["error"]
