"""Waiting for the answer to a question: listens for a worker, looks into the ledger, gives up when nobody comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from dicom_node.config import Config
from dicom_node.errors import NodeError
from dicom_node.reading.answer_line import Ear, listening
from dicom_node.records.ledger import Ledger
from dicom_node.records.questions import NewQuestion, QuestionNow
from dicom_node.study import WorkitemState
from inference.asked import Mode

_TICK_S = 0.25


class Pieces(Protocol):
    """Who is shown an answer."""

    def begin(self) -> None:
        """A worker begins to answer."""

    def hear(self, mode: Mode, text: str) -> None:
        """A piece of the answer."""

    def say(self, text: str) -> None:
        """What happens meanwhile."""


def answer_to(new: NewQuestion, ledger: Ledger, config: Config, shown: Pieces, *, wait_s: float) -> QuestionNow:
    """Ask, and wait until the question has ended.

    Parameters
    ----------
    new
        The question; its line is set here.
    wait_s
        How long it waits where no worker is at work.

    Raises
    ------
    NodeError
        If it cannot be asked, or no worker takes it. It is ended then, as it is where waiting is interrupted.
    """
    with listening(config.node.state_dir) as ear:
        number = ledger.ask(replace(new, line=ear.name), now=datetime.now(UTC))
        try:
            return _Waiting(number, ledger, ear, shown, timedelta(seconds=wait_s)).ended()
        except BaseException:
            ear.hang_up()
            ledger.give_up_question(number, "given up by who asked", now=datetime.now(UTC))
            raise


class _Waiting:
    """One question under way."""

    def __init__(self, number: int, ledger: Ledger, ear: Ear, shown: Pieces, patience: timedelta) -> None:
        self._number = number
        self._ledger = ledger
        self._ear = ear
        self._shown = shown
        self._patience = patience
        self._told_busy = False

    def ended(self) -> QuestionNow:
        """Wait for the end."""
        while True:
            before = self._ear.connected
            piece = self._ear.heard(_TICK_S)
            if piece is not None:
                self._shown.hear(*piece)
                continue
            if self._ear.connected and not before:
                self._shown.begin()
            now = self._ledger.question(self._number)
            if now.ended and not self._ear.connected:
                return now
            if before and not self._ear.connected:
                self._ledger.release_question(self._number, now=datetime.now(UTC))  # the worker died
            elif not self._ear.connected:
                self._look_for_a_worker(now)

    def _look_for_a_worker(self, question: QuestionNow) -> None:
        now = datetime.now(UTC)
        if question.state == WorkitemState.IN_PROGRESS and question.lease_until and question.lease_until > now:
            return
        if self._ledger.someone_works(now=now):
            if not self._told_busy:
                self._shown.say("the worker is busy; your question is the next")
                self._told_busy = True
        elif now > question.since + self._patience:
            raise NodeError(
                f"no worker took the question within {self._patience.total_seconds():g} s: "
                "is `dicom-node serve` or `dicom-node work` running?"
            )
