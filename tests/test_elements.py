import struct
import time
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.errors import RefusedError
from dicom_node.intake.elements import ITEM, Budget, walk
from tests.arriving import EXPLICIT, IMPLICIT, encoded, refused_with, slices

PATIENT_ID, IMAGE_TYPE = (0, 0x00100020), (0, 0x00080008)
UNDEFINED = 0xFFFFFFFF
SMALL = Budget(elements=50, elements_per_frame=0, items=10, depth=4)


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """An Explicit VR Little Endian element; `length` may lie."""
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("SQ", "OB", "OW", "UN", "UT"):
        return head + struct.pack("<HI", 0, length) + value
    return head + struct.pack("<H", length) + value


def item(value: bytes, length: int | None = None, tag: int = ITEM) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


ITEM_END, SEQUENCE_END = item(b"", tag=0xFFFEE00D), item(b"", tag=0xFFFEE0DD)
LAST = element(0x00100020, "LO", b"P1")


def values(data: bytes, *, implicit: bool = False, budget: Budget = SMALL) -> dict[tuple[int, int], bytes]:
    return walk(memoryview(data), implicit=implicit, wanted={PATIENT_ID, IMAGE_TYPE}, budget=budget)


def test_values_stand_as_they_came() -> None:
    data = element(0x00080008, "CS", b"ORIGINAL\\PRIMARY") + element(0x00091001, "UN", b"\1\2\3\4") + LAST
    assert values(data) == {IMAGE_TYPE: b"ORIGINAL\\PRIMARY", PATIENT_ID: b"P1"}


@pytest.mark.parametrize("end", ["defined", "undefined"])
@pytest.mark.parametrize("item_end", ["defined", "undefined"])
@pytest.mark.parametrize("depth", [1, 4])
def test_sequences_are_stepped_over(end: str, item_end: str, depth: int) -> None:
    inner = element(0x00100020, "LO", b"NO")  # the same attribute inside a sequence is another's
    for _ in range(depth):
        one = item(inner) if item_end == "defined" else item(inner + ITEM_END, UNDEFINED)
        two = one + item(b"")
        inner = (
            element(0x00081140, "SQ", two)
            if end == "defined"
            else element(0x00081140, "SQ", two + SEQUENCE_END, UNDEFINED)
        )
    assert values(inner + LAST) == {PATIENT_ID: b"P1"}


def test_implicit_sequences_are_known_by_the_dictionary() -> None:
    def implicit(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value

    inside = item(implicit(0x00100020, b"NO"))
    data = implicit(0x00081140, inside) + implicit(0x00091001, b"\xff\xff\xff\xff") + implicit(0x00100020, b"P1")
    assert values(data, implicit=True) == {PATIENT_ID: b"P1"}
    with pytest.raises(RefusedError, match="more than 10 items"):
        values(implicit(0x00081140, inside * 11), implicit=True)


def test_a_value_of_unknown_vr_without_length_is_an_implicit_sequence() -> None:
    inside = item(struct.pack("<HHI", 0x0010, 0x0020, 2) + b"NO" + ITEM_END, UNDEFINED) + SEQUENCE_END
    assert values(element(0x00091002, "UN", inside, UNDEFINED) + LAST) == {PATIENT_ID: b"P1"}


def test_an_icon_with_encapsulated_pixels_is_stepped_over() -> None:
    fragments = item(b"") + item(b"\xff\xd8not a dataset") + SEQUENCE_END
    icon = element(0x00880200, "SQ", item(element(0x7FE00010, "OB", fragments, UNDEFINED)))
    assert values(LAST + icon) == {PATIENT_ID: b"P1"}


@pytest.mark.parametrize("vr", ["OW", "OB"])
def test_nothing_behind_the_pixel_data_is_looked_at(vr: str) -> None:
    assert values(LAST + element(0x7FE00010, vr, b"\0\0") + b"\xff" * 30) == {PATIENT_ID: b"P1"}
    assert values(LAST + element(0x7FE00010, vr, item(b"") + b"\xff" * 30, UNDEFINED)) == {PATIENT_ID: b"P1"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(element(0x00100010, "PN", b"A", 200), "cut short", id="value longer than the dataset"),
        pytest.param(element(0x00091001, "UN", b"A" * 8, 0xFFFFFFFE), "cut short", id="length just below undefined"),
        pytest.param(LAST[:-1], "cut short", id="value cut"),
        pytest.param(LAST + b"\x10\x00", "cut short", id="tag cut"),
        pytest.param(LAST + element(0x7FE00010, "OW", b"\0\0", 99), "cut short", id="pixel data cut"),
        pytest.param(
            element(0x00081140, "SQ", item(element(0x00080008, "CS", b"AB", 4) + b"")) + LAST,
            "cut short",
            id="value longer than its item",
        ),
        pytest.param(
            element(0x00081140, "SQ", item(b"AB", 20)) + LAST, "cut short", id="item longer than its sequence"
        ),
        pytest.param(element(0x00081140, "SQ", item(b"", UNDEFINED), UNDEFINED), "cut short", id="never closed"),
        pytest.param(
            element(0x00081140, "SQ", LAST) + LAST, "where none may be", id="an element where an item must be"
        ),
        pytest.param(SEQUENCE_END + LAST, "where none may be", id="delimiter at the top"),
        pytest.param(ITEM_END + LAST, "where none may be", id="item delimiter at the top"),
        pytest.param(item(b"") + LAST, "where none may be", id="item at the top"),
        pytest.param(
            element(0x00081140, "SQ", item(SEQUENCE_END, UNDEFINED), UNDEFINED),
            "where none may be",
            id="wrong delimiter",
        ),
        pytest.param(element(0x00080008, "??", b"AB"), "value representation", id="unknown VR"),
        pytest.param(element(0x00080008, "UT", b"", UNDEFINED), "undefined length", id="text without length"),
        pytest.param(element(0x00020010, "UI", b"1.2.840.10008.1.2.1.99") + LAST, "group 0002", id="file meta"),
        pytest.param(element(0x00000100, "US", b"\1\0") + LAST, "group 0000", id="command"),
        pytest.param(LAST + LAST, "0010,0020 twice", id="wanted twice"),
        pytest.param(element(0x00100020, "LO", b"P" * 5000), "5000 bytes", id="wanted and long"),
        pytest.param(
            element(0x00091001, "OB", item(b"", UNDEFINED), UNDEFINED), "fragment without length", id="endless fragment"
        ),
    ],
)
def test_what_does_not_fit_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as refused:
        values(data)
    assert refused.value.status == 0xC000


