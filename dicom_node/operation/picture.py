"""A picture of a finding: the slice it lies on, its outline as the segmentation drew it, and the place enlarged."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_PANEL = 560  # pixels, both sides of a panel
_MARGIN = 20
_ZOOM_MM = 60.0  # side of the enlarged part
_BACKGROUND = (12, 14, 18)
_TEXT = (232, 234, 238)
_FAINT = (140, 146, 156)
_OUTLINE = (255, 176, 32)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is drawn.

    Attributes
    ----------
    plane
        (row, column), any number type: one slice of the source.
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
    canvas = Image.new("RGB", (width, height), _BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    pen.text((_MARGIN, 16), scene.title, font=ImageFont.load_default(22), fill=_TEXT)
    canvas.paste(_panel(scene.plane, scene.mask, scene.spacing_mm), (_MARGIN, 56))
    rows, columns = _neighbourhood(scene)
    enlarged = _panel(
        scene.plane[rows, columns], scene.mask[rows, columns], scene.spacing_mm, window=_window(scene.plane)
    )
    canvas.paste(enlarged, (_PANEL + 2 * _MARGIN, 56))
    pen.text((_MARGIN, _PANEL + 72), scene.caption, font=ImageFont.load_default(19), fill=_OUTLINE)
    pen.text((_MARGIN, _PANEL + 108), scene.footer, font=ImageFont.load_default(15), fill=_FAINT)
    canvas.save(path, optimize=True)


def _window(plane: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.percentile(plane, (1.0, 99.5))
    return float(low), float(max(high, low + 1.0))


def _panel(
    plane: NDArray[np.float32],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float],
    window: tuple[float, float] | None = None,
) -> Image.Image:
    """One square panel: grey values windowed, millimetres equal in both directions, the mask's outline on top."""
    low, high = window or _window(plane)
    grey = np.clip((plane - low) / (high - low), 0.0, 1.0) * 255.0
    extent_mm = (plane.shape[0] * spacing_mm[0], plane.shape[1] * spacing_mm[1])
    scale = _PANEL / max(extent_mm)
    size = (round(extent_mm[1] * scale), round(extent_mm[0] * scale))
    picture = Image.fromarray(grey.astype(np.uint8)).resize(size, Image.Resampling.LANCZOS).convert("RGB")
    drawn = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    picture.paste(_OUTLINE, mask=_outline(np.asarray(drawn) >= 128))
    panel = Image.new("RGB", (_PANEL, _PANEL), (0, 0, 0))
    panel.paste(picture, ((_PANEL - size[0]) // 2, (_PANEL - size[1]) // 2))
    return panel


def _outline(mask: NDArray[np.bool_]) -> Image.Image:
    """The border of a mask, two pixels wide, as a mask to paste through."""
    padded = np.pad(mask, 2)
    inner = padded.copy()
    for shift in (1, 2):
        for axis in (0, 1):
            inner &= np.roll(padded, shift, axis) & np.roll(padded, -shift, axis)
    return Image.fromarray(((padded & ~inner)[2:-2, 2:-2] * 255).astype(np.uint8))


def _neighbourhood(scene: Scene) -> tuple[slice, slice]:
    """Rows and columns of a square around the mask, inside the slice."""
    marked = np.argwhere(scene.mask)
    centre = marked.mean(axis=0) if len(marked) else np.array(scene.plane.shape) / 2
    found = []
    for axis in (0, 1):
        half = max(2, round(_ZOOM_MM / 2 / scene.spacing_mm[axis]))
        length = scene.plane.shape[axis]
        start = int(np.clip(round(float(centre[axis])) - half, 0, max(0, length - 2 * half)))
        found.append(slice(start, min(length, start + 2 * half)))
    return found[0], found[1]
