"""Moves a surface from within the brain outwards to where the brain ends; knows no modality.

After Smith, Fast robust automated brain extraction, Human Brain Mapping 17 (2002), with a bound on how far the surface
believes the image: the further it leaves the standard brain behind, the more of the tissue's brightness it asks for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.imaging.surface import Points, Surface

_LOOK_INWARDS_MM = np.arange(0.0, 17.0)
_LOOK_NEAR = 9  # of these: where the brightest is sought
_THRESHOLD = 0.6  # between nothing and tissue, at the edge of the standard brain
_THRESHOLD_PER_MM = 0.03  # more for each mm beyond it
_THRESHOLD_BOUNDS = (0.2, 0.95)
_GAIN = 0.05  # of the image's pull, in mean edge lengths
_BENDS_MM = (3.33, 10.0)  # radii of curvature: below the first smoothed away, above the second let be
_STEPS = 150
_TRUST_MM = 5.0  # outside the volume the surface keeps this close to the standard brain


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What a moving surface sees, on one grid along the patient's axes.

    Attributes
    ----------
    brightness
        (slice, row, column), float32: tissue bright, all else dark; NaN outside the volume.
    distance_mm
        (slice, row, column), float32: to the standard brain as it was laid over the head, negative within.
    origin_mm, spacing_mm
        LPS position of the first voxel's center, and edge of a voxel.
    dark, tissue
        Brightness below which there is none, and of the middle of the brain.
    """

    brightness: NDArray[np.float32]
    distance_mm: NDArray[np.float32]
    origin_mm: NDArray[np.float64]
    spacing_mm: float
    dark: float
    tissue: float

    def index(self, points: Points) -> tuple[NDArray[np.intp], ...]:
        """Index (slice, row, column) of the voxel that holds each point (..., 3), LPS, mm; the nearest one outside."""
        steps = np.rint((points - self.origin_mm) / self.spacing_mm).astype(np.intp)
        return tuple(np.clip(steps[..., 2 - axis], 0, n - 1) for axis, n in enumerate(self.brightness.shape))


def grown(surface: Surface, around: Surroundings) -> Surface:
    """Let a surface that lies within the brain move to its edge; vertices in LPS, mm."""
    neighbours, there = surface.edges
    count = there.sum(axis=1, keepdims=True)
    length = 0.0
    for step in range(_STEPS):
        vertices = surface.vertices
        if step % 50 == 0:
            length = float(np.linalg.norm(vertices[neighbours] - vertices[:, None], axis=2)[there].mean())
        normals = surface.normals
        towards = (vertices[neighbours] * there[..., None]).sum(axis=1) / count - vertices
        bulge = (towards * normals).sum(axis=1, keepdims=True)
        sideways = towards - bulge * normals
        push = _GAIN * length * _pull(vertices, normals, around)[:, None]
        surface = surface.moved(vertices + 0.5 * sideways + (_smoothing(bulge, length) * bulge + push) * normals)
    return surface


def outside_volume(surface: Surface, around: Surroundings) -> NDArray[np.bool_]:
    """(n,): which vertices lie outside the volume."""
    return np.isnan(around.brightness[around.index(surface.vertices)])


def edge_share(surface: Surface, around: Surroundings, depth_mm: float = 12.0) -> float:
    """Share of the vertices in the volume that have tissue close within and something darker by half close outside."""
    reach = np.arange(1.0, depth_mm + 0.5)[None, :, None] * surface.normals[:, None]
    within = around.brightness[around.index(surface.vertices[:, None] - reach)]
    beyond = around.brightness[around.index(surface.vertices[:, None] + reach)]
    seen = ~(np.isnan(within).any(axis=1) | np.isnan(beyond).any(axis=1))
    edge = beyond[seen].min(axis=1) < 0.5 * np.median(within[seen], axis=1)
    return float(edge.mean()) if seen.any() else 0.0


def _pull(vertices: Points, normals: Points, around: Surroundings) -> NDArray[np.float64]:
    """Of the image, along each normal: above 0 where the surface still lies in tissue (Smith 2002, f3)."""
    profile = around.brightness[around.index(vertices[:, None] - _LOOK_INWARDS_MM[None, :, None] * normals[:, None])]
    outside = np.isnan(profile[:, 0])
    profile = np.where(np.isnan(profile), around.tissue, profile)
    darkest = np.clip(profile.min(axis=1), 0.0, around.tissue)
    brightest = np.clip(profile[:, :_LOOK_NEAR].max(axis=1), around.dark, around.tissue)
    ahead = around.distance_mm[around.index(vertices)].astype(np.float64)
    threshold = np.clip(_THRESHOLD + _THRESHOLD_PER_MM * ahead, *_THRESHOLD_BOUNDS)
    pull: NDArray[np.float64] = 2.0 * (darkest / brightest - threshold)
    return np.where(outside, -np.clip(ahead / _TRUST_MM, -1.0, 1.0), pull)


def _smoothing(bulge: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """How much of a bend is taken back, 0 to 1, by its radius of curvature (Smith 2002, f2)."""
    curvature = 2.0 * np.abs(bulge) / length**2
    sharp, flat = (1.0 / radius for radius in _BENDS_MM)
    share: NDArray[np.float64] = (1.0 + np.tanh(6.0 / (sharp - flat) * (curvature - (sharp + flat) / 2.0))) / 2.0
    return share
