"""Names in every character set of PS3.3 C.12.1.1.2, with escape sequences set by hand after PS3.5 6.1.2."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

Encode = Callable[[str], bytes]
ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,'-()"


@dataclass(frozen=True, kw_only=True)
class Script:
    """Characters that one component of a name may be made of, and the bytes of such a component."""

    characters: str
    encode: Encode


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A value of Specific Character Set (0008,0005) and the scripts that may be written under it."""

    terms: str
    scripts: Sequence[Script]


@cache
def _known(codec: str, points: range, start: bytes = b"") -> str:
    """What the codec writes in one way and reads back; letters, digits and signs alone."""
    kept = []
    for point in points:
        character = chr(point)
        try:
            encoded = character.encode(codec)
        except UnicodeError:
            continue
        drawn = unicodedata.category(character)[0] in "LNPS" and encoded.startswith(start)
        if drawn and encoded.decode(codec) == character:
            kept.append(character)
    return "".join(kept)


def single(codec: str, escape: bytes = b"", back: bytes = b"") -> Script:
    """A set of single bytes; one that is not declared first begins with an escape sequence and ends with one `back`."""
    characters = ASCII + _known(codec, range(0xA0, 0x3000))
    return Script(characters=characters, encode=lambda text: escape + text.encode(codec) + back)


def japanese(codec: str, escape: bytes, *, home: bytes = b"\x1b(B") -> Script:
    """94x94 sets in G0: Python writes their escape sequences and the way back, for which IR 13 has another one."""

    def encode(text: str) -> bytes:
        return text.encode(codec).replace(b"\x1b(B", home)

    return Script(characters=_known(codec, range(0x3000, 0xFFFF), start=escape), encode=encode)


def chinese(codec: str, escape: bytes = b"") -> Script:
    """Two-byte sets, four bytes in GB18030; in GBK and GB18030 the second byte may be a backslash or a caret."""
    characters = ASCII[:20] + _known(codec, range(0x3400, 0x3440)) + _known(codec, range(0x4E00, 0x9FA6))
    return Script(characters=characters, encode=lambda text: escape + text.encode(codec))


KATAKANA = Script(
    characters="ABC xyz" + "".join(map(chr, range(0xFF61, 0xFFA0))), encode=lambda text: text.encode("shift_jis")
)
PLAIN = Script(characters=ASCII, encode=lambda text: text.encode("ascii"))
KANJI = japanese("iso2022_jp", b"\x1b$B")
SUPPLEMENT = japanese("iso2022_jp_2", b"\x1b$(D")
HANGUL = Script(
    characters="".join(c for c in map(chr, range(0xAC00, 0xB000)) if len(c.encode("euc_kr")) == 2) + "洪吉洞金喜中 -",
    encode=lambda text: b"\x1b$)C" + text.encode("euc_kr"),
)

_SINGLE = {
    "100": ("latin_1", b"-A"),
    "101": ("iso8859_2", b"-B"),
    "109": ("iso8859_3", b"-C"),
    "110": ("iso8859_4", b"-D"),
    "144": ("iso8859_5", b"-L"),
    "127": ("iso8859_6", b"-G"),
    "126": ("iso8859_7", b"-F"),
    "138": ("iso8859_8", b"-H"),
    "148": ("iso8859_9", b"-M"),
    "166": ("iso8859_11", b"-T"),
}

SETS: tuple[Declared, ...] = (
    Declared(terms="", scripts=[PLAIN]),
    Declared(terms="ISO_IR 6", scripts=[PLAIN]),
    *(Declared(terms=f"ISO_IR {n}", scripts=[single(codec)]) for n, (codec, _) in _SINGLE.items()),
    *(
        Declared(terms=f"\\ISO 2022 IR {n}", scripts=[PLAIN, single(codec, b"\x1b" + escape)])
        for n, (codec, escape) in _SINGLE.items()
    ),
    *(
        Declared(
            terms=f"ISO 2022 IR 100\\ISO 2022 IR {n}",
            scripts=[single("latin_1"), single(codec, b"\x1b" + escape, b"\x1b-A")],
        )
        for n, (codec, escape) in _SINGLE.items()
    ),
    Declared(terms="ISO_IR 203", scripts=[single("iso8859_15")]),
    Declared(terms="ISO_IR 13", scripts=[KATAKANA]),
    Declared(terms="\\ISO 2022 IR 87", scripts=[PLAIN, KANJI]),
    Declared(terms="ISO 2022 IR 6\\ISO 2022 IR 87\\ISO 2022 IR 159", scripts=[PLAIN, KANJI, SUPPLEMENT]),
    Declared(
        terms="ISO 2022 IR 13\\ISO 2022 IR 87",
        scripts=[KATAKANA, japanese("iso2022_jp", b"\x1b$B", home=b"\x1b(J")],
    ),
    Declared(terms="\\ISO 2022 IR 149", scripts=[PLAIN, HANGUL]),
    Declared(terms="\\ISO 2022 IR 58", scripts=[PLAIN, chinese("gb2312", b"\x1b$)A")]),
    Declared(terms="\\ISO 2022 IR 87\\ISO 2022 IR 149", scripts=[PLAIN, KANJI, HANGUL]),
    Declared(terms="GBK", scripts=[chinese("gbk")]),
    Declared(terms="GB18030", scripts=[chinese("gb18030")]),
    Declared(terms="ISO_IR 192", scripts=[PLAIN, single("utf-8"), chinese("utf-8")]),
)
