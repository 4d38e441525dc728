"""Outlines against SimpleITK's labelling and against regions whose outline is known."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dicom_node.results.outline import filled, outline
from tests.phantoms import box


def _area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float(x[:-1] @ y[1:] - y[:-1] @ x[1:]) / 2


def _largest_part_filled(plane: np.ndarray) -> int:
    """Pixels of the largest part, holes filled, by SimpleITK: parts join along edges, background around corners too."""
    parts = _parts(plane, around_corners=False)
    sizes = []
    for label in range(1, parts.max() + 1):
        background = _parts(np.pad(parts != label, 1, constant_values=True), around_corners=True)
        sizes.append(int((background != background[0, 0]).sum()))
    return max(sizes)


def _parts(plane: np.ndarray, *, around_corners: bool) -> np.ndarray:
    labelling = sitk.ConnectedComponentImageFilter()
    labelling.SetFullyConnected(around_corners)
    parts: np.ndarray = sitk.GetArrayFromImage(labelling.Execute(sitk.GetImageFromArray(plane.astype(np.uint8))))
    return parts


def test_one_pixel_is_a_square_on_its_edges() -> None:
    polygon = outline(box((4, 5), (2, 3), (3, 4)))
    assert polygon.tolist() == [[3, 2], [4, 2], [4, 3], [3, 3], [3, 2]]


def test_only_corners_are_kept_and_the_outline_is_closed() -> None:
    polygon = outline(box((9, 9), (1, 7), (2, 8)))
    assert len(polygon) == 5
    assert (polygon[0] == polygon[-1]).all()
    assert (polygon.min(axis=0), polygon.max(axis=0)) == (pytest.approx([2, 1]), pytest.approx([8, 7]))


def test_a_ring_is_outlined_on_its_outside() -> None:
    assert _area(outline(box((9, 9), (1, 8), (1, 8)) & ~box((9, 9), (3, 6), (3, 6)))) == 49


def test_a_ring_that_touches_itself_at_a_corner_is_outlined_whole() -> None:
    ring = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1]], dtype=np.bool_)
    assert _area(outline(ring)) == _largest_part_filled(ring)


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(lambda plane: bool(plane.any())))
def test_the_outline_encloses_the_largest_part(plane: np.ndarray) -> None:
    polygon = outline(plane)
    assert _area(polygon) == _largest_part_filled(plane)
    assert (polygon >= 0).all()
    assert (polygon <= [plane.shape[1], plane.shape[0]]).all()


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(lambda plane: bool(plane.any())))
def test_the_pixels_of_an_outline_are_those_it_was_drawn_around(plane: np.ndarray) -> None:
    shape = (plane.shape[0], plane.shape[1])
    pixels = filled(outline(plane), shape)
    assert pixels.sum() == _largest_part_filled(plane)
    assert np.array_equal(filled(outline(plane)[:-1], shape), pixels)
    assert np.array_equal(filled(outline(pixels), shape), pixels)


def test_an_outline_that_reaches_beyond_the_plane_is_cut_at_its_edge() -> None:
    beyond = np.array([[-2, -3], [2, -3], [2, 9], [-2, 9]], dtype=np.float64)
    assert np.array_equal(filled(beyond, (4, 5)), box((4, 5), (0, 4), (0, 2)))
