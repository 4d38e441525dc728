"""Lesions planted into a synthetic head: where, how large, which contrast; drawn on the template and warped with it."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.synthetic.template import Template

Kind = Literal["hyperintense", "hypointense", "ring"]
"""Brighter than white matter (blood, contrast agent), darker than grey (oedema), or dark with a bright rim."""

RADIUS_MM = (5.0, 14.0)
"""Least and greatest mean radius on the template."""

_GAP_MM = 6.0  # least distance between two lesions
_TRIES = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """One lesion on the template.

    Attributes
    ----------
    kind
        Its contrast.
    depth_mm
        (slice, row, column), float32, on the template: distance to the lesion's border, positive within.
    rim_mm
        Width of the bright rim of a "ring".
    """

    kind: Kind
    depth_mm: NDArray[np.float32]
    rim_mm: float


def plan(template: Template, count: int, rng: np.random.Generator) -> tuple[Plan, ...]:
    """Lesions that lie in parenchyma, inside the brain, and apart from each other.

    Raises
    ------
    ValueError
        If there is no room for so many.
    """
    parenchyma = _parenchyma(template)
    plans: list[Plan] = []
    taken: list[tuple[NDArray[np.float64], float]] = []
    while len(plans) < count:
        radius = float(np.exp(rng.uniform(*np.log(RADIUS_MM))))
        center = _center(template, parenchyma, radius, taken, rng)
        taken.append((center, radius))
        kind = get_args(Kind)[int(rng.integers(len(get_args(Kind))))]
        depth = _blob(template, center, radius, rng)
        plans.append(Plan(kind=kind, depth_mm=depth, rim_mm=float(rng.uniform(1.5, 2.5))))
    return tuple(plans)


def _parenchyma(template: Template) -> NDArray[np.float32]:
    tissue = template.image(np.minimum(template.grey + template.white, 1.0) * template.brain)
    smooth: NDArray[np.float32] = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(tissue, 5.0))
    return smooth


def _center(
    template: Template,
    parenchyma: NDArray[np.float32],
    radius: float,
    taken: list[tuple[NDArray[np.float64], float]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    room = (template.outside_mm < -(radius + 3.0)) & (parenchyma > 0.8) & template.brain
    places = np.argwhere(room)
    for _ in range(_TRIES):
        if not len(places):
            break
        k, j, i = places[int(rng.integers(len(places)))]
        center = np.array(template.origin_mm) + template.spacing_mm * np.array([i, j, k], dtype=np.float64)
        if all(np.linalg.norm(center - other) > radius + r + _GAP_MM for other, r in taken):
            return center
    raise ValueError(f"no room for lesion {len(taken) + 1} of radius {radius:.1f} mm")


def _blob(
    template: Template, center: NDArray[np.float64], radius: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """An ellipsoid whose border waves; the depth is exact for a sphere and near it for this."""
    axes = rng.uniform(0.8, 1.25, 3)
    axes /= np.cbrt(axes.prod())
    x, y, z = (p - np.float32(c) for p, c in zip(template.positions_mm(), center, strict=True))
    wave = np.zeros(template.brain.shape, dtype=np.float32)
    for _ in range(5):
        kx, ky, kz = (np.float32(k) for k in rng.normal(0.0, 2.2 / radius, 3))
        phase = np.float32(rng.uniform(0.0, 2.0 * np.pi))
        wave += np.cos(kx * x + ky * y + kz * z + phase)
    distance = np.sqrt((x / axes[0]) ** 2 + (y / axes[1]) ** 2 + (z / axes[2]) ** 2)
    depth: NDArray[np.float32] = (radius * (1.0 + 0.06 * wave) - distance).astype(np.float32)
    return depth
