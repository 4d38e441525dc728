"""Slices drawn in millimetres: square, outlined beside the mask and not on it, with a ruler that tells the truth."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dicom_node.results.pages.slice_picture import (
    TEXT,
    Outline,
    Panel,
    View,
    draw_brackets,
    draw_edges,
    draw_ruler,
    neighbourhood,
    panel,
    percentiles,
)
from tests import phantoms

RED = (255, 0, 0)


def _view(mask: NDArray[np.bool_], spacing_mm: tuple[float, float] = (1.0, 2.0), width: int = 2) -> View:
    plane = np.full(mask.shape, 50.0, np.float32)
    return View(
        plane=plane, spacing_mm=spacing_mm, window=(0, 100), outlines=(Outline(mask=mask, color=RED, width=width),)
    )


def _rows_and_columns(found: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    marked = np.argwhere(found)
    (top, left), (bottom, right) = marked.min(axis=0), marked.max(axis=0) + 1
    return float(top), float(bottom), float(left), float(right)


def _red(drawn: Panel) -> NDArray[np.bool_]:
    pixels = np.asarray(drawn.image, dtype=int)
    red: NDArray[np.bool_] = (pixels[..., 0] > 180) & (pixels[..., 1] < 60)
    return red


@pytest.mark.parametrize(
    ("spacing", "shape"), [((1.0, 2.0), (100, 50)), ((0.5, 0.25), (80, 160)), ((3.0, 0.9), (20, 90))]
)
def test_millimetres_are_alike_in_both_directions(spacing: tuple[float, float], shape: tuple[int, int]) -> None:
    drawn = panel(_view(np.zeros(shape, np.bool_), spacing), (400, 300))
    left, top, right, bottom = drawn.box
    assert drawn.image.size == (400, 300)
    assert (right - left) / (shape[1] * spacing[1]) == pytest.approx(drawn.scale, rel=0.01)
    assert (bottom - top) / (shape[0] * spacing[0]) == pytest.approx(drawn.scale, rel=0.01)
    assert max((right - left) / 400, (bottom - top) / 300) == pytest.approx(1.0)


def test_the_outline_lies_around_the_mask_and_leaves_it_free() -> None:
    mask = phantoms.box((100, 50), (20, 40), (5, 15))
    drawn = panel(_view(mask, width=3), (500, 500))  # 5 pixels a millimetre
    top, bottom, left, right = _rows_and_columns(_red(drawn))
    np.testing.assert_allclose((top, bottom, left, right), (97, 203, 47, 153), atol=2)
    inside = np.asarray(drawn.image, dtype=int)[104:196, 54:146]
    assert np.abs(inside - 127).max() <= 1


def test_every_part_of_a_mask_has_its_outline_and_a_hole_has_one() -> None:
    mask = phantoms.box((60, 60), (5, 30), (5, 30)) | phantoms.box((60, 60), (45, 50), (45, 50))
    mask[12:22, 12:22] = False
    red = _red(panel(_view(mask, (1.0, 1.0)), (600, 600)))
    assert red[120:220, 120:220].any()
    assert red[440:510, 440:510].any()
    assert not red[310:430, 310:430].any()


def test_an_empty_mask_draws_nothing() -> None:
    assert not _red(panel(_view(np.zeros((30, 30), np.bool_)), (300, 300))).any()


def test_grey_values_are_windowed() -> None:
    plane = np.repeat(np.array([[-50.0, 0.0, 40.0, 80.0, 900.0]], np.float32), 5, axis=0)
    drawn = panel(View(plane=plane, spacing_mm=(1, 1), window=(0, 80)), (500, 500))
    assert np.asarray(drawn.image)[250, 50::100, 0].tolist() == pytest.approx([0, 0, 127, 255, 255], abs=3)


@pytest.mark.parametrize(
    ("extent_mm", "length_mm"), [(400.0, 100), (240.0, 50), (60.0, 20), (30.0, 10), (16.0, 5), (2.6, 1)]
)
def test_the_ruler_is_as_long_as_it_says(extent_mm: float, length_mm: int) -> None:
    drawn = panel(
        View(plane=np.zeros((50, 50), np.float32), spacing_mm=(extent_mm / 50,) * 2, window=(0, 1)), (500, 500)
    )
    draw_ruler(drawn)
    row = np.all(np.asarray(drawn.image)[489] == TEXT, axis=-1)
    marked = np.flatnonzero(row)
    assert marked.min() == 12
    assert (marked.max() - marked.min()) / drawn.scale == pytest.approx(length_mm, abs=2 / drawn.scale)
    ticks = np.flatnonzero(np.all(np.asarray(drawn.image)[484] == TEXT, axis=-1))
    assert len(ticks) == 2 * (max(1, length_mm // 10) + 1)  # two pixels each


def test_letters_stand_at_their_edges() -> None:
    for place, said in enumerate((("R", "", "", ""), ("", "L", "", ""), ("", "", "A", ""), ("", "", "", "P"))):
        drawn = Panel(image=Image.new("RGB", (400, 400)), box=(0, 0, 400, 400), scale=1.0)
        draw_edges(drawn, said)
        top, bottom, left, right = _rows_and_columns(np.asarray(drawn.image).max(axis=-1) > 0)
        assert (left < 30, right > 370, top < 30, bottom > 370) == tuple(place == edge for edge in range(4))


def test_brackets_stand_around_the_mask() -> None:
    mask = phantoms.box((100, 100), (40, 60), (70, 80))
    view = View(plane=np.zeros((100, 100), np.float32), spacing_mm=(1, 1), window=(0, 1))
    drawn = panel(view, (500, 500))
    draw_brackets(drawn, mask, (1, 1))
    found = _rows_and_columns(np.asarray(drawn.image).max(axis=-1) > 0)
    np.testing.assert_allclose(found, (200 - 12, 300 + 12, 350 - 12, 400 + 12), atol=3)


def test_a_neighbourhood_lies_inside_the_slice_and_holds_the_mask() -> None:
    for corner in ((0, 0), (0, 35), (70, 35), (30, 20)):
        mask = phantoms.box((80, 40), (corner[0], corner[0] + 5), (corner[1], corner[1] + 5))
        rows, columns = neighbourhood(mask, (1.0, 2.0), (30.0, 40.0))
        assert (rows.stop - rows.start, columns.stop - columns.start) == (30, 20)
        assert min(rows.start, columns.start) >= 0
        assert rows.stop <= 80
        assert columns.stop <= 40
        assert mask[rows, columns].sum() == mask.sum()


def test_a_neighbourhood_grows_in_proportion_until_it_holds_the_mask() -> None:
    mask = phantoms.box((200, 100), (60, 140), (50, 55)) | phantoms.box((200, 100), (60, 62), (20, 55))
    rows, columns = neighbourhood(mask, (1.0, 2.0), (30.0, 40.0))
    assert mask[rows, columns].sum() == mask.sum()
    assert (rows.stop - rows.start, columns.stop - columns.start) == (90, 60)  # 80 mm and 5 on either side; 3 to 4
    assert (60 - rows.start, rows.stop - 140) == (5, 5)


def test_percentiles_forget_outliers_and_bear_one_value() -> None:
    values = np.random.default_rng(0).normal(100, 10, (40, 200, 300)).astype(np.float32)  # more than are sampled
    values[0, 0, 0] = 1e6
    low, high = percentiles(values)
    assert low == pytest.approx(76.7, abs=1)
    assert high == pytest.approx(125.8, abs=1)
    assert percentiles(np.full((3, 4, 5), 7, np.float32)) == (7.0, 8.0)
