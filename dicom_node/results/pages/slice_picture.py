"""A slice as a picture: grey values windowed, square pixels, outlines, edges and a ruler; knows no finding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dicom_node.results.pages.lettering import typeface

Color = tuple[int, int, int]
Window = tuple[float, float]

BACKGROUND: Color = (12, 14, 18)
TEXT: Color = (232, 234, 238)
FAINT: Color = (150, 156, 166)
AMBER: Color = (255, 176, 32)
LINE: Color = (52, 58, 68)

_BLACK: Color = (0, 0, 0)
_SAMPLED = 2_000_000  # values that percentiles are taken of, about
_RULERS_MM = (100, 50, 20, 10, 5, 2, 1)
_RULER_SHARE = 0.4  # of the picture's width, at most
_AROUND_MM = 5.0
_FINE = 2  # outlines are drawn this much larger and averaged


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A mask whose border is drawn just outside of it.

    Attributes
    ----------
    mask
        (row, column), bool, on the slice.
    color
        sRGB.
    width
        Pixels of the picture.
    """

    mask: NDArray[np.bool_]
    color: Color
    width: int = 2


@dataclass(frozen=True, kw_only=True)
class View:
    """What is drawn: `plane` (row, column) with `spacing_mm` of rows and columns, black and white at `window`."""

    plane: NDArray[np.float32]
    spacing_mm: tuple[float, float]
    window: Window
    outlines: tuple[Outline, ...] = ()

    @property
    def extent_mm(self) -> tuple[float, float]:
        """Height and width."""
        return self.plane.shape[0] * self.spacing_mm[0], self.plane.shape[1] * self.spacing_mm[1]

    def part(self, rows: slice, columns: slice) -> "View":
        """A rectangle of it, outlines included."""
        outlines = tuple(replace(outline, mask=outline.mask[rows, columns]) for outline in self.outlines)
        return replace(self, plane=self.plane[rows, columns], outlines=outlines)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A drawn view: an image of the size asked for, in whose middle the picture fills `box` (left, top, right, bottom)
    at `scale` pixels a millimetre in both directions.
    """

    image: Image.Image
    box: tuple[int, int, int, int]
    scale: float


def percentiles(values: NDArray[np.float32]) -> Window:
    """A window for values without a unit: from the 1st to the 99.5th percentile of an even sample of them."""
    step = max(1, ceil((values.size / _SAMPLED) ** (1 / values.ndim)))
    low, high = np.percentile(values[(slice(None, None, step),) * values.ndim], (1.0, 99.5))
    return float(low), float(high) if high > low else float(low) + 1.0


def panel(view: View, size: tuple[int, int]) -> Panel:
    """Draw a view as large as fits into `size` (width, height), black around it."""
    scale = min(size[1] / view.extent_mm[0], size[0] / view.extent_mm[1])
    wide, high = (max(1, round(mm * scale)) for mm in view.extent_mm[::-1])
    low, top = view.window
    grey = np.clip((view.plane - low) / (top - low), 0.0, 1.0) * 255.0
    picture = Image.fromarray(grey.astype(np.uint8)).resize((wide, high), Image.Resampling.LANCZOS).convert("RGB")
    for outline in view.outlines:
        _draw_outline(picture, outline)
    image = Image.new("RGB", size, _BLACK)
    corner = ((size[0] - wide) // 2, (size[1] - high) // 2)
    image.paste(picture, corner)
    return Panel(image=image, box=(*corner, corner[0] + wide, corner[1] + high), scale=scale)


def neighbourhood(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, float], extent_mm: tuple[float, float]
) -> tuple[slice, slice]:
    """Rows and columns of a rectangle around a mask, inside the slice.

    It is `extent_mm` (height, width), or larger in the same proportion where it would leave less than 5 mm around the
    mask.
    """
    marked = np.argwhere(mask) if mask.any() else np.array([mask.shape]) // 2
    first, beyond = marked.min(axis=0), marked.max(axis=0) + 1
    larger = max(1.0, float((((beyond - first) * spacing_mm + 2 * _AROUND_MM) / extent_mm).max()))
    found = []
    for axis in (0, 1):
        half = max(2, round(larger * extent_mm[axis] / 2 / spacing_mm[axis]))
        centre = round(float(first[axis] + beyond[axis]) / 2)
        start = int(np.clip(centre - half, 0, max(0, mask.shape[axis] - 2 * half)))
        found.append(slice(start, min(mask.shape[axis], start + 2 * half)))
    return found[0], found[1]


def draw_edges(drawn: Panel, letters: Sequence[str]) -> None:
    """Write what lies beyond the left, right, upper and lower edge, inside the image."""
    wide, high = drawn.image.size
    size = 20 if high > _LARGE else 15
    places = {"lm": (8, high // 2), "rm": (wide - 8, high // 2), "ma": (wide // 2, 6), "md": (wide // 2, high - 4)}
    for (anchor, place), said in zip(places.items(), letters, strict=True):
        _say(drawn.image, place, said, size, anchor)


def draw_ruler(drawn: Panel) -> None:
    """Draw a ruler in the lower left corner: a tick each 10 mm, its length in words."""
    widest = _RULER_SHARE * (drawn.box[2] - drawn.box[0]) / drawn.scale
    length = next((mm for mm in _RULERS_MM if mm <= widest), _RULERS_MM[-1])
    left, foot = 12, drawn.image.size[1] - 12
    pen = ImageDraw.Draw(drawn.image)
    ends = sorted({*range(0, length, 10), length})
    for color, extra in ((_BLACK, 1), (TEXT, 0)):
        right = left + round(length * drawn.scale)
        pen.rectangle((left - extra, foot - extra, right + extra, foot + 1 + extra), fill=color)
        for mm in ends:
            x, tall = left + round(mm * drawn.scale), 10 if mm in (0, length) else 6
            pen.rectangle((x - extra, foot - tall - extra, x + 1 + extra, foot + extra), fill=color)
    _say(drawn.image, (left, foot - 14), f"{length} mm", 15, "ls")


def draw_brackets(drawn: Panel, mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> None:
    """Four corners around a mask of the slice drawn, so that it is found at one glance."""
    marked = np.argwhere(mask)
    pixels = np.array(spacing_mm) * drawn.scale
    top, left = marked.min(axis=0) * pixels + drawn.box[1::-1] - _GAP
    foot, right = (marked.max(axis=0) + 1) * pixels + drawn.box[1::-1] + _GAP
    pen = ImageDraw.Draw(drawn.image)
    for x, inwards in ((left, 1), (right, -1)):
        for y, downwards in ((top, 1), (foot, -1)):
            arms = [(x, y + downwards * _ARM), (x, y), (x + inwards * _ARM, y)]
            pen.line(arms, fill=_BLACK, width=5)
            pen.line(arms, fill=TEXT, width=2)


_GAP, _ARM = 12, 12  # pixels
_LARGE = 300  # pixels, height of an image with large letters


def _say(image: Image.Image, place: tuple[int, int], said: str, size: int, anchor: str) -> None:
    font = typeface(size, bold=True)
    ImageDraw.Draw(image).text(place, said, font=font, fill=TEXT, anchor=anchor, stroke_width=2, stroke_fill=_BLACK)


def _draw_outline(picture: Image.Image, outline: Outline) -> None:
    fine = (picture.width * _FINE, picture.height * _FINE)
    scaled = Image.fromarray(outline.mask.astype(np.uint8) * 255).resize(fine, Image.Resampling.BILINEAR)
    inside = np.asarray(scaled) >= 128
    line = _grown(inside, outline.width * _FINE)
    shadow = _grown(line, _FINE)
    picture.paste(_BLACK, mask=_averaged(shadow & ~inside, 0.6))
    picture.paste(outline.color, mask=_averaged(line & ~inside, 1.0))


def _averaged(band: NDArray[np.bool_], opacity: float) -> Image.Image:
    return Image.fromarray(np.where(band, np.uint8(round(255 * opacity)), np.uint8(0))).reduce(_FINE)


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask and what lies within `by` pixels, nearly round: steps to 4 and to 8 neighbours take turns."""
    grown = np.pad(mask, by)
    for step in range(by):
        upright = grown | np.roll(grown, 1, 0) | np.roll(grown, -1, 0)
        sideways = upright if step % 2 else grown
        grown = upright | np.roll(sideways, 1, 1) | np.roll(sideways, -1, 1)
    return grown[by:-by, by:-by]
