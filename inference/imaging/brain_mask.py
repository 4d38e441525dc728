"""Finds the brain in a T1, T2 or FLAIR MR image or a CT of a head, without weights; knows no lesion.

The standard head is laid over the head, a surface grows from within its brain to where the brain ends, the standard
brain is fitted anew to that surface, and so on until the volume settles. The mask is what lies within the surface,
filled on the source grid itself: no voxel is resampled on its way back.
"""

from functools import cache

import numpy as np
import SimpleITK as sitk

from inference.errors import UnsuitableImageError
from inference.image import Image
from inference.imaging import grid, head_ct
from inference.imaging.brain import LEAST_ML, Brain, check_volume
from inference.imaging.brain_surface import Surroundings, edge_share, grown, outside_volume
from inference.imaging.components import largest
from inference.imaging.head_placement import laid_over, matrix_of
from inference.imaging.shading import Shading, even, fitted
from inference.imaging.standard_head import standard
from inference.imaging.surface import Points, Surface, filled, sphere

LEAST_EDGE = 0.5
"""Share of its surface that must show an edge; in heads it is above 0.8, in noise 0."""

_GROW_MM = 1.5  # spacing of the grid on which the surface grows
_MARGIN_MM = 24.0
_START_WITHIN_MM = 6.0  # below the edge of the standard brain
_CORE_MM = -8.0  # within the standard brain: brain, however badly it fits
_RIM_MM = -6.0  # from here outwards, brighter than brain is fat, marrow or eye
_TOO_BRIGHT = 1.3  # times the bright end of brain
_RIM_OF_LIQUOR_MM = 0.4  # the surface rests on the tissue; drawn brains take in a little of what lies on it
_MOST_ROUNDS, _SETTLED = 5, 0.01


def find_brain(image: Image) -> Brain:
    """Find the brain.

    Parameters
    ----------
    image
        A head, MR or CT, in any orientation and spacing.

    Raises
    ------
    UnsuitableImageError
        If nothing with the size and the edge of a brain is in the volume; with the numbers.
    """
    volume = image.volume
    placement = laid_over(image)
    if image.modality == "CT":
        volume = volume.with_array(head_ct.soft_parts(volume.array))
    work = grid.upright(volume, _GROW_MM, margin_mm=_MARGIN_MM, outside=float("nan"))
    surface, around, shading, placement = _settled(work, placement, image)
    edge = edge_share(surface, around)
    surface = surface.moved(surface.vertices + _RIM_OF_LIQUOR_MM * surface.normals)
    within = np.linalg.inv(volume.affine)
    shape = (int(volume.shape[0]), int(volume.shape[1]), int(volume.shape[2]))
    mask = filled(surface.moved(surface.vertices @ within[:3, :3].T + within[:3, 3]), shape)
    missing = surface.volume - float(mask.sum()) * volume.voxel_volume
    if image.modality == "CT":
        mask = head_ct.without_bone_and_air(mask, image.volume.array)
    mask = largest(mask)
    volume_mm3 = image.volume_mm3(mask.sum(axis=(1, 2)))
    check_volume(volume_mm3 / 1000.0)
    _check_edge(edge)
    return Brain(
        mask=mask,
        whole_ml=(volume_mm3 + max(missing, 0.0)) / 1000.0,
        shading=shading,
        from_standard=matrix_of(placement),
    )


def _settled(
    work: sitk.Image, placement: sitk.AffineTransform, image: Image
) -> tuple[Surface, Surroundings, Shading, sitk.AffineTransform]:
    """Grow the surface and fit the standard brain to it in turn."""
    start, edge = _standard_surfaces()
    before, rounds = 0.0, 0
    while True:
        around, shading = _surroundings(work, placement, image)
        surface = grown(start.moved(_transformed(start.vertices, placement)), around)
        rounds += 1
        seen = ~outside_volume(surface, around)
        placement = _least_squares(edge.vertices[seen], surface.vertices[seen])
        if rounds == _MOST_ROUNDS or abs(surface.volume - before) <= _SETTLED * surface.volume:
            return surface, around, shading, placement
        before = surface.volume


def _surroundings(work: sitk.Image, placement: sitk.AffineTransform, image: Image) -> tuple[Surroundings, Shading]:
    """The image evened out and freed of what is brighter than brain, and the distance to the standard brain."""
    brightness = sitk.GetArrayFromImage(work)
    far = 10.0 * _MARGIN_MM
    distance = sitk.GetArrayFromImage(
        sitk.Resample(standard().distance, work, placement.GetInverse(), sitk.sitkLinear, far)
    )
    core = (distance < _CORE_MM) & ~np.isnan(brightness)
    if core.sum() * _GROW_MM**3 < 1000.0 * LEAST_ML / 2.0:
        raise UnsuitableImageError(
            f"{core.sum() * _GROW_MM**3 / 1000.0:.0f} mL of the volume lie where a brain would; too little for a head"
        )
    shading = even()
    if image.modality == "MR":
        points = np.argwhere(core)[:, ::-1] * _GROW_MM + np.array(work.GetOrigin())
        shading = fitted(brightness[core], points)
        brightness = brightness / shading.over(grid.affine_of(work), brightness.shape)
    middle, bright = np.percentile(brightness[core], [50, 98])
    if image.modality == "MR":
        brightness[(brightness > _TOO_BRIGHT * bright) & (distance > _RIM_MM)] = 0.0
    return (
        Surroundings(
            brightness=brightness,
            distance_mm=distance,
            origin_mm=np.array(work.GetOrigin()),
            spacing_mm=_GROW_MM,
            dark=0.1 * float(bright),
            tissue=float(middle),
        ),
        shading,
    )


@cache
def _standard_surfaces() -> tuple[Surface, Surface]:
    """Two surfaces in the standard head, vertex for vertex: well within the brain, and its rounded edge; LPS, mm."""
    rounded = sitk.SmoothingRecursiveGaussian(sitk.Cast(standard().distance <= 0.0, sitk.sitkFloat32), 4.0)
    array, center = sitk.GetArrayFromImage(rounded), standard().center
    ball = sphere(4)
    depths = np.arange(0.0, 110.0, 0.5)
    rays = center + ball.vertices[:, None] * depths[None, :, None]
    steps = np.rint((rays - np.array(rounded.GetOrigin())) / np.array(rounded.GetSpacing())).astype(int)
    index = tuple(np.clip(steps[..., 2 - axis], 0, n - 1) for axis, n in enumerate(array.shape))
    radius = depths[np.argmax(array[index] < 0.5, axis=1)][:, None]
    return ball.moved(center + ball.vertices * (radius - _START_WITHIN_MM)), ball.moved(center + ball.vertices * radius)


def _transformed(points: Points, transform: sitk.AffineTransform) -> Points:
    center = np.array(transform.GetCenter())
    turned = (points - center) @ np.array(transform.GetMatrix()).reshape(3, 3).T
    moved: Points = turned + center + np.array(transform.GetTranslation())
    return moved


def _least_squares(points: Points, onto: Points) -> sitk.AffineTransform:
    terms = np.linalg.lstsq(np.column_stack([points, np.ones(len(points))]), onto, rcond=None)[0]
    return sitk.AffineTransform(terms[:3].T.ravel().tolist(), terms[3].tolist())


def _check_edge(edge: float) -> None:
    if edge < LEAST_EDGE:
        raise UnsuitableImageError(
            f"{100 * edge:.0f} % of the surface of what looks like a brain shows an edge, "
            f"{100 * LEAST_EDGE:.0f} % are needed"
        )
