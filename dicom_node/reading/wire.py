"""Framed messages between processes: a JSON header and raw buffers, never a pickle; knows no nouns.

A frame is the header's length (8 bytes, little endian), the header (JSON, UTF-8) and the buffers, whose lengths the
header lists. A process that has parsed hostile bytes may send anything: lengths are checked before memory is reserved,
and every fault is an error of the family.
"""

import json
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dicom_node.errors import DefectError, TransientError

T = TypeVar("T")
Body = dict[str, Any]
Buffer = bytes | bytearray | memoryview

MAXIMUM_HEADER_BYTES = 64 * 2**20
"""Length of the JSON part; a narrative and a thousand findings are some megabytes."""

MAXIMUM_BUFFERS = 1_000_000
"""Buffers of one message; an instance is one buffer."""

_LENGTH = struct.Struct("<Q")
_VECTOR = 512  # buffers handed to one sendmsg; Linux takes 1024
_MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class ChannelClosedError(TransientError):
    """The other process closed the channel or died."""


class DeadlineError(TransientError):
    """The other process did not answer in time."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message: what it is, plain JSON values, and raw bytes."""

    kind: str
    body: Body
    buffers: tuple[Buffer, ...] = ()


def decoded(function: Callable[[Message], T], message: Message) -> T:
    """What `function` makes of a message from another process.

    Raises
    ------
    DefectError
        If the message is not what `function` reads.
    """
    try:
        return function(message)
    except _MALFORMED as error:
        raise DefectError(
            f"malformed {message.kind[:40]!r} message from another process ({type(error).__name__})"
        ) from error


class Channel:
    """One end of a stream socket that carries messages; used by one thread at a time.

    Parameters
    ----------
    connection
        A connected stream socket; the channel closes it.
    maximum_bytes
        Largest message taken, header and buffers together.
    """

    def __init__(self, connection: socket.socket, maximum_bytes: int) -> None:
        self._socket = connection
        self._maximum_bytes = maximum_bytes

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send one message.

        Parameters
        ----------
        message
            What to send.
        deadline
            On the clock of `time.monotonic`; None: wait for ever.

        Raises
        ------
        ChannelClosedError, DeadlineError
            If the other end is gone or does not read in time.
        """
        buffers = [memoryview(buffer).cast("B") for buffer in message.buffers]
        lengths = [len(buffer) for buffer in buffers]
        header = json.dumps([message.kind, message.body, lengths], allow_nan=False, separators=(",", ":")).encode()
        self._send_all([memoryview(_LENGTH.pack(len(header)) + header), *buffers], deadline)

    def receive(self, deadline: float | None = None) -> Message:
        """Receive one message.

        Raises
        ------
        ChannelClosedError, DeadlineError
            If the other end is gone or sends nothing in time.
        DefectError
            If what comes is no message, or one that is too large.
        """
        length = _LENGTH.unpack(self._read(_LENGTH.size, deadline))[0]
        if length > min(MAXIMUM_HEADER_BYTES, self._maximum_bytes):
            raise DefectError(f"a message header of {length} bytes from another process")
        kind, body, lengths = _parsed_header(self._read(length, deadline))
        if length + sum(lengths) > self._maximum_bytes:
            raise DefectError(
                f"a message of {length + sum(lengths)} bytes from another process, {self._maximum_bytes} allowed"
            )
        return Message(kind=kind, body=body, buffers=tuple(self._read(n, deadline) for n in lengths))

    def close(self) -> None:
        """Close the socket; the other end sees the end of the stream."""
        self._socket.close()

    def fileno(self) -> int:
        """Descriptor of the socket, for `select`."""
        return self._socket.fileno()

    def _send_all(self, pending: list[memoryview], deadline: float | None) -> None:
        start = 0
        try:
            while start < len(pending):
                self._socket.settimeout(_left(deadline))
                sent = self._socket.sendmsg(pending[start : start + _VECTOR])
                while start < len(pending) and sent >= len(pending[start]):
                    sent -= len(pending[start])
                    start += 1
                if sent:
                    pending[start] = pending[start][sent:]
        except TimeoutError as error:
            raise DeadlineError("another process did not take a message in time") from error
        except OSError as error:
            raise ChannelClosedError("another process closed its channel") from error

    def _read(self, length: int, deadline: float | None) -> bytearray:
        data = _reserved(length)
        view, done = memoryview(data), 0
        try:
            while done < length:
                self._socket.settimeout(_left(deadline))
                count = self._socket.recv_into(view[done:])
                if count == 0:
                    raise ChannelClosedError("another process closed its channel")
                done += count
        except TimeoutError as error:
            raise DeadlineError("another process did not answer in time") from error
        except OSError as error:
            raise ChannelClosedError("another process closed its channel") from error
        return data


def _reserved(length: int) -> bytearray:
    try:
        return bytearray(length)
    except MemoryError as error:
        raise TransientError(f"no memory for a message of {length} bytes") from error


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _parsed_header(data: bytearray) -> tuple[str, Body, Sequence[int]]:
    try:
        kind, body, lengths = json.loads(data, parse_constant=_no_number)
    except (RecursionError, TypeError, ValueError) as error:
        raise DefectError(f"a malformed message from another process ({type(error).__name__})") from error
    known = (
        isinstance(kind, str)
        and isinstance(body, dict)
        and isinstance(lengths, list)
        and len(lengths) <= MAXIMUM_BUFFERS
    )
    if not known or not all(type(n) is int and n >= 0 for n in lengths):
        raise DefectError("a malformed message from another process")
    return kind, body, lengths
