"""The sender: a thread for each destination asks once what it takes, sends what is due, records what became of it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from dicom_node.config import Config, DestinationTable
from dicom_node.delivery.acceptance import ask
from dicom_node.delivery.link import Link
from dicom_node.delivery.retry import Park, RetryPolicy, after_failure, pause_s
from dicom_node.delivery.storage_scu import SendResult, longest_try_s, send
from dicom_node.errors import DefectError, DurabilityError, TransientError
from dicom_node.records.deliveries import ClaimedDelivery
from dicom_node.records.ledger import Ledger
from dicom_node.records.spool import Spool

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S = 0.5
_AFTER_LEDGER_FAULT_S = 5.0
_LONGEST_OUTAGE_PAUSE_S = 60.0
_ASK_AGAIN_S = 60.0
_BEFORE = datetime.min.replace(tzinfo=UTC)
_LEASE_MARGIN_S = 5.0
_SENDS_MAY_TAKE_S = 10.0  # on stopping


def run(ledger: Ledger, spool: Spool, config: Config, stop: threading.Event, owner: str) -> None:
    """Deliver until `stop` is set; a destination that is slow or away holds up no other.

    Parameters
    ----------
    owner
        Name under which deliveries are claimed; one process has it at a time.

    Raises
    ------
    DefectError
        If a destination's thread ended by itself: nothing would go there any more. Start again.
    """
    rounds = [_Rounds(ledger, spool, config.node.ae_title, table, owner) for table in config.destination]
    threads = [
        threading.Thread(target=each.run, args=(stop,), name=f"sender-{each.destination.name}", daemon=True)
        for each in rounds
    ]
    for thread in threads:
        thread.start()
    log.info("sending", destinations=len(threads))
    while not stop.wait(_LOOK_AGAIN_S):
        if dead := [thread.name for thread in threads if not thread.is_alive()]:
            stop.set()
            raise DefectError(f"{', '.join(dead)} ended unexpectedly")
    _finish(threads, rounds)


def _finish(threads: Sequence[threading.Thread], rounds: Sequence["_Rounds"]) -> None:
    """Let what is being sent come to its end; then cut it off: its outcome is unknown and it is sent again."""
    deadline = time.monotonic() + _SENDS_MAY_TAKE_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for thread, each in zip(threads, rounds, strict=True):
        if thread.is_alive():
            each.cut()
            thread.join(_LEASE_MARGIN_S)


@dataclass
class _Rounds:
    """One destination's deliveries, one after the other."""

    ledger: Ledger
    spool: Spool
    calling_ae: str
    destination: DestinationTable
    owner: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    outages: int = 0  # tries in a row that did not reach the destination
    link: Link | None = None  # of the try that goes on
    known: bool = False  # what the destination takes stands in the ledger, or is not asked
    ask_at: datetime = _BEFORE

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                pause = self.one()
            except (DurabilityError, TransientError) as error:
                log.error("delivery_not_recorded", destination=self.destination.name, reason=str(error))
                pause = _AFTER_LEDGER_FAULT_S
            stop.wait(pause)

    def one(self) -> float:
        """Try the next due delivery, if there is one; gives how long to wait before the next look, s."""
        self._ask_once()
        lease_s = longest_try_s(self.destination) + _LEASE_MARGIN_S
        claimed = self.ledger.claim_delivery(
            self.owner, destination=self.destination.name, now=self.clock(), lease_s=lease_s
        )
        if claimed is None:
            return _LOOK_AGAIN_S
        sent = self._send(claimed)
        self._record(claimed, sent)
        if sent.reached and self.outages:  # it is back
            self.ask_at = self.clock()
        self.outages = 0 if sent.reached else self.outages + 1
        if not self.outages:
            return 0.0
        # while the destination is away, one try stands for all: the others keep their attempts
        return min(pause_s(claimed.id, self.outages, self._policy()), _LONGEST_OUTAGE_PAUSE_S)

    def _ask_once(self) -> None:
        """Ask the destination what it takes unless it answered before; while it is away, again after a pause."""
        if self.known or self.clock() < self.ask_at:
            return
        told = {"destination": self.destination.name, "profile": self.destination.profile}
        if self.destination.asked and self.ledger.answer_of(self.destination, self.calling_ae) is None:
            self.link = Link(self.destination, self.calling_ae)
            try:
                accepted = ask(self.link)
            except TransientError as error:
                self.ask_at = self.clock() + timedelta(seconds=_ASK_AGAIN_S)
                log.warning("destination_not_asked", reason=str(error), **told)
                return
            self.ledger.record_answer(self.destination, self.calling_ae, accepted, now=self.clock())
            log.info("destination_asked", takes=len(accepted), **told)
        self.known = True

    def _send(self, claimed: ClaimedDelivery) -> SendResult:
        if not self.spool.verify(claimed.sha256):
            return SendResult(status=None, error="the object in the spool is missing or damaged", reached=True)
        self.link = Link(self.destination, self.calling_ae)
        return send(self.spool.path(claimed.sha256), self.link)

    def cut(self) -> None:
        """End the try that goes on, from another thread."""
        if self.link is not None:
            self.link.cut()

    def _record(self, claimed: ClaimedDelivery, sent: SendResult) -> None:
        now = self.clock()
        told = {"delivery": claimed.id, "destination": claimed.destination, "attempt": claimed.attempts}
        if sent.error is None and sent.status is not None:
            self.ledger.delivery_sent(claimed.id, self.owner, status=sent.status, now=now)
            log.info("object_sent", status=f"0x{sent.status:04X}", warning=sent.warning, **told)
            return
        error = sent.error or "no answer"
        following = after_failure(claimed.id, claimed.attempts, self._policy(), now=now)
        retry_at = None if isinstance(following, Park) else following.at
        self.ledger.delivery_failed(claimed.id, self.owner, error=error, retry_at=retry_at, now=now)
        log.warning("object_not_sent", reason=error, parked=retry_at is None, **told)

    def _policy(self) -> RetryPolicy:
        return RetryPolicy(
            first_delay_s=self.destination.first_delay_s,
            longest_delay_s=self.destination.longest_delay_s,
            maximum_attempts=self.destination.maximum_attempts,
        )
