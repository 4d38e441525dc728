"""A bounded walk over the elements of a dataset as it came, without decoding one; knows no meaning of any attribute.

Every length is checked against what encloses it before it is used, and elements, items and depth are counted: the walk
ends in time that grows with the budget, never with what the bytes claim (PS3.5 7.1, 7.5, A.4).
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pydicom.datadict import dictionary_VR

from dicom_node.errors import RefusedError

CANNOT_UNDERSTAND = 0xC000  # PS3.4 B.2.3
ITEM = 0xFFFEE000
Place = tuple[int, int]
"""An attribute's tag with that of the sequence it lies in, 0 at the top; (sequence, ITEM) stands for an item of it."""

_ITEM_END, _SEQUENCE_END = 0xFFFEE00D, 0xFFFEE0DD
_FIRST_GROUP = 0x0008  # PS3.7: lower groups belong to commands, file meta information and directories
_FLOAT_PIXEL_DATA = 0x7FE00008  # the first of the three kinds of pixel data
_NUMBER_OF_FRAMES = 0x00280008
_UNDEFINED = 0xFFFFFFFF
_LONGEST_VALUE = 4096  # of the attributes that are asked for
_MOST_FRAMES = 20_000
_HEAD = struct.Struct("<HH")
_EXPLICIT = struct.Struct("<HH2sH")
_LENGTH = struct.Struct("<I")
_LONG_VR = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much a dataset may ask of whoever parses it.

    Attributes
    ----------
    elements, elements_per_frame
        Elements and items in all, and so many more for each frame that an object declares (at most 20,000 count).
    items
        Items of one sequence.
    depth
        Sequences inside each other.
    """

    elements: int = 200_000
    elements_per_frame: int = 200
    items: int = 50_000
    depth: int = 32


class _Kind(Enum):
    DATASET = "dataset"  # the whole, or an item of a sequence
    SEQUENCE = "sequence"
    FRAGMENTS = "fragments"  # of encapsulated pixel data: its items are no datasets


@dataclass(slots=True)
class _Level:
    """Something the walk is inside of: ends at `end`, or with a delimiter before it."""

    kind: _Kind
    tag: int
    end: int
    delimited: bool
    implicit: bool
    items: int = 0


def walk(
    data: memoryview, *, implicit: bool, wanted: Collection[Place], budget: Budget | None = None
) -> dict[Place, bytes]:
    """Values of the wanted attributes of a Little Endian dataset, up to its pixel data.

    Parameters
    ----------
    data
        The dataset as it came.
    implicit
        Whether it is Implicit VR.
    wanted
        Attributes at the top, or in the first item of a sequence at the top.

    Returns
    -------
    dict
        Values as they stand there, without those that are absent.

    Raises
    ------
    RefusedError
        0xC000: a length that does not fit, something where it may not be, a wanted attribute twice, or over the budget.
    """
    return _Walk(data, implicit, frozenset(wanted), budget or Budget()).run()


class _Walk:
    def __init__(self, data: memoryview, implicit: bool, wanted: frozenset[Place], budget: Budget) -> None:  # noqa: FBT001
        self._data = data
        self._wanted = wanted
        self._budget = budget
        self._elements_left = budget.elements
        self._position = 0
        self._levels = [_Level(_Kind.DATASET, 0, len(data), delimited=False, implicit=implicit)]
        self._values: dict[Place, bytes] = {}

    def run(self) -> dict[Place, bytes]:
        while self._levels:
            level = self._levels[-1]
            if self._position == level.end and not level.delimited:
                self._levels.pop()
            elif level.end - self._position < 8:
                raise _refused("is cut short")
            elif level.kind is not _Kind.DATASET:
                self._item(level)
            elif self._element(level):
                break
        return self._values

    def _element(self, level: _Level) -> bool:
        """Step over one element or into its sequence; True at the pixel data."""
        group, number = _HEAD.unpack_from(self._data, self._position)
        tag = group << 16 | number
        if group == 0xFFFE:
            self._close(level, tag, _ITEM_END)
            return False
        self._count()
        top = len(self._levels) == 1
        if top and group < _FIRST_GROUP:
            raise _refused(f"holds an element of group {group:04X}")
        vr, length, start = self._length(level)
        if length != _UNDEFINED and length > level.end - start:
            raise _refused("is cut short")
        if top and tag >= _FLOAT_PIXEL_DATA:
            return True
        if _is_sequence(tag, vr, length, implicit=level.implicit):
            self._open(level, tag, vr, start, length)
            return False
        self._note(tag, start, length)
        self._position = start + length
        return False

    def _length(self, level: _Level) -> tuple[bytes, int, int]:
        """VR (empty in Implicit VR), length and start of the value of the element at the position (PS3.5 7.1)."""
        position = self._position
        if level.implicit:
            return b"", _LENGTH.unpack_from(self._data, position + 4)[0], position + 8
        _, _, vr, length = _EXPLICIT.unpack_from(self._data, position)
        if vr in _SHORT_VR:
            return vr, length, position + 8
        if vr not in _LONG_VR:
            raise _refused("holds an element of unknown value representation")
        if level.end - position < 12:
            raise _refused("is cut short")
        return vr, _LENGTH.unpack_from(self._data, position + 8)[0], position + 12

    def _count(self) -> None:
        self._elements_left -= 1
        if self._elements_left < 0:
            raise _refused(f"has more than {self._budget.elements} elements and items")

    def _open(self, level: _Level, tag: int, vr: bytes, start: int, length: int) -> None:
        if (len(self._levels) + 1) // 2 > self._budget.depth:
            raise _refused(f"nests sequences deeper than {self._budget.depth}")
        kind = _Kind.FRAGMENTS if vr in (b"OB", b"OW") else _Kind.SEQUENCE
        delimited = length == _UNDEFINED
        end = level.end if delimited else start + length
        # PS3.5 6.2.2: a value of VR UN and undefined length is a sequence in Implicit VR Little Endian
        self._levels.append(_Level(kind, tag, end, delimited, implicit=level.implicit or vr == b"UN"))
        self._position = start

    def _item(self, level: _Level) -> None:
        """Step into the next item of a sequence, over the next fragment, or out at the delimiter (PS3.5 7.5)."""
        group, number = _HEAD.unpack_from(self._data, self._position)
        (length,) = _LENGTH.unpack_from(self._data, self._position + 4)
        tag = group << 16 | number
        if tag != ITEM:
            self._close(level, tag, _SEQUENCE_END)
            return
        self._count()
        level.items += 1
        if level.items > self._budget.items:
            raise _refused(f"has a sequence of more than {self._budget.items} items")
        start = self._position + 8
        delimited = length == _UNDEFINED
        if not delimited and length > level.end - start:
            raise _refused("is cut short")
        self._position = start
        if level.kind is _Kind.FRAGMENTS:
            if delimited:
                raise _refused("holds a fragment without length")
            self._position = start + length
            return
        if len(self._levels) == 2 and (level.tag, ITEM) in self._wanted:
            self._values.setdefault((level.tag, ITEM), b"")
        end = level.end if delimited else start + length
        self._levels.append(_Level(_Kind.DATASET, level.tag, end, delimited, level.implicit))

    def _close(self, level: _Level, tag: int, delimiter: int) -> None:
        (length,) = _LENGTH.unpack_from(self._data, self._position + 4)
        if tag != delimiter or not level.delimited or length != 0:
            raise _refused("holds a delimiter or an item where none may be")
        self._levels.pop()
        self._position += 8

    def _note(self, tag: int, start: int, length: int) -> None:
        """Keep the value if it is wanted; at the top it must be the only one, below the first counts."""
        depth = len(self._levels)
        if depth not in (1, 3):
            return
        place = (0 if depth == 1 else self._levels[1].tag, tag)
        if depth == 1 and tag == _NUMBER_OF_FRAMES:
            self._elements_left += self._budget.elements_per_frame * _frames(self._data[start : start + length])
        if place not in self._wanted:
            return
        if depth == 1 and place in self._values:
            raise _refused(f"holds attribute {tag >> 16:04X},{tag & 0xFFFF:04X} twice")
        if length > _LONGEST_VALUE:
            raise _refused(f"holds {length} bytes in attribute {tag >> 16:04X},{tag & 0xFFFF:04X}")
        self._values.setdefault(place, bytes(self._data[start : start + length]))


def _refused(what: str) -> RefusedError:
    return RefusedError(f"the dataset {what}", CANNOT_UNDERSTAND)


def _frames(value: memoryview) -> int:
    text = bytes(value[:16]).strip(b" \0")
    return min(int(text), _MOST_FRAMES) if text.isdigit() else 0


def _is_sequence(tag: int, vr: bytes, length: int, *, implicit: bool) -> bool:
    """Whether an element's value is made of items."""
    if not implicit:
        if length == _UNDEFINED and vr not in (b"SQ", b"UN", b"OB", b"OW"):
            raise _refused("holds an undefined length where none may be")
        return vr == b"SQ" or length == _UNDEFINED
    return length == _UNDEFINED or (tag >> 16 & 1 == 0 and _is_sequence_by_dictionary(tag))


@lru_cache(maxsize=8192)
def _is_sequence_by_dictionary(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False
