"""What every association has in common: a silent pynetdicom, a socket that bounds each PDU; knows no service."""

import logging
import socket
import struct
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from queue import Queue
from typing import TYPE_CHECKING, Any

from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.fsm import InvalidEventError
from pynetdicom.transport import AssociationSocket

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_QUOTING_WARNINGS = "Invalid value|The value length|The number of PN components|Failed to decode|Unknown encoding"
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    InvalidEventError,
)
_A_ASSOCIATE_RQ = 1
_PDU_HEADER = struct.Struct(">BxI")  # PS3.8 9.3.1: type, reserved, length of what follows


def set_up_pynetdicom() -> None:
    """Keep wire text out of the logs, let stored files be sent as they are and sockets be closed.

    pynetdicom and pydicom log, and warn of, values that they quote; what a person must know, our own events say.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", message=_QUOTING_WARNINGS, category=UserWarning)
    _config.STORE_SEND_CHUNKED_DATASET = True  # a path is sent byte for byte, never decoded
    AssociationSocket._shutdown_socket = _close  # type: ignore[method-assign, assignment]


def _close(transport: AssociationSocket) -> None:
    """As pynetdicom 3.0.4 does it, and also where the shutdown fails because the peer was faster or never there."""
    if transport.socket is not None:
        with suppress(OSError):
            transport.socket.shutdown(socket.SHUT_RDWR)
        transport.socket.close()


def keep_responses(association: Association) -> None:
    """Let no response be lost on an association that sends; call it before the association is established.

    Now and then pynetdicom 3.0.4's own loop takes a response that a `send_...` is waiting for, and drops it. Here it is
    put back.
    """
    serve = association._serve_request

    def serve_or_put_back(message: Any, context_id: int) -> None:
        if message.MessageIDBeingRespondedTo is None:
            serve(message, context_id)
        else:
            association.dimse.msg_queue.put((context_id, message))

    association._serve_request = serve_or_put_back  # type: ignore[method-assign, assignment]


def contain_faults(association: Association, tell: Callable[[str], None]) -> None:
    """Let an association end with its protocol thread, and quietly; call it before the association is started.

    What a hostile peer sends can take pynetdicom 3.0.4's state machine where it has no rule: a traceback on stderr. And
    when a request was malformed, the association holds its place among the permitted ones until a timeout.

    Parameters
    ----------
    tell
        Called with the name of the error's class.
    """
    run = association.dul.run
    waiting: Queue[Any] = association.dul.to_user_queue  # None ends a wait, and is not in its type

    def run_contained() -> None:
        try:
            run()
        except _MALFORMED as error:
            tell(type(error).__name__)
        finally:
            # whoever still waits for a request on it waits no longer, and its place is free for another caller
            waiting.put(None)

    association.dul.run = run_contained  # type: ignore[method-assign]


class PduSocket(socket.socket):
    """A TCP socket that reads whole PDUs: each within a deadline and a length, checked before memory is reserved.

    pynetdicom 3.0.4 reads 4096 bytes at a time and waits for ever for the rest of a PDU. It asks for six bytes, the
    header, then for the body; both are fetched here at once and handed out in the pieces it asks for. Replies are not
    delayed (TCP_NODELAY) and what arrives is acknowledged at once (TCP_QUICKACK): together 40 ms for each instance.

    Parameters
    ----------
    connection
        The connected socket that this one takes the place of; it is detached.
    timeout_s
        For the header of a PDU, for its body, and for each send, s.
    longest_pdu
        Largest PDU length taken, bytes.
    """

    def __init__(self, connection: socket.socket, *, timeout_s: float, longest_pdu: int) -> None:
        super().__init__(fileno=connection.detach())
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timeout_s = timeout_s
        self._longest_pdu = longest_pdu
        self._body_length = 0
        self._waiting = memoryview(b"")  # fetched, not yet handed out

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """At most `bufsize` bytes of the PDU that is being read; empty when the peer has closed.

        Raises
        ------
        TimeoutError
            If header or body did not come in time.
        OSError
            If the PDU is longer than allowed.
        """
        if not self._waiting:
            self._waiting = self._fetch_body() if self._body_length else self._fetch_header(self._timeout_s)
        piece, self._waiting = self._waiting[:bufsize], self._waiting[bufsize:]
        return bytes(piece)

    def begins_association(self, within_s: float) -> bool:
        """Whether an A-ASSOCIATE-RQ of allowed length begins within the time; its header stays to be received."""
        try:
            self._waiting = header = self._fetch_header(within_s)
        except OSError:
            return False
        return len(header) == _PDU_HEADER.size and header[0] == _A_ASSOCIATE_RQ

    def send(self, data: "ReadableBuffer", flags: int = 0, /) -> int:
        """As socket.send, within the deadline."""
        self.settimeout(self._timeout_s)
        return super().send(data, flags)

    def cut(self) -> None:
        """End the connection, from any thread: whoever waits in it comes back at once."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def _fetch_header(self, timeout_s: float) -> memoryview:
        header = self._fetch(_PDU_HEADER.size, timeout_s)
        if len(header) == _PDU_HEADER.size:
            _, length = _PDU_HEADER.unpack(header)
            if length > self._longest_pdu:
                raise OSError(f"a PDU of {length} bytes, {self._longest_pdu} are allowed")
            self._body_length = length
        return header

    def _fetch_body(self) -> memoryview:
        length, self._body_length = self._body_length, 0
        return self._fetch(length, self._timeout_s)

    def _fetch(self, length: int, timeout_s: float) -> memoryview:
        """`length` bytes, fewer if the peer closes."""
        view, filled = memoryview(bytearray(length)), 0
        deadline = time.monotonic() + timeout_s
        while filled < length:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{filled} of {length} bytes of a PDU came in {timeout_s:g} s")
            self.settimeout(left)
            count = self.recv_into(view[filled:])
            if count == 0:
                break
            filled += count
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # Linux forgets it after some packets
        return view[:filled]
