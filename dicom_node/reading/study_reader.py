"""Reading a study, the worker's side: a disposable process for the bytes, the session host for the model, a relay."""

import time
from types import TracebackType
from typing import Self

import structlog

from dicom_node.config import InferenceTable
from dicom_node.errors import DefectError
from dicom_node.reading.cage import Cage, Limits
from dicom_node.reading.hearer import NOBODY, Hearer
from dicom_node.reading.host import HostSettings, SessionHost
from dicom_node.reading.request_message import KINDS
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.reading.task_message import result_from_message, task_to_message
from dicom_node.reading.wire import Message, decoded

log = structlog.get_logger(__name__)


class StudyReader:
    """Reads studies one after the other; keeps a session host and, for the next study, a process that is ready.

    Used by one thread at a time. To be closed, or used in a `with` statement.

    Parameters
    ----------
    table
        [inference] of the configuration.
    keep_spare
        Start the process for the next study when one was read; False for a single study.
    host
        Session host, closed with the reader; by default one as the configuration says.
    """

    def __init__(self, table: InferenceTable, *, keep_spare: bool = True, host: SessionHost | None = None) -> None:
        self._table = table
        self._keep_spare = keep_spare
        self._spare: Cage | None = None
        self._host = host or SessionHost(HostSettings.of(table))

    def start(self) -> None:
        """Start the session host and the first process without waiting for them."""
        self._host.start()
        self._spare = self._spare or self._new_cage()

    def read(self, task: Task, hearer: Hearer = NOBODY) -> ReadingResult:
        """Read one study, or answer a question about it.

        Parameters
        ----------
        hearer
            Hears the answer while it is written.

        Raises
        ------
        DefectError
            If the program, the bundle or a message is at fault, or the instances are not of one patient and study.
        TransientError
            If a process died, hung or grew beyond its limit.
        """
        with self._take() as cage:
            result = read_in_cage(task, self._host, cage, self._table.reading_timeout_s, hearer)
        if self._keep_spare:
            self._spare = self._new_cage()
        return result

    def close(self) -> None:
        """End all processes."""
        self._host.close()
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> Cage:
        spare, self._spare = self._spare, None
        if spare is not None and spare.alive():
            return spare
        if spare is not None:
            spare.close()
        return self._new_cage()

    def _new_cage(self) -> Cage:
        limits = reading_limits(self._table)
        return Cage("dicom_node.reading.study_process:read", "reading", limits, self._table.reading_memory_bytes)


def reading_limits(table: InferenceTable) -> Limits:
    """What the process that parses and decodes may use."""
    return Limits(address_space_bytes=table.reading_memory_bytes, cpu_s=int(table.reading_timeout_s) + 1)


def read_in_cage(task: Task, host: SessionHost, cage: Cage, timeout_s: float, hearer: Hearer = NOBODY) -> ReadingResult:
    """Read one study in `cage`, with the models of `host`; the caller closes both. Raises as `StudyReader.read`."""
    deadline = time.monotonic() + timeout_s
    cage.send(task_to_message(task), deadline)
    while True:
        message = cage.receive(deadline)
        if message.kind == "result":
            return decoded(result_from_message, message)
        if message.kind not in KINDS or message.body.get("name") != task.algorithm:
            raise DefectError("the reading process asked for something else than its algorithm")
        beside = task.beside.name if task.beside else None
        if message.body.get("text_reader", beside) != beside:
            raise DefectError("the reading process asked for another reader of its text")
        cage.send(_answer(host, message, deadline, hearer), deadline)


def _answer(host: SessionHost, request: Message, deadline: float, hearer: Hearer) -> Message:
    started = time.monotonic()
    answer = host.ask(request, deadline, hearer)
    log.debug("analysis_answered", kind=answer.kind, seconds=round(time.monotonic() - started, 3))
    return answer
