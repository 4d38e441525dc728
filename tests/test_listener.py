import random
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, build_context, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from dicom_node.association import keep_responses
from dicom_node.config import Config, parse
from dicom_node.intake.contexts import IMAGE_STORAGE, TRANSFER_SYNTAXES
from dicom_node.intake.listener import Listener
from dicom_node.records.ledger import Ledger, open_ledger
from dicom_node.records.part10 import read_meta
from dicom_node.records.spool import Spool
from tests import peers
from tests.arriving import EXPLICIT, IMPLICIT, encoded, file_of, files_below, slices
from tests.loopback import wait_until


class Room:
    """A listener that runs, its spool and its ledger."""

    def __init__(self, config: Config, **faults: Any) -> None:
        self.config = config
        self.spool = Spool(config.spool_dir, config.listener.minimum_free_bytes)
        self.ledger: Ledger = open_ledger(config, "listener")
        for name, fault in faults.items():
            setattr(self.ledger, name, fault)
        self.listener = Listener(config, self.spool, self.ledger)
        self.listener.start()

    def instances(self) -> int:
        return sum(arrivals.instances for arrivals in self.ledger.open_studies())

    def files(self) -> list[Path]:
        return files_below(self.config.spool_dir)


@contextmanager
def listening(folder: Path, listener: str = "", faults: dict[str, Any] | None = None) -> Iterator[Room]:
    text = f"""
        [node]
        ae_title = "NODE"
        state_dir = "{folder / "state"}"
        [listener]
        port = 0
        minimum_free_bytes = 0
        {listener}
        [[caller]]
        ae_title = "PACS"
        address = "127.0.0.1"
        """
    room = Room(parse(text), **faults or {})
    try:
        yield room
    finally:
        room.listener.stop()
        room.ledger.close()


@pytest.fixture(name="room")
def room_fixture(tmp_path: Path) -> Iterator[Room]:
    with listening(tmp_path) as running:
        yield running


