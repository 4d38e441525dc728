"""Text of any script comes back as it was sent, whatever set it came in; and what is wrongly declared is not lost."""

import struct
import subprocess
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from dicom_node.reading.part10 import parse
from dicom_node.results import header, objects, outcome_report
from dicom_node.results.envelope import to_file
from dicom_node.study import Outcome
from tests import phantoms
from tests.encoded_names import SETS, Declared
from tests.peers import dciodvfy, program

pytestmark = pytest.mark.filterwarnings("ignore")  # as in the process that parses

TEXTS = {"StudyDescription": 0x00081030, "PatientID": 0x00100020, "StudyID": 0x00200010, "AccessionNumber": 0x00080050}
NAMES = {"PatientName": 0x00100010, "ReferringPhysicianName": 0x00080090}
NAMED = [declared.terms or "none" for declared in SETS]
_SHORT = {"StudyID": 16, "AccessionNumber": 16}


def instance(terms: bytes | None, values: dict[int, tuple[bytes, bytes]]) -> bytes:
    """A file of an MR image without pixels, byte by byte: VR and value by tag."""
    elements = {
        0x00080016: (b"UI", MRImageStorage.encode()),
        0x00080018: (b"UI", b"2.25.1"),
        0x0020000D: (b"UI", b"2.25.2"),
        0x0020000E: (b"UI", b"2.25.3"),
        **values,
    }
    if terms is not None:
        elements[0x00080005] = (b"CS", terms)
    meta = _element(0x00020010, b"UI", ExplicitVRLittleEndian.encode())
    head = _element(0x00020000, b"UL", struct.pack("<I", len(meta))) + meta
    return bytes(128) + b"DICM" + head + b"".join(_element(tag, *elements[tag]) for tag in sorted(elements))


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    padded = value + (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(padded)) + padded


@cache
def _text(characters: str, limit: int) -> st.SearchStrategy[str]:
    drawn = st.text(st.sampled_from(sorted(set(characters))), min_size=1, max_size=limit)
    return drawn.map(str.strip).filter(bool)


@st.composite
def _name(draw: st.DrawFn, declared: Declared) -> tuple[str, bytes]:
    """One to three groups of one to five components, each in a script of its own, and the bytes."""
    groups, data = [], []
    for _ in range(draw(st.integers(1, 3))):
        scripts = draw(st.lists(st.sampled_from(declared.scripts), min_size=1, max_size=5))
        components = [draw(_text(script.characters, 12)) for script in scripts]
        groups.append("^".join(components))
        data.append(b"^".join(s.encode(c) for s, c in zip(scripts, components, strict=True)))
    return "=".join(groups), b"=".join(data)


@st.composite
def sent(draw: st.DrawFn, declared: Declared) -> tuple[dict[str, str], bytes]:
    """Texts by keyword, and the file that holds them."""
    told: dict[str, str] = {}
    values: dict[int, tuple[bytes, bytes]] = {}
    for keyword, tag in NAMES.items():
        told[keyword], data = draw(_name(declared))
        values[tag] = (b"PN", data)
    for keyword, tag in TEXTS.items():
        script = draw(st.sampled_from(declared.scripts))
        told[keyword] = draw(_text(script.characters, _SHORT.get(keyword, 64)))
        values[tag] = (b"SH" if keyword in _SHORT else b"LO", script.encode(told[keyword]))
    return told, instance(declared.terms.encode(), values)


def _came_back(data: bytes) -> dict[str, str]:
    written = outcome_report.write(Outcome.FAILED, "x", "x", [parse(data).header], phantoms.identity())
    back = dcmread(BytesIO(to_file(written)))
    assert back.SpecificCharacterSet == "ISO_IR 192"
    return {keyword: str(back.get(keyword, "")) for keyword in (*NAMES, *TEXTS)}


@pytest.mark.parametrize("declared", SETS, ids=NAMED)
@given(st.data())
@settings(max_examples=12, deadline=None)
def test_text_of_any_set_comes_back_as_sent(declared: Declared, drawn: st.DataObject) -> None:
    told, data = drawn.draw(sent(declared))
    assert _came_back(data) == told
    assert header.read(parse(data).header).repaired == ()


@given(st.data())
@settings(max_examples=3, deadline=None)
def test_it_comes_back_from_segmentation_measurements_and_narrative(drawn: st.DataObject) -> None:
    told, data = drawn.draw(sent(drawn.draw(st.sampled_from(SETS))))
    received = parse(data).header
    source = phantoms.single_frame(phantoms.volume())
    for dataset in source.datasets:
        for keyword in ("SpecificCharacterSet", *NAMES, *TEXTS):
            dataset[keyword] = received[keyword]
    for language in ("en", "de"):
        made = objects.write_all(phantoms.two_lesions(), source, replace(phantoms.identity(), language=language))
        assert len(made) == 3
        for each in made:
            back = dcmread(BytesIO(each.data))
            assert {keyword: str(back[keyword].value) for keyword in told} == told


