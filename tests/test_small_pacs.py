import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID

from dicom_node.errors import TransientError
from dicom_node.operation.small_pacs import SmallPacs
from tests import peers
from tests.arriving import file_of, slices

OBJECTS = (
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
)


@pytest.fixture(name="pacs")
def pacs_fixture(tmp_path: Path) -> Iterator[SmallPacs]:
    pacs = SmallPacs("PACS", folder=tmp_path / "archive")
    pacs.start()
    yield pacs
    pacs.stop()


def test_it_takes_what_another_sends_and_keeps_it(pacs: SmallPacs, tmp_path: Path) -> None:
    datasets = slices(len(OBJECTS))
    for dataset, sop_class in zip(datasets, OBJECTS, strict=True):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    seen: list[int] = []
    assert SmallPacs("OTHER").send(datasets, "127.0.0.1", pacs.port, "PACS", progress=seen.append) == len(OBJECTS)
    assert seen == [1, 2, 3, 4, 5]
    assert pacs.wait_for(len(OBJECTS), 1)
    assert not pacs.wait_for(len(OBJECTS) + 1, 0.01)
    assert pacs.received() == datasets
    files = sorted((tmp_path / "archive").iterdir())
    assert sorted(f.stem for f in files) == sorted(str(d.SOPInstanceUID) for d in datasets)
    assert {pydicom.dcmread(f).SOPClassUID for f in files} == set(OBJECTS)


def test_the_same_object_again_is_there_once(pacs: SmallPacs) -> None:
    for _ in range(2):
        SmallPacs("OTHER").send(slices(2), "127.0.0.1", pacs.port, "PACS")
    assert len(pacs.received()) == 2


def test_it_is_called_by_its_name(pacs: SmallPacs) -> None:
    with pytest.raises(TransientError, match="rejected"):
        SmallPacs("OTHER").send(slices(1), "127.0.0.1", pacs.port, "SOMEBODY")


def test_without_a_listener_nothing_is_sent(pacs: SmallPacs) -> None:
    port = pacs.port
    pacs.stop()
    with pytest.raises(TransientError, match="no association"):
        SmallPacs("OTHER").send(slices(1), "127.0.0.1", port, "PACS")
    with pytest.raises(RuntimeError, match="not been started"):
        _ = pacs.port


def test_a_uid_from_the_wire_is_no_path(pacs: SmallPacs, tmp_path: Path) -> None:
    dataset = slices(1)[0]
    data = file_of(dataset)
    uid = str(dataset.SOPInstanceUID)
    hostile = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data.replace(uid.encode(), b"../../" + uid.encode()[6:])))
    with pytest.raises(TransientError, match="was answered"):
        SmallPacs("OTHER").send([hostile], "127.0.0.1", pacs.port, "PACS")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.peer
def test_dcmtk_stores_into_it(pacs: SmallPacs, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(file_of(slices(1)[0]))
    command = [peers.program("storescu"), "-aec", "PACS", "127.0.0.1", str(pacs.port), str(path)]
    assert subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
    assert len(pacs.received()) == 1
