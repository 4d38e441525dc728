"""The line from the worker to who asked: a local socket on which an answer comes while it is written; remembers none.

Who asks listens in the state folder, under a name that only the ledger knows besides; the worker that takes the
question calls, and so does the next one where it dies. What became of the question stands in the ledger.
"""

import os
import secrets
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dicom_node.errors import NodeError
from dicom_node.reading.question_message import WRITTEN, piece_from_message, piece_to_message
from dicom_node.reading.wire import Channel, decoded
from inference.asked import Mode

FOLDER = "asks"
"""Of the sockets, below the state folder; mode 0700."""

_LARGEST = 2**20  # bytes of a piece
_PATIENCE_S = 5.0  # for one that does not read
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)


class Ear:
    """Who asks, waiting; hears worker after worker."""

    def __init__(self, name: str, socket_: socket.socket) -> None:
        self.name = name
        self._socket = socket_
        self._channel: Channel | None = None

    @property
    def connected(self) -> bool:
        """Whether a worker is on the line."""
        return self._channel is not None

    def heard(self, timeout_s: float) -> tuple[Mode, str] | None:
        """The next piece of an answer; None if none came in time, or a worker called or hung up."""
        source = self._channel or self._socket
        if not select.select([source], [], [], timeout_s)[0]:
            return None
        if self._channel is None:
            self._answer()
            return None
        try:
            message = self._channel.receive(time.monotonic() + _PATIENCE_S)
        except NodeError:
            self.hang_up()
            return None
        return decoded(piece_from_message, message) if message.kind == WRITTEN else None

    def hang_up(self) -> None:
        """Close the line; another worker may call."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _answer(self) -> None:
        connection, _ = self._socket.accept()
        if _user(connection) != os.getuid():
            connection.close()
            return
        self._channel = Channel(connection, _LARGEST)


@contextmanager
def listening(state_dir: Path) -> Iterator[Ear]:
    """Listen for a worker under a new name; the socket is gone at the end."""
    folder, name = state_dir / FOLDER, secrets.token_hex(16)
    folder.mkdir(mode=0o700, exist_ok=True)
    with _inside(folder) as inside, socket.socket(socket.AF_UNIX) as ours:
        try:
            ours.bind(f"{inside}/{name}")
            (folder / name).chmod(0o600)
            ours.listen(1)
            ear = Ear(name, ours)
            try:
                yield ear
            finally:
                ear.hang_up()
        finally:
            (folder / name).unlink(missing_ok=True)


class Caller:
    """The worker's end; a line that cannot be had, or breaks, means that who asked is gone."""

    def __init__(self, state_dir: Path, name: str) -> None:
        self._channel = _called(state_dir / FOLDER, name)

    @property
    def gone(self) -> bool:
        """Whether nobody is on the line any more."""
        if self._channel is not None and select.select([self._channel], [], [], 0)[0]:
            self.hang_up()  # who asks sends nothing: the line has ended
        return self._channel is None

    def hear(self, mode: Mode, text: str) -> None:
        """Send a piece of the answer."""
        if self._channel is None:
            return
        try:
            self._channel.send(piece_to_message(mode, text), time.monotonic() + _PATIENCE_S)
        except NodeError:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the line."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _called(folder: Path, name: str) -> Channel | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        with _inside(folder) as inside:
            connection.connect(f"{inside}/{name}")
        if _user(connection) == os.getuid():
            return Channel(connection, _LARGEST)
    except OSError:
        with suppress(OSError):
            (folder / name).unlink()  # of one that was killed
    connection.close()
    return None


@contextmanager
def _inside(folder: Path) -> Iterator[str]:
    """A short way into a folder: the path of a socket has at most 107 bytes (unix(7))."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _user(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(credentials)[1]
    return uid
