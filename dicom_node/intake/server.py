"""The TCP server beneath the listener: bounded sockets, a backlog, and an end in bounded time; knows no service."""

import sys
import threading
import time
from socket import SHUT_RDWR, socket
from socketserver import BaseServer
from typing import Any

import structlog
from pynetdicom.association import Association
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.association import PduSocket

log = structlog.get_logger(__name__)

_LONGEST_PDU = 131072  # of an A-ASSOCIATE-RQ; maximum_pdu_bytes is no more


class Server(ThreadedAssociationServer):
    """Accepts connections for an AE; `pdu_timeout_s` may be set before `listen`."""

    request_queue_size = 128  # a burst of connections waits instead of being reset
    pdu_timeout_s = 30.0

    def listen(self) -> None:
        """Accept connections in a thread of its own, until `close`."""
        threading.Thread(target=self.serve_forever, name="listener", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections; associations go on."""
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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a connection did not become an association."""
        log.error("association_failed", error=type(sys.exception()).__name__)


def _cut(association: Association) -> None:
    """A thread that waits in the connection for the rest of a PDU comes back at once."""
    transport = association.dul.socket
    connection = transport.socket if transport else None
    if connection is not None:
        connection.shutdown(SHUT_RDWR)
