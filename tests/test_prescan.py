from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from dicom_node.errors import RefusedError
from dicom_node.intake.prescan import require_match, scan, scan_file
from tests.arriving import EXPLICIT, IMPLICIT, encoded, file_of, refused_with, slices

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
JPEG_2000 = "1.2.840.10008.1.2.4.90"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_the_header_says_what_pydicom_says(syntax: str) -> None:
    dataset = slices(1)[0]
    header = scan(encoded(dataset, syntax), syntax)
    assert header.transfer_syntax_uid == syntax
    assert header.sop_instance_uid == dataset.SOPInstanceUID
    assert header.sop_class_uid == dataset.SOPClassUID
    assert header.study_instance_uid == dataset.StudyInstanceUID
    assert header.series_instance_uid == dataset.SeriesInstanceUID
    assert (header.patient_id, header.modality, header.body_part_examined) == ("PHANTOM-1", "MR", "HEAD")
    assert (header.series_description, header.protocol_name) == ("T1 synthetic", "synthetic head")
    assert header.image_type == "ORIGINAL\\PRIMARY\\OTHER"
    assert (header.contrast_bolus_agent, header.number_of_frames) == ("", 1)


@pytest.mark.parametrize(
    ("character_set", "description"),
    [
        ("ISO_IR 192", "Kopf Schädel T1 頭部"),
        ("ISO_IR 100", "tête T1 - crâne"),
        ("ISO_IR 144", "голова T1"),
        ("GB18030", "头部 T1"),
        (["", "ISO 2022 IR 87"], "頭部 T1"),
        (["", "ISO 2022 IR 149"], "머리 T1"),
    ],
)
def test_text_is_read_in_the_headers_character_set(character_set: str | list[str], description: str) -> None:
    dataset = slices(1)[0]
    dataset.SpecificCharacterSet = character_set
    dataset.SeriesDescription = description
    assert "T1" in scan(encoded(dataset), EXPLICIT).series_description
    if isinstance(character_set, str):
        assert scan(encoded(dataset), EXPLICIT).series_description == description


def test_text_that_lies_about_its_character_set_is_text_without_control_characters() -> None:
    dataset = slices(1)[0]
    dataset.SpecificCharacterSet = "ISO_IR 192"
    data = encoded(dataset).replace(b"T1 synthetic", b"T1\x1b[2J\n\xff\xfe\0xy")
    assert scan(data, EXPLICIT).series_description == "T1[2Jÿþxy"
    unknown = encoded(dataset).replace(b"ISO_IR 192", b"NO_SUCH_IR")
    assert scan(unknown, EXPLICIT).series_description == "T1 synthetic"


def test_contrast_agents_of_classic_and_enhanced_objects() -> None:
    dataset = slices(1)[0]
    dataset.ContrastBolusAgent = "Gadovist"
    assert scan(encoded(dataset), EXPLICIT).contrast_bolus_agent == "Gadovist"
    del dataset.ContrastBolusAgent
    agent = Dataset()
    agent.CodeMeaning = "Gadobutrol"
    dataset.ContrastBolusAgentSequence = Sequence([agent])
    assert scan(encoded(dataset), EXPLICIT).contrast_bolus_agent == "Gadobutrol"
    dataset.ContrastBolusAgentSequence = Sequence([Dataset()])
    assert scan(encoded(dataset), EXPLICIT).contrast_bolus_agent == "agent"
    dataset.ContrastBolusAgentSequence = Sequence([])
    assert scan(encoded(dataset), EXPLICIT).contrast_bolus_agent == ""


def test_number_of_frames() -> None:
    dataset = slices(1)[0]
    dataset.NumberOfFrames = 17
    assert scan(encoded(dataset), EXPLICIT).number_of_frames == 17
    data = encoded(dataset)
    for wrong in (b"0 ", b"-1", b"1.", b"xx"):
        with pytest.raises(RefusedError, match="Number of Frames"):
            scan(data.replace(b"IS\x02\x0017", b"IS\x02\x00" + wrong), EXPLICIT)


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize(
    "uid", ["", "1", "1.2.", "1..2", "1.02", "../../etc/passwd", "1.2\\1.3", "1" * 65, "1.2;$(id)"]
)
def test_hostile_uids_are_refused(keyword: str, uid: str) -> None:
    dataset = slices(1)[0]
    data = encoded(dataset)
    value = dataset[keyword].value
    old = value + "\0" * (len(value) % 2)
    new = uid + "\0" * (len(uid) % 2)
    changed = data.replace(
        b"UI" + len(old).to_bytes(2, "little") + old.encode(), b"UI" + len(new).to_bytes(2, "little") + new.encode()
    )
    assert changed != data
    with pytest.raises(RefusedError, match="not a UID") as refused:
        scan(changed, EXPLICIT)
    assert refused.value.status == 0xC000
    assert uid == "" or len(uid) == 1 or uid not in str(refused.value)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.113619.5.2", "1.2.840.10008.1.20", ""]
)
def test_syntaxes_that_cannot_be_scanned_are_refused(syntax: str) -> None:
    with pytest.raises(RefusedError, match="transfer syntaxes are not taken"):
        scan(encoded(slices(1)[0]), syntax)


