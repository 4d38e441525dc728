"""Headers as real archives hold them, and what of them a result may carry."""

import warnings
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, config, dcmread, dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian, MRImageStorage

from dicom_node.results import header
from tests import phantoms

NAMES = [
    ("ISO_IR 144", "Щербаков^Юрий"),
    ("ISO_IR 100", "Äneas^Rüdiger"),
    ("ISO_IR 127", "قباني^لنزار"),
    ("ISO_IR 126", "Διονυσιος"),
    ("ISO_IR 138", "שרון^דבורה"),
    ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
    ("GB18030", "Wang^XiaoDong=王^小东"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    (None, "Plain"),
]


def _sent(values: dict[str, str], charset: str | list[str] | None = "ISO_IR 192") -> Dataset:
    """A header as it comes off the wire, with values that pydicom would refuse to set."""
    return dcmread(BytesIO(_file(values, charset)))


def _file(values: dict[str, str], charset: str | list[str] | None) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID = MRImageStorage, "2.25.1", "2.25.2"
    if charset is not None:
        dataset.SpecificCharacterSet = charset
    for keyword, value in values.items():
        vr = dictionary_VR(Tag(keyword)).replace(
            "DS", "LO"
        )  # without a VR on the wire, so any text may stand for a number
        dataset.add(DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(("charset", "name"), NAMES, ids=[str(c) for c, _ in NAMES])
def test_a_name_of_any_script_comes_back_as_sent(charset: str | list[str] | None, name: str) -> None:
    read = header.read(_sent({"PatientName": name, "PatientID": "1"}, charset))
    assert str(read.attributes.PatientName) == name
    assert read.repaired == ()


def test_absent_attributes_of_type_2_are_empty() -> None:
    read = header.read(_sent({}))
    assert sorted(e.keyword for e in read.attributes) == [
        "AccessionNumber",
        "PatientBirthDate",
        "PatientID",
        "PatientName",
        "PatientSex",
        "ReferringPhysicianName",
        "StudyDate",
        "StudyID",
        "StudyInstanceUID",
        "StudyTime",
    ]
    assert read.repaired == ()


@pytest.mark.parametrize(
    ("keyword", "sent", "written"),
    [
        ("PatientSex", "0000", ""),
        ("PatientSex", "m", "M"),
        ("PatientSex", "F", "F"),
        ("PatientBirthDate", "1970.01.31", "19700131"),
        ("PatientBirthDate", "19700231", ""),
        ("PatientBirthDate", "unknown", ""),
        ("StudyTime", "12:30:59", "123059"),
        ("StudyTime", "123059.123456", "123059.123456"),
        ("StudyTime", "253059", ""),
        ("PatientAge", "56", None),
        ("PatientAge", "056Y", "056Y"),
        ("PatientWeight", "abc", None),
        ("PatientWeight", "72.5", "72.5"),
        ("AccessionNumber", "A" * 17, ""),
        ("AccessionNumber", "A" * 16, "A" * 16),
        ("StudyID", "head\ncontrol", ""),
        ("StudyDescription", "x" * 70, "x" * 64),
        ("StudyDescription", "MR\thead", "MR head"),
        ("PatientName", "N" * 70 + "^A", "N" * 64),
        ("PatientName", "a^b^c^d^e^f^g=h=i=j", "a^b^c^d^e f g=h=i"),
        ("PatientName", "山田\N{IDEOGRAPHIC SPACE}", "山田\N{IDEOGRAPHIC SPACE}"),
        ("PatientName", "A\\B", "A B"),
        ("PatientID", "\N{NO-BREAK SPACE}1\N{IDEOGRAPHIC SPACE}", "\N{NO-BREAK SPACE}1\N{IDEOGRAPHIC SPACE}"),
        ("AccessionNumber", "A  1", "A  1"),
        ("StudyDescription", "頭部\N{IDEOGRAPHIC SPACE}造影  2", "頭部\N{IDEOGRAPHIC SPACE}造影  2"),
        ("PatientWeight", "1e999", None),
        ("StudyDate", "20260101\\20260102", ""),
        ("PatientID", "P" * 70, "P" * 70),
        ("PatientIdentityRemoved", "YES", None),
        ("TimezoneOffsetFromUTC", "+0530", "+0530"),
        ("TimezoneOffsetFromUTC", "CET", None),
        ("TimezoneOffsetFromUTC", "-0000", None),
        ("TimezoneOffsetFromUTC", "-1230", None),
        ("TimezoneOffsetFromUTC", "+1400", "+1400"),
    ],
)
def test_what_is_not_valid_is_made_so_or_left_out(keyword: str, sent: str, written: str | None) -> None:
    read = header.read(_sent({keyword: sent}))
    found = read.attributes.get(keyword)
    assert (None if found is None else str(found)) == written
    assert (keyword in read.repaired) == (written != sent and keyword != "PatientIdentityRemoved")


def test_nothing_is_warned_of_and_nothing_raised() -> None:
    values = {"PatientName": "Solo", "PatientBirthDate": "never", "PatientWeight": "heavy", "StudyDate": "x"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = dcmread(BytesIO(_file(values, "ISO_IR 192").replace(b"ISO_IR 192", b"ISO_IR 999")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = header.read(source)
    assert str(read.attributes.PatientName) == "Solo"


@pytest.mark.parametrize(("keyword", "form"), [("PatientAge", "{}Y"), ("PatientWeight", "{}"), ("StudyTime", "{:.2}")])
def test_digits_of_other_scripts_are_no_digits(keyword: str, form: str) -> None:
    source = Dataset()
    digits = "".join(chr(0x660 + digit) for digit in (1, 2, 0))
    source.add(
        DataElement(
            Tag(keyword),
            dictionary_VR(Tag(keyword)).replace("DS", "LO"),
            form.format(digits),
            validation_mode=config.IGNORE,
        )
    )
    assert header.read(source).repaired == (keyword,)
    source[Tag(keyword)].value = form.format("120")
    assert header.read(source).repaired == ()


@pytest.mark.parametrize("keyword", ["PatientSex", "PatientName", "PatientID", "StudyDescription"])
def test_a_sequence_where_text_belongs_is_left_out(keyword: str) -> None:
    source = _sent({})
    source.add(DataElement(Tag(keyword), "SQ", [Dataset()]))
    assert str(header.read(source).attributes.get(keyword, "")) == ""


def test_bytes_where_text_belongs_are_text() -> None:
    source = _sent({})
    source.add(DataElement(Tag("PatientID"), "OB", b"M\xfcller 1\0"))
    assert header.read(source).attributes.PatientID == "Müller 1"


@given(
    st.dictionaries(
        st.sampled_from(
            ["PatientName", "PatientSex", "PatientBirthDate", "StudyTime", "StudyDescription", "AccessionNumber"]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    )
)
def test_any_text_is_written_valid(values: dict[str, str]) -> None:
    source = Dataset()
    source.StudyInstanceUID = "2.25.2"
    for keyword, value in values.items():
        source.add(DataElement(Tag(keyword), dictionary_VR(Tag(keyword)), value, validation_mode=config.IGNORE))
    for element in header.read(source).attributes:
        if element.keyword == "PatientID":
            continue  # as sent, whatever it is
        DataElement(element.tag, element.VR, element.value, validation_mode=config.RAISE)


def test_what_is_valid_is_copied() -> None:
    read = header.read(phantoms.single_frame(phantoms.volume()).datasets[0])
    assert read.attributes.PatientName == "Phantom^One"
    assert read.attributes.StudyDescription == "Synthetic head"