def _dcmdump(path: Path, *options: str) -> list[str] | None:
    """Texts by tag as DCMTK prints them; None where its library does not know the declared set."""
    printed = ("+P", "0010,0010", "+P", "0008,1030")
    run = subprocess.run([program("dcmdump"), *options, "+L", *printed, str(path)], capture_output=True, check=False)
    if run.returncode != 0:
        assert b"not supported" in run.stderr, run.stderr
        return None
    return [line.split(b"[", 1)[1].split(b"]")[0].decode() for line in run.stdout.splitlines() if b"[" in line]


@pytest.mark.parametrize("declared", SETS, ids=NAMED)
def test_dcmtk_reads_the_same_text_in_what_was_sent_and_in_what_came_back(declared: Declared, tmp_path: Path) -> None:
    script = declared.scripts[-1]
    text = "".join(c for c in script.characters[-60:] if c.isalpha())[:8]
    values = {NAMES["PatientName"]: (b"PN", script.encode(text))}
    received, made = tmp_path / "received.dcm", tmp_path / "made.dcm"
    received.write_bytes(instance(declared.terms.encode(), values))
    values[TEXTS["StudyDescription"]] = (b"LO", script.encode(text))
    both = parse(instance(declared.terms.encode(), values)).header
    made.write_bytes(to_file(outcome_report.write(Outcome.FAILED, "x", "x", [both], phantoms.identity())))
    assert _dcmdump(made) == [text, text]
    assert dciodvfy(made) == []
    if (theirs := _dcmdump(received, "+U8")) is not None:
        assert theirs == [text]


JIS = "山田".encode("iso2022_jp")


@pytest.mark.parametrize(
    ("terms", "data", "text"),
    [
        (None, "Müller^Jürgen".encode("latin_1"), "Müller^Jürgen"),
        (b"ISO_IR 6", "Müller".encode("latin_1"), "Müller"),
        (b"ISO_IR 192", "Müller".encode("latin_1"), "Müller"),
        (None, "Müller=王^小東".encode(), "Müller=王^小東"),
        (b"ISO_IR 999", "Müller".encode(), "Müller"),
        (b"ISO_IR 999", "Müller".encode("latin_1"), "Müller"),
        (b"KLINGON\\ISO 2022 IR 87", b"A=" + JIS, "A=山田"),
        (b"ISO_IR 100", b"Yamada=" + JIS, "Yamada=山田"),
        (b"\\ISO 2022 IR 87", b"A=" + JIS.replace(b"\x1b$B", b""), "A=;3ED"),
        (b"\\ISO 2022 IR 87", b"A=" + JIS[:4], "A= $B;"),
        (b"ISO_IR 100", "Lö".encode("latin_1") + b"\x1b$Z", "Lö $Z"),
        (b"GB18030", b"A\xff^B", "Aÿ^B"),
        (b"ISO_IR 13", b"A\xff", "Aÿ"),
        (b"ISO_IR 192\\ISO 2022 IR 87", "Müller".encode(), "Müller"),
        (b"", "山田\N{IDEOGRAPHIC SPACE}太郎\N{IDEOGRAPHIC SPACE}".encode(), "山田\u3000太郎\u3000"),
    ],
)
def test_what_is_wrongly_declared_is_read_all_the_same(terms: bytes | None, data: bytes, text: str) -> None:
    """As UTF-8, with escape sequences that were not declared, or as Latin-1; control characters become blanks."""
    back = _came_back(instance(terms, {NAMES["PatientName"]: (b"PN", data), TEXTS["PatientID"]: (b"LO", data)}))
    assert back["PatientName"] == text


_WRONG = [None, *(declared.terms.encode() for declared in SETS), b"ISO_IR 999", b"\\\\", b"x" * 40]


@given(st.sampled_from(_WRONG), st.binary(max_size=70))
@settings(max_examples=100, deadline=None)
def test_no_bytes_stop_a_result_and_none_are_read_as_unknown(terms: bytes | None, data: bytes) -> None:
    values = dict.fromkeys(TEXTS.values(), (b"LO", data)) | dict.fromkeys(NAMES.values(), (b"PN", data))
    back = _came_back(instance(terms, values))
    if "\N{REPLACEMENT CHARACTER}".encode() not in data and b"\x1b" not in data:
        assert not [keyword for keyword, text in back.items() if "\N{REPLACEMENT CHARACTER}" in text]
