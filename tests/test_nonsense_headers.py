"""Headers full of nonsense: a result is written all the same, is valid, and holds nothing that it may not."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, config, dcmread
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicom_node.reading.part10 import parse
from dicom_node.results import header, objects
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind, Outcome, ResultObject
from tests import phantoms
from tests.peers import dciodvfy
from tests.test_character_sets import instance

pytestmark = pytest.mark.filterwarnings("ignore")  # as in the process that parses

COPIED = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize"),
    *("PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod", "StudyDate", "StudyTime", "StudyID"),
    *("ReferringPhysicianName", "AccessionNumber", "StudyDescription", "TimezoneOffsetFromUTC"),
)
"""What a result takes from its source besides the Study Instance UID."""

AS_SENT = {"PatientID", "IssuerOfPatientID"}
"""What names the patient is never altered, whatever it is."""

NOT_COPIED = ("OtherPatientIDs", "PatientAddress", "PatientComments", "InstitutionName", "PatientReligiousPreference")
DESCRIBING = ("SpecificCharacterSet", "SliceThickness", "Manufacturer", "ManufacturerModelName", "Laterality")
OTHERS = (0x00080000, 0x00090010, 0x00091001, 0x00100000, 0x00110010, 0x00111010, 0x00081110, 0x00101002)
"""Group lengths, private creators and what they create, sequences."""

VRS = (b"PN", b"LO", b"SH", b"CS", b"DA", b"TM", b"DS", b"IS", b"AS", b"US", b"FL", b"AT", b"UI", b"LT", b"ZZ")
CANARY = b"CANARY"

_TAGS = [Tag(keyword) for keyword in (*COPIED, *NOT_COPIED, *DESCRIBING)] + [Tag(tag) for tag in OTHERS]
_values = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"", b"0000", b"\\", b"^^^^^^^^", b"====", b"19700231", b"240000", b"1e999", b"CANARY" * 20]),
    st.text(max_size=40).map(str.encode),
)


@st.composite
def nonsense(draw: st.DrawFn) -> bytes:
    """A file in which some attributes hold anything, in any representation, and others nothing."""
    tags = draw(st.lists(st.sampled_from(_TAGS), unique=True, max_size=12))
    values = {int(tag): (draw(st.sampled_from(VRS)), draw(_values)) for tag in tags}
    if Tag("SpecificCharacterSet") in tags:  # of another representation no parser reads the file
        values[int(Tag("SpecificCharacterSet"))] = (b"CS", draw(_values))
    values |= {int(Tag(keyword)): (b"LO", CANARY) for keyword in NOT_COPIED if Tag(keyword) not in tags}
    return instance(None, values)


def _source(received: Dataset) -> Source:
    """A series whose headers hold what was received beside their own geometry."""
    source = phantoms.single_frame(phantoms.volume())
    own = {"SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"}
    for dataset in source.datasets:
        for keyword in (*COPIED, *DESCRIBING):
            if keyword in dataset:
                del dataset[keyword]
        kept = {tag: item for tag, item in received._dict.items() if keyword_for_tag(tag) not in own}
        dataset._dict.update(kept)  # undecoded, as they are where a study is read
    return source


def _check(made: ResultObject) -> None:
    dataset = dcmread(BytesIO(made.data))
    for element in dataset:
        if element.tag.group in (0x0008, 0x0010, 0x0020) and element.keyword not in AS_SENT and element.VR != "SQ":
            DataElement(element.tag, element.VR, element.value, validation_mode=config.RAISE)
    assert not [element for element in dataset.iterall() if element.tag.is_private or element.tag.element == 0]
    assert not [keyword for keyword in NOT_COPIED if keyword in dataset]
    assert dataset.get("PatientSex") in {"", "M", "F", "O"}


@given(nonsense())
@settings(max_examples=60, deadline=None)
def test_an_outcome_is_written_whatever_the_header_holds(data: bytes) -> None:
    received = parse(data).header
    made = objects.write_outcome(Outcome.FAILED, "x", "x", [received], phantoms.identity())
    _check(made)
    if CANARY * 20 not in data:
        assert CANARY not in made.data or any(CANARY.decode() in header.text(received, k) for k in COPIED)


@given(nonsense())
@settings(max_examples=12, deadline=None)
def test_a_result_is_written_whatever_the_header_holds(data: bytes) -> None:
    made = objects.write_all(phantoms.two_lesions(), _source(parse(data).header), phantoms.identity())
    assert [each.kind for each in made] == [ObjectKind.SEG, ObjectKind.SR, ObjectKind.NARRATIVE]
    for each in made:
        _check(each)


SAMPLES: dict[str, dict[str, tuple[bytes, bytes]]] = {
    "as real scanners write": {
        "PatientSex": (b"CS", b"0000"),
        "PatientBirthDate": (b"DA", b""),
        "StudyDate": (b"DA", b"0"),
        "StudyTime": (b"TM", b"253000"),
        "PatientAge": (b"AS", b"56"),
        "SliceThickness": (b"DS", b"3.0 mm"),
        "StudyID": (b"SH", b"a study with a long ID"),
    },
    "too long": {keyword: (b"LO", b"A^" * 60) for keyword in COPIED if keyword not in AS_SENT},
    "control characters": {keyword: (b"LO", b"A\x01\n\x7f^B") for keyword in COPIED if keyword not in AS_SENT},
    "in the wrong representation": {
        "PatientName": (b"US", b"\x01\x00\x02"),
        "PatientSex": (b"FL", b"\x00\x00\x80\x3f"),
        "StudyDate": (b"AT", b"\x10\x00\x10\x00"),
        "StudyDescription": (b"UL", b"\x01\x00\x00\x00"),
        "AccessionNumber": (b"IS", b"abc"),
    },
    "nothing at all": {},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_peers_accept_what_comes_of_it(name: str, tmp_path: Path) -> None:
    values = {int(Tag(keyword)): value for keyword, value in SAMPLES[name].items()}
    source = _source(parse(instance(b"ISO_IR 192", values)).header)
    path = tmp_path / "made.dcm"
    for made in objects.write_all(phantoms.two_lesions(), source, phantoms.identity()):
        _check(made)
        path.write_bytes(made.data)
        assert dciodvfy(path) == [], made.kind
