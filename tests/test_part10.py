import hashlib
from io import BytesIO

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.records.part10 import beginning, content_name, read_meta
from dicom_node.study import IMPLEMENTATION_CLASS_UID
from tests.arriving import EXPLICIT, encoded, file_of, refused_with, slices

MR = "1.2.840.10008.5.1.4.1.1.4"


def test_the_beginning_and_a_dataset_are_a_file_that_pydicom_reads() -> None:
    dataset = slices(1)[0]
    uid = str(dataset.SOPInstanceUID)
    start = beginning(sop_class_uid=MR, sop_instance_uid=uid, transfer_syntax_uid=EXPLICIT)
    read = pydicom.dcmread(BytesIO(start + encoded(dataset)))
    assert start.startswith(b"\0" * 128 + b"DICM")
    assert (read.file_meta.MediaStorageSOPClassUID, read.file_meta.MediaStorageSOPInstanceUID) == (MR, uid)
    assert read.file_meta.TransferSyntaxUID == EXPLICIT
    assert read.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert read.file_meta.FileMetaInformationGroupLength == len(start) - 144
    assert encoded(read) == encoded(dataset)


def test_the_beginning_never_changes() -> None:
    """A changed byte would make every instance that is sent again a conflict with itself."""
    start = beginning(sop_class_uid=MR, sop_instance_uid="1.2.3", transfer_syntax_uid=EXPLICIT)
    assert hashlib.sha256(start).hexdigest() == "5c3e6b5dd2840ad39f6cc373e6305dd1276642cd456743d08117a0198920bcd4"


def test_what_was_written_is_read() -> None:
    start = beginning(sop_class_uid=MR, sop_instance_uid="1.2.34", transfer_syntax_uid=EXPLICIT)
    meta = read_meta(start + b"\x08\x00")
    assert meta is not None
    assert meta.dataset_offset == len(start)
    assert (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid) == (MR, "1.2.34")
    assert meta.transfer_syntax_uid == EXPLICIT


def test_a_wrong_group_length_does_not_mislead() -> None:
    data = bytearray(file_of(slices(1)[0]))
    right = read_meta(bytes(data))
    data[140:144] = b"\x02\x00\x00\x00"
    assert read_meta(bytes(data)) == right


def test_the_name_covers_transfer_syntax_and_every_byte() -> None:
    parts = {s: beginning(sop_class_uid=MR, sop_instance_uid="1.2", transfer_syntax_uid=s) for s in (EXPLICIT, "1.2")}
    assert content_name(parts[EXPLICIT], b"x") == hashlib.sha256(parts[EXPLICIT] + b"x").hexdigest()
    assert len({content_name(part, data) for part in parts.values() for data in (b"x", b"y")}) == 4


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_no_file_or_refused_or_read(tail: bytes) -> None:
    assert read_meta(tail) is None or tail[128:132] == b"DICM"
    data = b"\0" * 128 + b"DICM" + tail
    if refused_with(lambda: read_meta(data)) is None:
        meta = read_meta(data)
        assert meta is not None
        assert 132 <= meta.dataset_offset <= len(data)


@pytest.mark.parametrize("cut", range(133, 300, 7))
def test_a_file_cut_within_its_beginning(cut: int) -> None:
    data = file_of(slices(1)[0])[:cut]
    assert refused_with(lambda: read_meta(data)) in (None, 0xC000)
