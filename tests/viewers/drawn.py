"""Where a picture of a viewer shows a segment or an outline, at the millimetres of the source images."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from tests.viewers.ohif import Look

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]


def places(image: Dataset, pixels: Points) -> Points:
    """Row and column, (n, 2), counted from the centre of the first pixel, in LPS, mm, (n, 3) (PS3.3 C.7.6.2.1.1)."""
    along_row, along_column = np.split(np.array(image.ImageOrientationPatient, float), 2)
    row_mm, column_mm = (float(v) for v in image.PixelSpacing)
    places_mm: Points = pixels @ np.array([along_column * row_mm, along_row * column_mm])
    places_mm += np.array(image.ImagePositionPatient, float)
    return places_mm


def on_picture(look: Look, image: Dataset, mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """RGB at the centres of a mask's voxels, and of all in view that are more than two voxels away from it."""
    near = np.zeros_like(mask)
    for rows in range(-2, 3):
        for columns in range(-2, 3):
            near |= np.roll(mask, (rows, columns), (0, 1))
    outside = places(image, np.argwhere(~near).astype(float))
    column, row = look.at(outside).T
    in_view = (column > 300) & (column < 1440) & (row > 130) & (row < 830)  # between the panels and the corner texts
    return look.pixels(places(image, np.argwhere(mask).astype(float))), look.pixels(outside[in_view])


def tinted(pixels: NDArray[np.int64], channel: int) -> Mask:
    """Where a segment's colour lies over grey: one channel of RGB leads."""
    found: Mask = pixels[:, channel] - np.delete(pixels, channel, axis=1).max(axis=1) > 20
    return found


def assert_overlaid(without: Look, overlaid: Look, image: Dataset, mask: Mask, channel: int) -> None:
    """Every voxel of the mask is tinted, no other is, and none is where no segmentation is shown."""
    assert without.sop_instance_uid == overlaid.sop_instance_uid == image.SOPInstanceUID
    inside, outside = on_picture(without, image, mask)
    assert (tinted(inside, channel).sum(), tinted(outside, channel).sum()) == (0, 0)
    inside, outside = on_picture(overlaid, image, mask)
    assert len(inside) > 100
    assert tinted(inside, channel).mean() > 0.99
    assert tinted(outside, channel).sum() == 0


def outlines(report: Dataset) -> list[tuple[str, Points]]:
    """The outline of every group of a measurement report: image's UID, and vertices as row and column of SCOORD."""
    found = []
    for item in items(report):
        if item.ValueType == "SCOORD" and item.ConceptNameCodeSequence[0].CodeValue == "111030":
            column_row = np.array(item.GraphicData, float).reshape(-1, 2)
            image = item.ContentSequence[0].ReferencedSOPSequence[0]
            found.append((str(image.ReferencedSOPInstanceUID), column_row[:, ::-1]))
    return found


def items(node: Dataset) -> Iterator[Dataset]:
    for item in node.get("ContentSequence", []):
        yield item
        yield from items(item)


def along(vertices: Points) -> Points:
    """Points on a polyline, a quarter of a pixel apart."""
    return np.concatenate(
        [np.linspace(a, b, 4 * int(np.abs(b - a).sum()), endpoint=False) for a, b in pairwise(vertices)]
    )


def drawn(look: Look, points: Points) -> Mask:
    """Where a line of a measurement passes within a pixel of the picture: green or yellow, which neither the image nor
    the segment is."""
    column, row = np.rint(look.at(points)).astype(int).T
    around = [(dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
    pixels = np.array([look.picture[row + dr, column + dc].astype(int) for dr, dc in around])
    found: Mask = (pixels[..., 1] - pixels[..., 2] > 60).any(axis=0)
    return found