def nested(depth: int, *, defined: bool) -> bytes:
    data = LAST
    for _ in range(depth):
        data = (
            element(0x00081140, "SQ", item(data))
            if defined
            else element(0x00081140, "SQ", item(data + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED)
        )
    return data


@pytest.mark.parametrize("defined", [True, False])
def test_depth_is_bounded(*, defined: bool) -> None:
    assert values(nested(4, defined=defined)) == {}
    with pytest.raises(RefusedError, match="deeper than 4"):
        values(nested(5, defined=defined))
    with pytest.raises(RefusedError, match="deeper than 32"):
        values(nested(300, defined=defined), budget=Budget())


def test_elements_and_items_are_counted_wherever_they_are() -> None:
    private = element(0x00091001, "LO", b"")
    with pytest.raises(RefusedError, match="more than 50 elements"):
        values(private * 51)
    with pytest.raises(RefusedError, match="more than 50 elements"):
        values(element(0x00081140, "SQ", item(private * 30) * 2))
    with pytest.raises(RefusedError, match="more than 10 items"):
        values(element(0x00081140, "SQ", item(b"") * 11))


def test_a_multi_frame_object_may_have_more_elements() -> None:
    frames = element(0x00280008, "IS", b"4 ")
    groups = element(0x52009230, "SQ", item(element(0x00189074, "DT", b"") * 20) * 4)
    budget = Budget(elements=50, elements_per_frame=10, items=10, depth=4)
    values(LAST + frames + groups, budget=budget)
    with pytest.raises(RefusedError, match="elements"):
        values(LAST + groups, budget=budget)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(element(0x00091001, "LO", b"") * 7_600_000, id="60 MB of empty elements"),
        pytest.param(element(0x00081140, "SQ", item(b"") * 2_000_000), id="16 MB of empty items"),
        pytest.param(nested(20_000, defined=False), id="20,000 deep"),
        pytest.param(b"".join(repeat(element(0x00081140, "SQ", item(b"") * 40_000), 8)), id="many long sequences"),
    ],
)
def test_a_bomb_costs_no_more_than_the_budget(bomb: bytes) -> None:
    started = time.process_time()
    with pytest.raises(RefusedError):
        walk(memoryview(bomb), implicit=False, wanted=(), budget=Budget())
    assert time.process_time() - started < 2.0


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_walked_or_refused(data: bytes, implicit: bool) -> None:  # noqa: FBT001
    assert refused_with(lambda: values(data, implicit=implicit)) in (None, 0xC000)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_real_dataset_changed_anywhere_is_walked_or_refused(data: st.DataObject) -> None:
    syntax = data.draw(st.sampled_from([EXPLICIT, IMPLICIT]))
    bytes_ = bytearray(encoded(slices(1)[0], syntax))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(bytes_) - 1))
        bytes_[position : position + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    view, implicit = memoryview(bytes_), syntax == IMPLICIT
    assert refused_with(lambda: walk(view, implicit=implicit, wanted={PATIENT_ID})) in (None, 0xC000)
