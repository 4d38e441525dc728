"""The session host as the worker sees it: a process that keeps models warm, started, asked, recycled; runs no model."""

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from dicom_node.config import InferenceTable
from dicom_node.errors import TransientError
from dicom_node.reading.analysis_message import analysis_from_message
from dicom_node.reading.cage import Cage, Limits
from dicom_node.reading.hearer import NOBODY, Hearer
from dicom_node.reading.question_message import CANCEL, WRITTEN, piece_from_message
from dicom_node.reading.request_message import request_to_message
from dicom_node.reading.task import Analysis, Given
from dicom_node.reading.task_message import error_from_message
from dicom_node.reading.wire import Message, decoded
from inference.algorithms import Runtime

log = structlog.get_logger(__name__)

_CONFIGURE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """How the host is run.

    Attributes
    ----------
    bundles_dir
        Folder of bundles beside those that ship; None: only those that ship.
    runtime
        Providers and threads.
    resident_bytes
        Resident memory at which it is recycled.
    entry
        What runs inside; another one only in tests of this class.
    """

    bundles_dir: Path | None
    runtime: Runtime
    resident_bytes: int
    entry: str = "dicom_node.reading.host_process:serve"

    @classmethod
    def of(cls, table: InferenceTable) -> Self:
        """As the configuration says."""
        return cls(
            bundles_dir=Path(table.bundles_dir) if table.bundles_dir else None,
            runtime=Runtime(providers=table.providers, threads=table.threads),
            resident_bytes=table.host_memory_bytes,
        )


class SessionHost:
    """One session host; a new process takes the place of one that died, hung or grew.

    Used by one thread at a time.
    """

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._cage: Cage | None = None
        self._configured = False

    @property
    def pid(self) -> int | None:
        """Process id, None where none runs."""
        return self._cage.pid if self._cage is not None and self._cage.alive() else None

    def start(self) -> None:
        """Start the process without waiting for it, so that it imports while the caller does something else."""
        if self._cage is not None and self._cage.alive():
            return
        self.close()
        limits = Limits(
            resident_bytes=self._settings.resident_bytes,
            open_files=1024,
            files=True,  # CUDA and TensorRT keep what they compiled
            threads=self._settings.runtime.threads,
        )
        self._cage = Cage(self._settings.entry, "session host", limits, maximum_bytes=self._settings.resident_bytes)
        self._configured = False

    def analyse(self, name: str, given: Given, deadline_s: float) -> Analysis:
        """Read one volume, the text of one report, or both, with the algorithm or bundle `name`.

        Parameters
        ----------
        name
            As in the configuration's rules.
        given
            The volume, the text, or both.
        deadline_s
            Longest time, s; a host that has not answered by then is killed.

        Raises
        ------
        UnsuitableError
            If it is not what the algorithm was made for.
        DefectError
            If the bundle, its provider or its code is at fault.
        TransientError
            If the host died, hung or grew beyond its memory.
        """
        answer = self.ask(request_to_message(name, given), time.monotonic() + deadline_s)
        if answer.kind != "analysis":
            raise decoded(error_from_message, answer)
        return decoded(analysis_from_message, answer)

    def ask(self, request: Message, deadline: float, hearer: Hearer = NOBODY) -> Message:
        """Pass on a request and its answer, "analysis" or "error", as they are; raises as `analyse` if it fails.

        Parameters
        ----------
        hearer
            Hears what is written in answer to a question; when it is gone, the rest is not written.
        """
        self.start()
        if self._cage is None:
            raise TransientError("the session host did not start")
        self._configure(self._cage)
        self._cage.send(request, deadline)
        answer, cancelled = self._cage.receive(deadline), False
        while answer.kind == WRITTEN:
            hearer.hear(*decoded(piece_from_message, answer))
            if hearer.gone and not cancelled:
                self._cage.send(Message(kind=CANCEL, body={}), deadline)
                cancelled = True
            answer = self._cage.receive(deadline)
        self._recycle_if_grown(self._cage)
        return answer

    def close(self) -> None:
        """End the process; a later request starts a new one."""
        if self._cage is not None:
            self._cage.close()
            self._cage = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _configure(self, cage: Cage) -> None:
        if self._configured:
            return
        body = {
            "bundles_dir": str(self._settings.bundles_dir) if self._settings.bundles_dir else None,
            "providers": list(self._settings.runtime.providers),
            "threads": self._settings.runtime.threads,
        }
        cage.send(Message(kind="configure", body=body), time.monotonic() + _CONFIGURE_S)
        self._configured = True
        log.info("session_host_started", pid=cage.pid, network=cage.network)

    def _recycle_if_grown(self, cage: Cage) -> None:
        used = cage.resident_bytes()
        if used > self._settings.resident_bytes:
            log.warning("session_host_recycled", resident_bytes=used, allowed_bytes=self._settings.resident_bytes)
            self.close()
