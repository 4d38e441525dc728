"""A child process with limits, a channel to it, and in words why it ended; knows nothing of what runs inside.

The child is a fresh interpreter (`dicom_node.reading.child`), not a fork, so that it holds neither the parent's
descriptors nor its secrets. It dies with its parent: it holds one end of a pipe, and the kernel kills it when the other
end closes, whatever it is doing.
"""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dicom_node
from dicom_node.errors import DefectError, StudyError, TransientError
from dicom_node.reading.task_message import error_from_message
from dicom_node.reading.wire import Channel, ChannelClosedError, DeadlineError, Message, decoded

START_S = 180.0
"""How long a child may need until it is ready, s: imports on a cold disk."""

END_S = 5.0
"""How long a child whose channel has closed may need to be gone, s."""

_TICK_S = 0.25  # how often resident memory is looked at while waiting

_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "LD_LIBRARY_PATH")
_ENVIRONMENT_PREFIXES = ("CUDA_", "NVIDIA_", "ORT_")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use; 0: no limit.

    Attributes
    ----------
    address_space_bytes
        RLIMIT_AS. Not for processes that use a GPU: CUDA reserves far more than it uses.
    resident_bytes
        Resident memory at which the parent kills the child, looked at while it waits for an answer.
    cpu_s
        RLIMIT_CPU, s of all threads together.
    open_files
        RLIMIT_NOFILE.
    files
        May write to files (RLIMIT_FSIZE is 0 where not); sockets and pipes are not meant.
    threads
        Threads of numerical libraries, 0: as they like.
    niceness
        Added to the parent's.
    """

    address_space_bytes: int = 0
    resident_bytes: int = 0
    cpu_s: int = 0
    open_files: int = 256
    files: bool = False
    threads: int = 1
    niceness: int = 5


class Cage:
    """A child process that runs one function with a channel as its only argument.

    Parameters
    ----------
    entry
        "package.module:function"; the function takes a `dicom_node.reading.wire.Channel`.
    name
        How sentences name the process.
    limits
        What it may use.
    maximum_bytes
        Largest message taken from it.

    Raises
    ------
    TransientError
        If no process can be started.
    """

    def __init__(self, entry: str, name: str, limits: Limits, maximum_bytes: int = 2**32) -> None:
        self._name, self._limits = name, limits
        self._ready = False
        self.network = "unknown"
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        options = {"entry": entry, "channel": theirs.fileno(), "lifeline": lifeline, "limits": asdict(limits)}
        try:
            self._process = _started(options, limits)
        except OSError as error:
            ours.close()
            os.close(self._lifeline)
            raise TransientError(f"the {name} process did not start: {error.strerror}") from error
        finally:
            theirs.close()
            os.close(lifeline)
        self._channel = Channel(ours, maximum_bytes)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until the child has taken its limits and imported what it runs; sets `network`.

        Raises
        ------
        TransientError
            If it ends or does not get ready in time.
        """
        if self._ready:
            return
        message = self._receive(time.monotonic() + START_S)
        if message.kind != "ready":
            raise self._failed(message)
        self.network = "none" if message.body.get("network") == "none" else "shared"
        self._ready = True

    def send(self, message: Message, deadline: float) -> None:
        """Send a message; raises TransientError with the reason where the child has ended or does not read in time."""
        self.wait_ready()
        try:
            self._channel.send(message, deadline)
        except ChannelClosedError as error:
            raise self._ended() from error
        except DeadlineError as error:
            raise self._late() from error

    def receive(self, deadline: float) -> Message:
        """Wait for a message.

        Raises
        ------
        TransientError
            If the child ends, does not answer in time or grows beyond its limit; it is gone afterwards.
        StudyError
            What the child itself reports as its end.
        """
        self.wait_ready()
        return self._receive(deadline)

    def resident_bytes(self) -> int:
        """Resident memory now, 0 where the process has ended."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize()

    def close(self) -> None:
        """End the process and reap it; does nothing the second time."""
        if self._lifeline >= 0:
            self._channel.close()
            os.close(self._lifeline)
            self._lifeline = -1
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self, deadline: float) -> Message:
        try:
            self._wait_readable(deadline)
            message = self._channel.receive(deadline)
        except ChannelClosedError as error:
            raise self._ended() from error
        except DeadlineError as error:
            raise self._late() from error
        except DefectError:
            self.close()
            raise
        if message.kind == "dying":
            raise self._failed(message)
        return message

    def _wait_readable(self, deadline: float) -> None:
        limit, poll = self._limits.resident_bytes, select.poll()
        poll.register(self._channel, select.POLLIN)
        while not poll.poll(1000 * min(_TICK_S, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                raise DeadlineError
            if limit and (used := self.resident_bytes()) > limit:
                self.close()
                raise TransientError(f"the {self._name} process was killed: {used} bytes resident, {limit} allowed")

    def _failed(self, message: Message) -> StudyError:
        """What a child said before it ended."""
        self.close()
        return decoded(error_from_message, message)

    def _late(self) -> TransientError:
        self.close()
        return TransientError(f"the {self._name} process was killed: no answer by its deadline")

    def _ended(self) -> TransientError:
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        return TransientError(f"the {self._name} process ended: {_in_words(code)}")


def _started(options: dict[str, Any], limits: Limits) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "dicom_node.reading.child", json.dumps(options)],
        pass_fds=(options["channel"], options["lifeline"]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a traceback may quote a header
        env=_environment(limits),
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children itself
    )


def _in_words(code: int | None) -> str:
    if code is None:
        return "it closed its channel and hung"
    if code == -signal.SIGXCPU:
        return "it used up its processor time"
    if code == -signal.SIGKILL:
        return "killed by signal 9 (SIGKILL), as the kernel does when memory runs out"
    if code < 0:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    return f"exit status {code}"


def _environment(limits: Limits) -> dict[str, str]:
    """Environment of a child: what libraries need, and nothing secret that an administrator may have put there."""
    kept = {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith(_ENVIRONMENT_PREFIXES)}
    root = str(Path(dicom_node.__file__).parent.parent)
    if limits.threads:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
        kept |= dict.fromkeys(names, str(limits.threads))
    return kept | {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
    }
