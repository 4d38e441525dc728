import socket
import struct
import threading
import time

import pytest
from pynetdicom.transport import AssociationSocket

from dicom_node.association import PduSocket, set_up_pynetdicom


def pair(timeout_s: float = 0.5, longest_pdu: int = 1000) -> tuple[PduSocket, socket.socket]:
    """A connection: our end and the peer's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        ours = server.accept()[0]
    return PduSocket(ours, timeout_s=timeout_s, longest_pdu=longest_pdu), peer


def pdu(body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BBI", 4, 0, len(body) if length is None else length) + body


def read(connection: PduSocket, size: int, step: int = 64) -> bytes:
    """As pynetdicom reads: so many bytes, in steps."""
    data = b""
    while len(data) < size:
        piece = connection.recv(min(step, size - len(data)))
        if not piece:
            break
        data += piece
    return data


def test_pdus_are_handed_out_in_the_pieces_asked_for() -> None:
    ours, peer = pair()
    with ours, peer:
        peer.sendall(pdu(b"a" * 1000) + pdu(b"") + pdu(b"bc"))
        assert read(ours, 6) == pdu(b"", 1000)
        assert read(ours, 1000) == b"a" * 1000
        assert read(ours, 6) == pdu(b"")
        assert read(ours, 6) == pdu(b"", 2)
        assert read(ours, 2) == b"bc"
        peer.close()
        assert ours.recv(6) == b""


def test_a_long_pdu_is_refused_at_its_header() -> None:
    ours, peer = pair()
    with ours, peer:
        peer.sendall(pdu(b"", 0xFFFFFFFF))
        with pytest.raises(OSError, match="4294967295 bytes, 1000 are allowed"):
            ours.recv(6)


@pytest.mark.parametrize("sent", [b"\4", pdu(b"a" * 10, 20)])
def test_half_a_pdu_ends_at_the_deadline(sent: bytes) -> None:
    ours, peer = pair()
    with ours, peer:
        peer.sendall(sent)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            read(ours, 26)
        assert 0.4 < time.monotonic() - started < 1.5


def test_a_drip_of_bytes_ends_at_the_deadline_too() -> None:
    ours, peer = pair()
    stop = threading.Event()

    def drip() -> None:
        peer.sendall(pdu(b"", 500))
        while not stop.wait(0.1):
            peer.sendall(b"x")

    with ours, peer:
        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        try:
            with pytest.raises(TimeoutError):
                read(ours, 506)
            assert time.monotonic() - started < 1.5
        finally:
            stop.set()
            thread.join()


def test_a_peer_that_never_reads_does_not_hold_a_send() -> None:
    ours, peer = pair()
    with ours, peer:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            all(ours.send(b"x" * 100_000) for _ in range(1000))
        assert time.monotonic() - started < 3


def test_a_peer_that_closes_early_gives_what_there_was() -> None:
    ours, peer = pair()
    with ours, peer:
        peer.sendall(pdu(b"abc", 20))
        peer.close()
        assert read(ours, 26) == pdu(b"abc", 20)


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (b"\x01\0\0\0\x01\0", True),
        (pdu(b""), False),
        (b"\x01\0\0", False),
        (b"\x01\0\xff\0\0\0", False),
        (b"GET / ", False),
    ],
)
def test_an_association_begins_with_a_request(sent: bytes, begins: bool) -> None:  # noqa: FBT001
    ours, peer = pair(timeout_s=5)
    with ours, peer:
        peer.sendall(sent)
        assert ours.begins_association(0.2) is begins
        if begins:
            assert ours.recv(6) == sent  # it is still there


def test_a_connection_is_cut_under_whoever_waits_in_it() -> None:
    ours, peer = pair(timeout_s=20)
    with ours, peer:
        peer.sendall(pdu(b"", 20))
        ours.recv(6)
        threading.Timer(0.2, ours.cut).start()
        started = time.monotonic()
        assert ours.recv(20) == b""
        assert time.monotonic() - started < 5
        ours.cut()


def test_a_socket_is_closed_though_its_peer_was_never_there() -> None:
    set_up_pynetdicom()
    transport = AssociationSocket.__new__(AssociationSocket)
    transport.socket = socket.socket()
    transport._shutdown_socket()
    assert transport.socket.fileno() == -1


def test_replies_are_not_delayed() -> None:
    ours, peer = pair()
    with ours, peer:
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
