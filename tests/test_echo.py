import socket

from dicom_node.config import DestinationTable
from dicom_node.delivery.echo import echo
from dicom_node.operation.small_pacs import SmallPacs
from tests.loopback import free_port


def at(port: int, ae_title: str = "PACS", *, within_s: float = 10) -> DestinationTable:
    return DestinationTable(
        name="pacs",
        ae_title=ae_title,
        host="127.0.0.1",
        port=port,
        connect_timeout_s=within_s,
        response_timeout_s=within_s,
    )


def test_a_destination_that_answers() -> None:
    pacs = SmallPacs("PACS")
    pacs.start()
    try:
        assert echo(at(pacs.port), "NODE") is None
    finally:
        pacs.stop()


def test_nobody_there() -> None:
    assert echo(at(free_port()), "NODE")


def test_a_port_that_never_answers_costs_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert echo(at(silent.getsockname()[1], within_s=1), "NODE")