def test_a_compressed_dataset_is_explicit() -> None:
    assert scan(encoded(slices(1)[0]), JPEG_2000).transfer_syntax_uid == JPEG_2000


def test_another_object_than_the_request_names_does_not_match() -> None:
    header = scan(encoded(slices(1)[0]), EXPLICIT)
    require_match(header, sop_class_uid=header.sop_class_uid, sop_instance_uid=header.sop_instance_uid)
    for named in (
        {"sop_class_uid": "1.2.3", "sop_instance_uid": header.sop_instance_uid},
        {"sop_class_uid": header.sop_class_uid, "sop_instance_uid": "1.2.3"},
    ):
        with pytest.raises(RefusedError) as refused:
            require_match(header, **named)
        assert refused.value.status == 0xA900


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([EXPLICIT, IMPLICIT, JPEG_2000, "1.2"]))
def test_any_bytes_are_refused(data: bytes, syntax: str) -> None:
    with pytest.raises(RefusedError) as refused:
        scan(data, syntax)
    assert refused.value.status == 0xC000


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_dataset_gives_a_header_or_a_refusal(data: st.DataObject) -> None:
    syntax = data.draw(st.sampled_from([EXPLICIT, IMPLICIT]))
    changed = bytearray(encoded(slices(1)[0], syntax))
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    status = refused_with(lambda: scan(bytes(changed), syntax))
    assert status in (None, 0xC000)
    if status is None:
        assert scan(bytes(changed), syntax).series_description.isprintable()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_every_cut_is_refused_but_where_an_element_ends(syntax: str) -> None:
    dataset = slices(1)[0]
    data, ends, so_far = encoded(dataset, syntax), set[int](), Dataset()
    for element in dataset:
        so_far.add(element)
        ends.add(len(encoded(so_far, syntax)))
    for end in range(len(data)):
        try:
            scan(data[:end], syntax)
        except RefusedError:
            continue
        assert end in ends


def test_a_file_is_scanned_from_bytes_and_from_disk(tmp_path: Path) -> None:
    dataset = slices(1)[0]
    data = file_of(dataset)
    (tmp_path / "a").write_bytes(data)
    scanned = scan_file(data)
    assert scanned is not None
    assert scanned == scan_file(tmp_path / "a")
    assert scanned.header == scan(encoded(dataset), EXPLICIT)
    assert (scanned.transfer_syntax_uid, data[scanned.dataset_offset :]) == (EXPLICIT, encoded(dataset))


@pytest.mark.parametrize("data", [b"", b"DICM", b"\0" * 200, b"a text\n" * 50])
def test_what_is_no_dicom_file_is_passed_over(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert scan_file(data) is None
    assert scan_file(tmp_path / "a") is None


def test_a_dicomdir_is_passed_over() -> None:
    directory = Dataset()
    directory.FileSetID = "DISK"
    directory.file_meta = FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    directory.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    assert scan_file(file_of(directory)) is None


def test_a_broken_file_is_refused() -> None:
    data = file_of(slices(1)[0])
    for broken in (data[:400], data[:140], data.replace(EXPLICIT.encode() + b"\0", b"1.2.840.10008.1.2.2\0")):
        with pytest.raises(RefusedError):
            scan_file(broken)


@pytest.mark.parametrize("series", ["ct-head-ge-tilted", "mr-enhanced-siemens-xa10", "mr-t1-siemens-skyra"])
def test_real_series_are_read_as_pydicom_reads_them(series: str) -> None:
    if not DATA.is_dir():
        pytest.skip("../shared/data is not here")
    seen = 0
    for path in sorted((DATA / series).rglob("*")):
        scanned = scan_file(path) if path.is_file() else None
        if scanned is None:
            continue
        header, dataset = scanned.header, pydicom.dcmread(path, stop_before_pixels=True)
        assert header.sop_instance_uid == dataset.SOPInstanceUID
        assert header.series_instance_uid == dataset.SeriesInstanceUID
        assert header.series_description == dataset.get("SeriesDescription", "").strip()
        assert header.image_type == "\\".join(dataset.ImageType)
        assert header.number_of_frames == int(dataset.get("NumberOfFrames", 1))
        assert header.patient_id == str(dataset.get("PatientID", "")).strip()
        seen += 1
    assert seen > 0
