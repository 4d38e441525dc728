"""What every page of the summary carries: what it is in large letters, who made it; and columns to write into."""

from dataclasses import dataclass, field
from math import ceil

from PIL import Image, ImageDraw

from dicom_node.results.pages.lettering import fitting, shortened, typeface, wrapped
from dicom_node.results.pages.slice_picture import AMBER, BACKGROUND, FAINT, LINE, TEXT, Color
from dicom_node.study import Language

SIZE = (1024, 768)
"""Width and height of a page, pixels: viewers enlarge it, and an archive keeps 2.4 MB."""

MARGIN = 28
TOP, BOTTOM = 64, 708
"""Between these lines a page is its own."""

_BAND = 48
_ON_BAND: Color = (24, 16, 0)


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What stands on every page.

    Attributes
    ----------
    warning
        What the pages are, at the head of each.
    made_by
        Algorithm, weights, node and time, at the foot.
    pages
        How many there are.
    language
        Of the sentences.
    """

    warning: str
    made_by: str
    pages: int
    language: Language = "en"


def blank(imprint: Imprint, page: int) -> Image.Image:
    """A page with head and foot; `page` counts from 1."""
    image = Image.new("RGB", SIZE, BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SIZE[0], _BAND), fill=AMBER)
    room = SIZE[0] - 2 * MARGIN
    font = fitting(imprint.warning, room, 24, bold=True)
    pen.text((SIZE[0] // 2, _BAND // 2), imprint.warning, font=font, fill=_ON_BAND, anchor="mm")
    pen.line((MARGIN, BOTTOM + 8, SIZE[0] - MARGIN, BOTTOM + 8), fill=LINE)
    pen.text((SIZE[0] - MARGIN, BOTTOM + 18), f"{page} / {imprint.pages}", font=typeface(16), fill=TEXT, anchor="ra")
    foot = Column(image=image, left=MARGIN, right=SIZE[0] - MARGIN - 64, top=BOTTOM + 16, bottom=SIZE[1] - 4)
    foot.write(imprint.made_by, 13, fill=FAINT)
    return image


@dataclass(kw_only=True)
class Column:
    """A part of a page that is written from its top to its bottom.

    Attributes
    ----------
    left, right, top, bottom
        Pixels of the page.
    y
        Where the next line begins.
    """

    image: Image.Image
    left: int
    right: int
    top: int
    bottom: int
    y: int = field(init=False)

    def __post_init__(self) -> None:
        self.y = self.top

    @property
    def room(self) -> int:
        """Pixels below what was written."""
        return self.bottom - self.y

    def height(self, text: str, size: int, *, bold: bool = False) -> int:
        """Pixels that a text would take."""
        return len(wrapped(text, typeface(size, bold=bold), self.right - self.left)) * _step(size)

    def write(self, text: str, size: int, *, fill: Color = TEXT, bold: bool = False, lines: int | None = None) -> None:
        """Write a text in as many lines as it takes, at most `lines`; what finds no room ends with an ellipsis."""
        font, width = typeface(size, bold=bold), self.right - self.left
        told = wrapped(text, font, width)
        most = min(len(told), self.room // _step(size), lines if lines is not None else len(told))
        if most < 1:
            return
        if most < len(told):
            told = [*told[: most - 1], shortened(" ".join(told[most - 1 :]), font, width)]
        pen = ImageDraw.Draw(self.image)
        for line in told:
            pen.text((self.left, self.y + round(size * _ASCENT)), line, font=font, fill=fill, anchor="ls")
            self.y += _step(size)

    def beside(self, text: str, size: int, *, fill: Color = TEXT, bold: bool = False) -> int:
        """Write one line at the right edge, where the next line will be, and stay there; how wide it is."""
        font = typeface(size, bold=bold)
        place = (self.right, self.y + round(size * _ASCENT))
        ImageDraw.Draw(self.image).text(place, text, font=font, fill=fill, anchor="rs")
        return ceil(font.getlength(text))

    def skip(self, pixels: int) -> None:
        """Leave some room."""
        self.y += pixels


_ASCENT = 1.05


def _step(size: int) -> int:
    return round(size * 1.36)