def call(
    room: Room, *contexts: Any, called: str = "NODE", calling: str = "PACS", address: str = "127.0.0.1"
) -> Association:
    """Ask for an association; by default for MR images in Explicit VR Little Endian."""
    ae = AE(ae_title=calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    return ae.associate(
        "127.0.0.1",
        room.listener.port,
        contexts=list(contexts) or [build_context(MRImageStorage, EXPLICIT)],
        ae_title=called,
        bind_address=(address, 0),
        evt_handlers=[(evt.EVT_CONN_OPEN, lambda event: keep_responses(event.assoc))],
    )


def may_come_in(room: Room) -> bool:
    """Whether a caller finds a free place."""
    association = call(room)
    welcome = association.is_established
    association.release()
    return welcome


def store(association: Association, *datasets: Dataset) -> list[int | None]:
    """Statuses of the answers; the association is released."""
    try:
        return [association.send_c_store(dataset).get("Status") for dataset in datasets]
    finally:
        association.release()


# -- who may come in -----------------------------------------------------------------------------------------------


def test_of_all_callers_exactly_one_is_let_in(room: Room) -> None:
    answers: dict[tuple[str, str, str], int | None] = {}
    for called, calling, address in product(("NODE", "OTHER"), ("PACS", "EVIL"), ("127.0.0.1", "127.0.0.2")):
        association = call(room, build_context(Verification), called=called, calling=calling, address=address)
        if association.is_established:
            assert association.send_c_echo().Status == 0x0000
            association.release()
            answers[called, calling, address] = None
        else:
            assert association.is_rejected
            answer: Any = association.acceptor.primitive
            assert (answer.result, answer.result_source) == (1, 1)
            answers[called, calling, address] = answer.diagnostic
    assert [who for who, answer in answers.items() if answer is None] == [("NODE", "PACS", "127.0.0.1")]
    assert {answer for (called, _, _), answer in answers.items() if called == "OTHER"} == {7}
    assert sorted(str(a) for (called, _, _), a in answers.items() if called == "NODE") == ["3", "3", "3", "None"]
    wait_until(lambda: room.ledger.audit_verdict().rows == 7, 5, "each refusal in the audit")


def test_only_what_is_configured_is_offered(room: Room) -> None:
    uids = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    uids += [str(StudyRootQueryRetrieveInformationModelMove), "1.2.840.10008.1.20.1", str(Verification)]
    taken = set[str]()
    for start in range(0, len(uids), 100):
        association = call(
            room, *(build_context(uid) for uid in uids[start : start + 100]), build_context(CTImageStorage)
        )
        taken |= {str(context.abstract_syntax) for context in association.accepted_contexts}
        association.release()
    assert taken == {str(uid) for uid in (*IMAGE_STORAGE, Verification)}


def test_transfer_syntaxes(room: Room) -> None:
    offered = [
        *TRANSFER_SYNTAXES,
        UID("1.2.840.10008.1.2.1.99"),
        UID("1.2.840.10008.1.2.2"),
        UID("1.2.840.10008.1.2.4.50"),
    ]
    association = call(room, *(build_context(MRImageStorage, syntax) for syntax in offered))
    taken = {context.transfer_syntax[0] for context in association.accepted_contexts}
    association.release()
    assert taken == set(TRANSFER_SYNTAXES)


def test_an_added_class_is_taken(tmp_path: Path) -> None:
    private = "1.3.12.2.1107.5.9.77"
    dataset = slices(1)[0]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(private)
    with listening(tmp_path, f'extra_sop_classes = ["{private}"]') as room:
        assert store(call(room, build_context(private, EXPLICIT)), dataset) == [0x0000]
        assert room.instances() == 1


# -- what happens to what is sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_series_is_kept_as_it_was_sent(room: Room, syntax: str) -> None:
    datasets = slices(5)
    for dataset in datasets:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    assert store(call(room, build_context(MRImageStorage, syntax)), *datasets) == [0x0000] * 5
    assert room.instances() == 5
    kept = {}
    for path in room.files():
        meta = read_meta(path.read_bytes())
        assert meta is not None
        kept[meta.media_storage_sop_instance_uid] = path.read_bytes()[meta.dataset_offset :]
        assert room.spool.verify(path.stem)
    assert kept == {str(d.SOPInstanceUID): encoded(d, syntax) for d in datasets}
    assert room.ledger.audit_verdict().rows == 6  # one beginning, five transfers


def test_sent_twice_is_kept_once_and_changed_is_refused(room: Room) -> None:
    datasets = slices(3)
    assert store(call(room), *datasets) == [0x0000] * 3
    assert store(call(room), *datasets) == [0x0000] * 3
    datasets[1].PatientName = "Other^Name"
    assert store(call(room), *datasets) == [0x0000, 0x0111, 0x0000]
    assert (room.instances(), len(room.files())) == (3, 3)


def test_a_full_disk_and_after_it(tmp_path: Path) -> None:
    with listening(tmp_path, "") as room:
        room.spool._minimum_free_bytes = 2**62
        assert store(call(room), *slices(2)) == [0xA700, 0xA700]
        room.spool._minimum_free_bytes = 0
        assert store(call(room), *slices(2)) == [0x0000, 0x0000]


def test_an_unexpected_fault_is_never_a_success(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(*_args: object, **_keywords: object) -> None:
        raise ZeroDivisionError("CANARY")

    with listening(tmp_path, faults={"record_instance": broken}) as room:
        assert store(call(room), slices(1)[0]) == [0xC211]
        assert room.instances() == 0
    said = "".join(capfd.readouterr())
    assert "store_failed" in said
    assert "ZeroDivisionError" in said
    assert "CANARY" not in said


def test_an_instance_under_another_classs_context_is_refused(room: Room) -> None:
    dataset = slices(1)[0]
    context = build_context(MRImageStorage, EXPLICIT)
    association = call(room, context, build_context(CTImageStorage, EXPLICIT))
    dataset.SOPClassUID = CTImageStorage
    association._accepted_cx = {
        number: cx for number, cx in association._accepted_cx.items() if cx.abstract_syntax == MRImageStorage
    }
    for accepted in association._accepted_cx.values():
        accepted._abstract_syntax = CTImageStorage
    assert store(association, dataset) == [0x0122]
    assert room.files() == []


def test_an_instance_beyond_the_limit_is_cut_off_and_the_next_caller_is_served(tmp_path: Path) -> None:
    dataset = slices(1)[0]
    small = file_of(dataset)
    with listening(tmp_path, f"maximum_instance_bytes = {2**20}\nmaximum_pdu_bytes = 16384") as room:
        dataset.add_new(0x00091001, "UN", b"\0" * (4 * 2**20))
        assert store(call(room), dataset) in ([None], [0xA700])
        assert room.files() == []
        assert len(small) < 2**20
        assert store(call(room), *slices(1)) == [0x0000]


def test_many_at_once(tmp_path: Path) -> None:
    answers: list[list[int | None]] = []

    def send(seed: str) -> None:
        answers.append(store(call(room), *slices(10, seed=seed)))

    with listening(tmp_path) as room:
        threads = [threading.Thread(target=send, args=(f"sender {n % 3}",)) for n in range(6)]  # each study twice
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [[0x0000] * 10] * 6
        assert (room.instances(), len(room.files())) == (30, 30)
        assert room.ledger.audit_verdict().fault is None


# -- hostile peers -------------------------------------------------------------------------------------------------


def test_no_more_associations_than_allowed(tmp_path: Path) -> None:
    with listening(tmp_path, "maximum_associations = 2") as room:
        first, second = call(room), call(room)
        third = call(room)
        answer: Any = third.acceptor.primitive
        assert third.is_rejected
        assert (answer.result, answer.result_source, answer.diagnostic) == (2, 3, 2)
        first.release()
        wait_until(lambda: may_come_in(room), 5, "a free place")
        second.release()


NO_ASSOCIATION = {
    "silence": b"",
    "half a header": b"\x01\x00\x00",
    "HTTP": b"GET / HTTP/1.1\r\nHost: node\r\n\r\n",
    "a request of 4 GiB": struct.pack(">BBI", 1, 0, 0xFFFFFFFF) + b"\0" * 1000,
    "a malformed request": struct.pack(">BBI", 1, 0, 200) + b"\xff" * 200,
    "an abort": struct.pack(">BBI", 7, 0, 4) + b"\0" * 4,
    "noise": random.Random(1).randbytes(500),
}


@pytest.mark.parametrize("sent", NO_ASSOCIATION.values(), ids=NO_ASSOCIATION)
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
def test_what_is_no_association_takes_nobodys_place(tmp_path: Path, sent: bytes, *, stays: bool) -> None:
    with listening(tmp_path, "maximum_associations = 2") as room:
        hostile = [socket.create_connection(("127.0.0.1", room.listener.port)) for _ in range(30)]
        for connection in hostile:
            connection.sendall(sent)
            if not stays:
                connection.close()
        wait_until(lambda: may_come_in(room), 2, "a free place")
        assert store(call(room), *slices(1)) == [0x0000]
        for connection in hostile:
            connection.close()


def test_beyond_a_number_silent_connections_are_closed_at_once(room: Room) -> None:
    silent = [socket.create_connection(("127.0.0.1", room.listener.port)) for _ in range(80)]
    time.sleep(0.5)
    silent[-1].settimeout(2)
    assert silent[-1].recv(1) == b""
    for connection in silent:
        connection.close()
    wait_until(lambda: may_come_in(room), 2, "a free place")


def test_bytes_of_a_changed_conversation_disturb_nobody(room: Room) -> None:
    """An association request and a store as DCMTK would send them, with bytes changed at random."""
    recorded = recorded_conversation(room)
    chance = random.Random(7)
    for _ in range(100):
        changed = bytearray(recorded)
        for _ in range(chance.randint(1, 8)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        with suppress(OSError), socket.create_connection(("127.0.0.1", room.listener.port)) as connection:
            connection.sendall(bytes(changed))
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.2)
            while connection.recv(4096):
                pass
    wait_until(lambda: may_come_in(room), 2, "a free place")
    assert room.ledger.audit_verdict().fault is None
    assert all(room.spool.verify(path.stem) for path in room.files())


def recorded_conversation(room: Room) -> bytes:
    """What a sender writes for one store, recorded by a relay."""
    sent = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as relay:
        port = relay.getsockname()[1]

        def pass_on() -> None:
            client = relay.accept()[0]
            upstream = socket.create_connection(("127.0.0.1", room.listener.port))

            def back() -> None:
                while data := upstream.recv(65536):
                    client.sendall(data)

            threading.Thread(target=back, daemon=True).start()
            try:
                while data := client.recv(65536):
                    sent.extend(data)
                    upstream.sendall(data)
            except OSError:
                pass
            upstream.close()
            client.close()

        thread = threading.Thread(target=pass_on, daemon=True)
        thread.start()
        ae = AE(ae_title="PACS")
        association = ae.associate(
            "127.0.0.1", port, contexts=[build_context(MRImageStorage, EXPLICIT)], ae_title="NODE"
        )
        store(association, slices(1, seed="recorded")[0])
        thread.join(5)
    return bytes(sent)


# -- the end -------------------------------------------------------------------------------------------------------


def test_stop_ends_stalled_and_busy_associations_in_time_and_loses_nothing(tmp_path: Path) -> None:
    acknowledged: list[str] = []

    def send(seed: str) -> None:
        association = call(room)
        association.dimse_timeout = 3
        for dataset in slices(200, seed=seed):
            if not association.is_established:
                return
            try:
                if association.send_c_store(dataset).get("Status") == 0x0000:
                    acknowledged.append(str(dataset.SOPInstanceUID))
            except RuntimeError:
                return

    with listening(tmp_path) as room:
        senders = [threading.Thread(target=send, args=(f"busy {n}",)) for n in range(3)]
        stalled = []
        for _ in range(3):
            connection = socket.create_connection(("127.0.0.1", room.listener.port))
            connection.sendall(struct.pack(">BBI", 1, 0, 300) + b"\0" * 16)
            stalled.append(connection)
        for sender in senders:
            sender.start()
        wait_until(lambda: len(acknowledged) > 10, 60, "some stores")
        started = time.monotonic()
        room.listener.stop()
        assert time.monotonic() - started < 10
        for sender in senders:
            sender.join(20)
        for connection in stalled:
            connection.close()
        kept = {meta.media_storage_sop_instance_uid for path in room.files() if (meta := read_meta(path.read_bytes()))}
        assert set(acknowledged) <= kept
        assert room.instances() >= len(acknowledged)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", room.listener.port))


# -- DCMTK ---------------------------------------------------------------------------------------------------------


def dcmtk(program: str, room: Room, *arguments: str, calling: str = "PACS") -> subprocess.CompletedProcess[str]:
    command = [
        peers.program(program),
        "-aet",
        calling,
        "-aec",
        "NODE",
        "127.0.0.1",
        str(room.listener.port),
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.peer
def test_dcmtk_is_answered_if_it_may_come_in(room: Room) -> None:
    assert dcmtk("echoscu", room).returncode == 0
    refused = dcmtk("echoscu", room, calling="EVIL")
    assert refused.returncode != 0
    assert "Calling AE Title Not Recognized" in refused.stderr


@pytest.mark.peer
def test_dcmtk_stores_a_series(room: Room, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    datasets = slices(20)
    for number, dataset in enumerate(datasets):
        (folder / f"{number}.dcm").write_bytes(file_of(dataset))
    stored = dcmtk("storescu", room, "+sd", str(folder))
    assert stored.returncode == 0, stored.stderr
    assert (room.instances(), len(room.files())) == (20, 20)
    again = dcmtk("storescu", room, "+sd", str(folder))
    assert again.returncode == 0, again.stderr
    assert room.instances() == 20
