import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    MRImageStorage,
    Verification,
)

from dicom_node.config import DestinationTable
from dicom_node.delivery.link import Link, NotTakenError, UnreachableError
from dicom_node.errors import TransientError
from dicom_node.operation.small_pacs import SmallPacs
from tests.arriving import EXPLICIT, file_of, slices
from tests.hostile_peers import (
    BROKEN,
    STALLING,
    Behaviour,
    accepted_then_silent,
    half_a_response,
    never_reads,
    peer,
)
from tests.loopback import free_port

MR = build_context(MRImageStorage, EXPLICIT)


def link(port: int, *, connect_s: float = 1.0, response_s: float = 1.0, called: str = "PACS") -> Link:
    return Link(
        DestinationTable(
            name="pacs",
            ae_title=called,
            host="127.0.0.1",
            port=port,
            connect_timeout_s=connect_s,
            response_timeout_s=response_s,
        ),
        "NODE",
    )


def large() -> Dataset:
    """More than the buffers of two sockets on loopback hold."""
    dataset = slices(1)[0]
    dataset.add_new(0x00091001, "UN", bytes(16 * 2**20))
    return dataset


def attempt(to: Link, item: Path | Dataset) -> int | str | None:
    """Status of a store, or what kept it from happening."""
    try:
        to.open([MR])
        return to.store(item, 1.0)
    except TransientError as error:
        return str(error)
    finally:
        to.close()


@pytest.mark.parametrize("behaviour", STALLING, ids=lambda b: b.__name__)
def test_a_stalling_peer_costs_the_deadline_and_no_more(behaviour: Behaviour) -> None:
    before = set(threading.enumerate())
    with peer(behaviour) as port:
        started = time.monotonic()
        said = attempt(link(port), large())
        took = time.monotonic() - started
        assert said is None or "no answer" in str(said)
        assert 0.9 < took < 2.0  # one deadline of 1 s, and less than 1 s more
        time.sleep(0.3)
        left = [t for t in threading.enumerate() if t not in before and not t.daemon]
        assert left == []  # no thread that would keep the process from ending


@pytest.mark.parametrize("behaviour", BROKEN, ids=lambda b: b.__name__)
def test_a_broken_peer_is_an_unknown_outcome_at_once(behaviour: Behaviour) -> None:
    with peer(behaviour) as port:
        started = time.monotonic()
        said = attempt(link(port), large())
        assert said is None or "no answer" in str(said)
        assert time.monotonic() - started < 2.0


@pytest.mark.parametrize("behaviour", [accepted_then_silent, never_reads, half_a_response], ids=lambda b: b.__name__)
def test_a_peer_that_is_silent_at_the_end_leaves_no_socket_open(behaviour: Behaviour) -> None:
    """The release and the silence of the network run out in the same moment, and only one of them may abort."""
    with peer(behaviour) as port:
        to = link(port, response_s=2.0)
        to.open([MR])
        to.close()
        assert to._connection is not None
        assert to._connection.fileno() == -1


def test_nobody_there() -> None:
    with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1 port"):
        link(free_port()).open([MR])


def test_a_name_that_nobody_knows() -> None:
    destination = DestinationTable(name="p", ae_title="P", host="no-such-host.invalid", port=104)
    with pytest.raises(UnreachableError, match=r"no-such-host.invalid cannot be resolved"):
        Link(destination, "NODE").open([MR])


def test_a_rejection_is_told_with_its_reason() -> None:
    pacs = SmallPacs("PACS")
    pacs.start()
    try:
        with pytest.raises(UnreachableError, match="result 1, source 1, reason 7"):
            link(pacs.port, called="OTHER").open([MR])
    finally:
        pacs.stop()


def test_contexts_that_are_not_taken() -> None:
    ae = AE("PACS")
    ae.add_supported_context(Verification)
    ae.add_supported_context(CTImageStorage)
    server = ae.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        to = link(server.server_address[1])
        with pytest.raises(NotTakenError):
            to.open([MR])
        to.close()
        to = link(server.server_address[1])
        accepted = to.open([MR, build_context(Verification)])
        assert [context.abstract_syntax for context in accepted] == [Verification]
        with pytest.raises(TransientError, match="ValueError"):
            to.store(slices(1)[0], 1.0)
        to.close()
    finally:
        ae.shutdown()


def test_a_file_goes_out_byte_for_byte(tmp_path: Path) -> None:
    received: list[bytes] = []

    def keep(event: evt.Event) -> int:
        request: Any = event.request
        received.append(request.DataSet.getvalue())
        return 0x0000

    dataset = slices(1)[0]
    data = file_of(dataset)
    path = tmp_path / "object"
    path.write_bytes(data)
    ae = AE("PACS")
    ae.add_supported_context(MRImageStorage, EXPLICIT)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    try:
        assert attempt(link(server.server_address[1]), path) == 0x0000
    finally:
        ae.shutdown()
    assert len(received) == 1
    assert data.endswith(received[0])
    assert received[0].startswith(b"\x08\x00")


def test_a_link_that_is_not_open_or_was_cut() -> None:
    with pytest.raises(TransientError, match="not open"):
        link(1).store(slices(1)[0], 1.0)
    pacs = SmallPacs("PACS")
    pacs.start()
    try:
        to = link(pacs.port)
        to.open([MR])
        to.cut()
        assert attempt_store(to) is None
        to.close()
        to.close()
    finally:
        pacs.stop()


def attempt_store(to: Link) -> int | None:
    try:
        return to.store(slices(1)[0], 1.0)
    except TransientError:
        return None
