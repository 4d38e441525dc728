"""Destinations that stall: each takes a connection and then does what hostile or broken peers do."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.presentation import negotiate_as_acceptor

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextmanager
def peer(behaviour: Behaviour) -> Iterator[int]:
    """A peer on loopback, and its port."""
    stop, connections, threads = threading.Event(), list[socket.socket](), list[threading.Thread]()

    def run(connection: socket.socket) -> None:
        try:
            behaviour(connection, stop)
        except OSError:
            return

    def accept(server: socket.socket) -> None:
        while not stop.is_set():
            try:
                connection = server.accept()[0]
            except OSError:
                return
            connections.append(connection)
            threads.append(threading.Thread(target=run, args=(connection,), daemon=True))
            threads[-1].start()

    server = socket.create_server(("127.0.0.1", 0))
    accepting = threading.Thread(target=accept, args=(server,), daemon=True)
    accepting.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        accepting.join(5)
        for connection in connections:
            connection.close()
        for thread in threads:
            thread.join(5)


def silent(connection: socket.socket, stop: threading.Event) -> None:
    """Takes the connection and says nothing."""
    stop.wait(60)


def half_an_acceptance(connection: socket.socket, stop: threading.Event) -> None:
    """Begins an A-ASSOCIATE-AC and stops."""
    connection.sendall(b"\x02\x00\x00")
    stop.wait(60)


def a_drip(connection: socket.socket, stop: threading.Event) -> None:
    """Sends its A-ASSOCIATE-AC a byte at a time."""
    connection.sendall(struct.pack(">BBI", 2, 0, 400))
    while not stop.wait(0.2):
        connection.sendall(b"\0")


def accepted_then_silent(connection: socket.socket, stop: threading.Event) -> None:
    """Accepts the association, reads everything, answers nothing."""
    _accept(connection)
    while not stop.is_set() and connection.recv(65536):
        pass


def half_a_response(connection: socket.socket, stop: threading.Event) -> None:
    """Accepts the association, reads, and begins a response."""
    _accept(connection)
    connection.recv(65536)
    connection.sendall(b"\x04\x00\x00")
    stop.wait(60)


def never_reads(connection: socket.socket, stop: threading.Event) -> None:
    """Accepts the association and reads no more."""
    _accept(connection)
    stop.wait(60)


def too_long(connection: socket.socket, stop: threading.Event) -> None:
    """Announces an A-ASSOCIATE-AC of 4 GiB and sends as much of it as it can."""
    connection.sendall(struct.pack(">BBI", 2, 0, 0xFFFFFFFF))
    while not stop.is_set():
        connection.sendall(b"\0" * 65536)


def closes(connection: socket.socket, stop: threading.Event) -> None:
    """Closes at once."""
    connection.close()


def closes_when_asked_to_store(connection: socket.socket, stop: threading.Event) -> None:
    """Accepts the association and closes at the first data."""
    _accept(connection)
    connection.recv(10)
    connection.close()


STALLING = (silent, half_an_acceptance, a_drip, accepted_then_silent, half_a_response, never_reads)
BROKEN = (too_long, closes, closes_when_asked_to_store)


def _accept(connection: socket.socket) -> None:
    """Answer an association request with everything it asks for."""
    header = _exactly(connection, 6)
    request = A_ASSOCIATE_RQ()
    request.decode(header + _exactly(connection, struct.unpack(">BBI", header)[2]))
    primitive = request.to_primitive()
    wanted = primitive.presentation_context_definition_list
    accepted, _ = negotiate_as_acceptor(wanted, wanted)
    primitive.presentation_context_definition_results_list = accepted
    primitive.presentation_context_definition_list = []
    primitive.result = 0
    connection.sendall(A_ASSOCIATE_AC(primitive).encode())


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise OSError("closed")
        data += piece
    return data
