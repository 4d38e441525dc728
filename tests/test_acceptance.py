"""What a destination says that it takes, asked of peers that take much, little, nothing, or do not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.uid import JPEGLSLossless

from dicom_node.config import DestinationTable
from dicom_node.delivery.acceptance import ask
from dicom_node.delivery.link import Link
from dicom_node.errors import TransientError
from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.result_classes import ENHANCED, LABEL_MAP, SEGMENTATION, WRITTEN, Accepted, name_of
from tests.arriving import EXPLICIT, IMPLICIT
from tests.hostile_peers import BROKEN, STALLING, Behaviour, accepted_then_silent, half_a_response, never_reads, peer
from tests.loopback import free_port
from tests.orthancs import running_orthanc


@contextmanager
def pacs(takes: Accepted | None) -> Iterator[int]:
    there = SmallPacs("PACS", takes=takes)
    there.start()
    try:
        yield there.port
    finally:
        there.stop()


def asked(port: int, ae_title: str = "PACS", *, within_s: float = 10) -> Accepted:
    table = DestinationTable(name="pacs", ae_title=ae_title, host="127.0.0.1", port=port, connect_timeout_s=within_s)
    return ask(Link(table, "NODE"))


def test_a_destination_that_takes_everything() -> None:
    with pacs(None) as port:
        assert asked(port) == WRITTEN


@pytest.mark.parametrize(
    "takes",
    [
        {ENHANCED: (EXPLICIT, IMPLICIT)},
        {ENHANCED: (IMPLICIT,)},
        {SEGMENTATION: (EXPLICIT,), LABEL_MAP: (str(JPEGLSLossless),)},
    ],
)
def test_only_what_is_taken_in_the_syntaxes_it_is_taken_in(takes: Accepted) -> None:
    with pacs(takes) as port:
        assert asked(port) == takes


@pytest.mark.parametrize("takes", [{}, {"1.2.840.10008.5.1.4.1.1.4": (EXPLICIT,)}, {LABEL_MAP: (EXPLICIT,)}])
def test_a_destination_that_takes_nothing_of_ours_says_so(takes: Accepted) -> None:
    with pacs(takes) as port:
        assert asked(port) == {}


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(TransientError, match="no connection"):
        asked(free_port())


SILENT = [each for each in (*STALLING, *BROKEN) if each not in (accepted_then_silent, half_a_response, never_reads)]


@pytest.mark.parametrize("behaviour", SILENT[:-1], ids=lambda b: b.__name__)
def test_a_peer_that_does_not_answer_is_no_answer_and_costs_its_deadline(behaviour: Behaviour) -> None:
    with peer(behaviour) as port, pytest.raises(TransientError):
        asked(port, within_s=1)


@pytest.mark.parametrize("behaviour", [accepted_then_silent, never_reads], ids=lambda b: b.__name__)
def test_what_was_accepted_stands_whatever_follows(behaviour: Behaviour) -> None:
    with peer(behaviour) as port:
        assert set(asked(port)) == set(WRITTEN)


@pytest.mark.peer
def test_orthanc_takes_no_label_maps(tmp_path: Path) -> None:
    port = free_port()
    with running_orthanc(tmp_path, node_port=free_port(), dicom_port=port):
        answer = asked(port, "ORTHANC")
    assert {name_of(each) for each in set(WRITTEN) - set(answer)} == {"Label Map Segmentation"}
    assert answer[SEGMENTATION] == (EXPLICIT, IMPLICIT)
