"""The TCP server beneath the listener: bounded sockets, proof of life, and an end in bounded time; knows no service."""

import sys
import threading
import time
from socket import socket
from socketserver import BaseServer
from typing import Any

import structlog
from pynetdicom.association import Association
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.association import PduSocket

log = structlog.get_logger(__name__)

_LONGEST_PDU = 131072  # of an A-ASSOCIATE-RQ; maximum_pdu_bytes is no more
_PROOF_OF_LIFE_S = 5.0
_MOST_UNPROVEN = 64


class Server(ThreadedAssociationServer):
    """Accepts connections for an AE; `pdu_timeout_s` may be set before `listen`.

    A connection becomes an association only when a request begins on it: port checks, HTTP and silence cost one short
    thread each, and none of the places that known callers need.
    """

    request_queue_size = 128  # a burst of connections waits instead of being reset
    daemon_threads = True
    pdu_timeout_s = 30.0
    _closing = False
    _unproven = 0

    def listen(self) -> None:
        """Accept connections in a thread of its own, until `close`."""
        threading.Thread(target=self.serve_forever, name="listener", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections; associations go on."""
        self._closing = True
        BaseServer.shutdown(self)
        self.server_close()

    def end_associations(self, within_s: float) -> int:
        """A-ABORT to whoever is established, and every connection cut after `within_s`; returns how many there were."""
        associations = self.active_associations
        for association in associations:
            if association.is_established:
                association.abort(block=False)
            else:
                _cut(association)  # it never said who it is
        deadline = time.monotonic() + within_s
        for association in associations:
            association.dul.join(max(0.0, deadline - time.monotonic()))
            _cut(association)
        return len(associations)

    def get_request(self) -> tuple[socket, tuple[str, int]]:
        """The next connection, its PDUs bounded."""
        connection, address = super().get_request()
        return PduSocket(connection, timeout_s=self.pdu_timeout_s, longest_pdu=_LONGEST_PDU), address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread of its own, unless too many have not said yet what they want."""
        with _unproven_lock:
            full = self._unproven >= _MOST_UNPROVEN
            self._unproven += not full
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Make an association of a connection on which a request begins; close the others."""
        try:
            proven = request.begins_association(_PROOF_OF_LIFE_S)
        finally:
            with _unproven_lock:
                self._unproven -= 1
        if proven and not self._closing:
            super().process_request_thread(request, client_address)
        else:
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a connection did not become an association."""
        log.error("association_failed", error=type(sys.exception()).__name__)


_unproven_lock = threading.Lock()


def _cut(association: Association) -> None:
    transport = association.dul.socket
    connection = transport.socket if transport else None
    if isinstance(connection, PduSocket):
        connection.cut()
