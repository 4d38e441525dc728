from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, MRImageStorage  # type: ignore[attr-defined]

from dicom_node.config import DestinationTable
from dicom_node.delivery.link import Link
from dicom_node.delivery.storage_scu import SendResult, longest_try_s, send
from dicom_node.result_classes import COMPREHENSIVE_3D
from tests.arriving import EXPLICIT, IMPLICIT, encoded, file_of, slices
from tests.hostile_peers import accepted_then_silent, closes_when_asked_to_store, peer
from tests.loopback import free_port


@contextmanager
def storage(*syntaxes: str, status: int = 0x0000, sop_class: str = MRImageStorage) -> Iterator[tuple[int, list[bytes]]]:
    """A Storage SCP that answers with one status: its port, and the datasets it got."""
    received: list[bytes] = []

    def keep(event: evt.Event) -> int:
        received.append(event.request.DataSet.getvalue())  # type: ignore[union-attr]
        return status

    ae = AE("PACS")
    ae.add_supported_context(sop_class, list(syntaxes))
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    assert server is not None
    try:
        yield int(server.server_address[1]), received
    finally:
        ae.shutdown()


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    path = tmp_path / "object.dcm"
    path.write_bytes(file_of(slices(1)[0]))
    return path


def destination(port: int) -> DestinationTable:
    return DestinationTable(
        name="pacs", ae_title="PACS", host="127.0.0.1", port=port, connect_timeout_s=5, response_timeout_s=1
    )


def sent(path: Path, port: int) -> SendResult:
    return send(path, Link(destination(port), "NODE"))


def test_an_object_goes_out_as_it_is_kept(path: Path) -> None:
    with storage(IMPLICIT, EXPLICIT) as (port, received):
        assert sent(path, port) == SendResult(status=0x0000, error=None, reached=True)
    assert received == [encoded(slices(1)[0])]


def test_where_only_implicit_is_taken_it_is_encoded_so(path: Path) -> None:
    with storage(IMPLICIT) as (port, received):
        assert sent(path, port).error is None
    assert received == [encoded(slices(1)[0], IMPLICIT)]


def test_a_compressed_object_is_never_recoded(tmp_path: Path) -> None:
    dataset, path = slices(1)[0], tmp_path / "object"
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"abcd"])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    path.write_bytes(file_of(dataset))
    with storage(EXPLICIT, IMPLICIT) as (port, received):
        result = sent(path, port)
    assert "does not take 1.2.840.10008.5.1.4.1.1.4 (SOP class" in str(result.error)
    assert received == []
    with storage(EXPLICIT, JPEG2000Lossless) as (port, received):
        assert sent(path, port).error is None
    assert path.read_bytes().endswith(received[0])


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007, 0x0107])
def test_a_warning_counts_as_taken_and_is_noted(path: Path, status: int) -> None:
    with storage(EXPLICIT, status=status) as (port, _):
        result = sent(path, port)
    assert result == SendResult(status=status, error=None, reached=True)
    assert result.warning


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC000, 0x0110, 0x0122])
def test_a_failure_is_told_with_its_status(path: Path, status: int) -> None:
    with storage(EXPLICIT, status=status) as (port, _):
        result = sent(path, port)
    assert result == SendResult(
        status=status, error=f"the destination answered with status 0x{status:04X}", reached=True
    )


def test_a_class_that_is_not_taken_is_told_apart(path: Path) -> None:
    with storage(EXPLICIT, IMPLICIT, sop_class=CTImageStorage) as (port, _):
        result = sent(path, port)
    assert (result.status, result.reached) == (None, True)
    assert str(result.error).startswith(f"the destination does not take {MRImageStorage} (SOP class {MRImageStorage})")


def test_a_class_of_ours_is_told_by_name(tmp_path: Path) -> None:
    dataset, path = slices(1)[0], tmp_path / "object"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(COMPREHENSIVE_3D)
    path.write_bytes(file_of(dataset))
    with storage(EXPLICIT, IMPLICIT) as (port, _):
        assert str(sent(path, port).error).startswith(
            "the destination does not take Comprehensive 3D SR (SOP class 1.2."
        )


@pytest.mark.parametrize("behaviour", [accepted_then_silent, closes_when_asked_to_store], ids=lambda b: b.__name__)
def test_no_answer_is_unknown(path: Path, behaviour: object) -> None:
    with peer(behaviour) as port:  # type: ignore[arg-type]
        result = sent(path, port)
    assert (result.status, result.reached) == (None, True)
    assert "not known" in str(result.error)


def test_nobody_there_is_not_reached(path: Path) -> None:
    result = sent(path, free_port())
    assert (result.status, result.reached) == (None, False)
    assert "no connection" in str(result.error)


@pytest.mark.parametrize("data", [None, b"", b"\0" * 300, b"\0" * 128 + b"DICM" + b"\2\0\1"])
def test_what_cannot_be_read_is_an_error_and_no_call(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "object"
    if data is not None:
        path.write_bytes(data)
    result = sent(path, free_port())
    assert (result.status, result.reached) == (None, True)
    assert "cannot be read" in str(result.error)


def test_a_try_has_an_end() -> None:
    assert longest_try_s(destination(104)) == 5.0 + 2 * 1.0 + 5.0
