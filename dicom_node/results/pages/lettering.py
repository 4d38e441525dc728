"""Letters on a picture: the typeface that ships, and text shortened or wrapped to a width in pixels."""

import unicodedata
from bisect import bisect_right
from functools import cache
from math import ceil
from pathlib import Path

from PIL import ImageFont

from dicom_node.results.text import one_line

_KERNING = 2  # pixels that a line may be wider than its words and blanks

_FONTS = Path(__file__).parent / "fonts"


@cache
def typeface(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of a size in pixels: Latin, Greek and Cyrillic; any other letter is drawn as an empty box.

    Pillow's own typeface has ASCII alone. The plain layout is asked for, because the other one is not in every build.
    """
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


def fitting(text: str, width: int, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The typeface in the largest size, at most `size` and at least half of it, in which a line is no wider."""
    sizes = range(size, size // 2, -1)
    return next(
        (typeface(s, bold=bold) for s in sizes if typeface(s, bold=bold).getlength(text) <= width),
        typeface(size // 2, bold=bold),
    )


def shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The line, or as much of it as fits with an ellipsis."""
    line = _drawable(text)
    if font.getlength(line) <= width:
        return line
    kept = bisect_right(range(len(line)), width, key=lambda n: ceil(font.getlength(f"{line[:n].rstrip()}…"))) - 1
    return f"{line[: max(0, kept)].rstrip()}…"


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """The text in lines that are no wider; a word that is wider than a line is shortened."""
    words = _drawable(text).split()
    widths = {word: font.getlength(word) for word in {*words, " "}}
    lines: list[list[str]] = []
    used = 0.0
    for word in words:
        used += widths[" "] + widths[word]
        if not lines or used > width - _KERNING:
            lines.append([])
            used = widths[word]
        lines[-1].append(word)
    return [shortened(" ".join(line), font, width) for line in lines]


def _drawable(text: str) -> str:
    """One line, each letter with its accents in one character: the plain layout puts no two together."""
    return unicodedata.normalize("NFC", one_line(text))
