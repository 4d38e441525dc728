"""A picture of a finding: the slice it lies on, its outline as the segmentation drew it, and the place enlarged."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dicom_node.results.pages.lettering import typeface
from dicom_node.results.pages.slice_picture import (
    AMBER,
    BACKGROUND,
    FAINT,
    TEXT,
    Outline,
    View,
    draw_ruler,
    neighbourhood,
    panel,
    percentiles,
)

_PANEL = 560  # pixels, both sides of a panel
_MARGIN = 20
_ZOOM_MM = 60.0  # side of the enlarged part, at least


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is drawn.

    Attributes
    ----------
    plane
        (row, column): one slice of the source.
    mask
        (row, column), bool: the segmentation on that slice.
    spacing_mm
        Distance of (rows, columns), mm.
    title, caption, footer
        Lines of text; no patient's.
    """

    plane: NDArray[np.float32]
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float]
    title: str
    caption: str
    footer: str


def draw(scene: Scene, path: Path) -> None:
    """Write the picture as PNG: the whole slice left, the finding enlarged right, text above and below."""
    width, height = 2 * _PANEL + 3 * _MARGIN, _PANEL + 150
    canvas = Image.new("RGB", (width, height), BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    pen.text((_MARGIN, 16), scene.title, font=typeface(22), fill=TEXT)
    outlines = (Outline(mask=scene.mask, color=AMBER),)
    whole = View(plane=scene.plane, spacing_mm=scene.spacing_mm, window=percentiles(scene.plane), outlines=outlines)
    enlarged = whole.part(*neighbourhood(scene.mask, scene.spacing_mm, (_ZOOM_MM, _ZOOM_MM)))
    for view, left in ((whole, _MARGIN), (enlarged, _PANEL + 2 * _MARGIN)):
        drawn = panel(view, (_PANEL, _PANEL))
        draw_ruler(drawn)
        canvas.paste(drawn.image, (left, 56))
    pen.text((_MARGIN, _PANEL + 72), scene.caption, font=typeface(19), fill=AMBER)
    pen.text((_MARGIN, _PANEL + 108), scene.footer, font=typeface(15), fill=FAINT)
    canvas.save(path, optimize=True)
