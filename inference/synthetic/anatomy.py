"""Tissues of a head, drawn on the template, in T1 unless other grey values are given; knows no lesion and no scanner.

Skull and scalp follow the distance to the brain, as layers; face and neck are simple bodies. Grey values run
from 0 to about 1000.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.synthetic.template import Template

_SKULL_BASE_MM = 7.0  # from the brain: beyond it soft parts take the place of scalp where there are any


@dataclass(frozen=True, kw_only=True)
class Tones:
    """Grey values of one made-up scan."""

    liquor: float
    grey: float
    white: float
    fat: float
    muscle: float
    marrow: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Tones":
        """Values at random, in the order a T1-weighted scan has them: liquor, muscle, grey, white, fat."""
        white = rng.uniform(560.0, 720.0)
        return cls(
            liquor=float(rng.uniform(90.0, 190.0)),
            grey=float(white * rng.uniform(0.68, 0.80)),
            white=float(white),
            fat=float(rng.uniform(820.0, 980.0)),
            muscle=float(rng.uniform(300.0, 400.0)),
            marrow=float(rng.uniform(350.0, 650.0)),
        )

    @classmethod
    def drawn_t2(cls, rng: np.random.Generator) -> "Tones":
        """Values at random, in the order a T2-weighted fast spin echo has them: muscle, white, grey, fat, liquor."""
        white = rng.uniform(230.0, 330.0)
        return cls(
            liquor=float(rng.uniform(760.0, 980.0)),
            grey=float(white * rng.uniform(1.25, 1.50)),
            white=float(white),
            fat=float(rng.uniform(450.0, 700.0)),
            muscle=float(rng.uniform(110.0, 170.0)),
            marrow=float(rng.uniform(300.0, 480.0)),
        )


def draw(base: Template, rng: np.random.Generator, tones: Tones | None = None) -> tuple[NDArray[np.float32], Tones]:
    """One head without lesion.

    Parameters
    ----------
    tones
        Grey values of another contrast; None: of a T1-weighted scan, at random.

    Returns
    -------
    ndarray
        (slice, row, column), float32, on the template; 0 in air.
    Tones
        The grey values it was drawn with.
    """
    tones = tones or Tones.drawn(rng)
    head = _soft_parts(base, tones, rng)
    around = _layers(base, tones, rng)
    covered = around >= 0.0
    covered &= ~(
        (around >= tones.muscle) & (head > 0.0) & (base.outside_mm > _SKULL_BASE_MM)
    )  # below the skull: no scalp
    head[covered] = around[covered]
    inside = base.detail > 0.0
    inside |= (base.grey + base.white) > 0.0
    head[inside] = _brain(base, tones, rng)[inside]
    _capsule(base, head)
    return head, tones


def _brain(base: Template, tones: Tones, rng: np.random.Generator) -> NDArray[np.float32]:
    """Half tissue model, half the template's own detail, which knows the deep nuclei; a fine texture on it."""
    liquor = np.clip(1.0 - base.grey - base.white, 0.0, 1.0)
    tissue = tones.liquor * liquor + tones.grey * base.grey + tones.white * base.white
    detail = tones.liquor + (tones.white - tones.liquor) * base.detail
    texture = 1.0 + 0.025 * _noise(base, rng, 2.0)
    brain: NDArray[np.float32] = ((0.6 * tissue + 0.4 * detail) * texture).astype(np.float32)
    return brain


def _layers(base: Template, tones: Tones, rng: np.random.Generator) -> NDArray[np.float32]:
    """Liquor, skull with marrow, scalp and skin, by distance to the brain; -1 beyond the skin."""
    liquor = rng.uniform(1.5, 3.0)
    skull = liquor + rng.uniform(5.0, 8.0)
    scalp = skull + rng.uniform(4.0, 7.0)
    middle = (liquor + skull) / 2.0
    uneven = base.outside_mm + 0.8 * _noise(base, rng, 8.0)
    knots = [0.0, liquor, liquor + 0.8, middle, skull - 0.8, skull, scalp - 1.5, scalp]
    values = [tones.liquor, tones.liquor, 30.0, tones.marrow, 30.0, tones.fat, tones.fat, tones.muscle]
    layers = np.interp(uneven, knots, values).astype(np.float32)
    layers[uneven > scalp] = -1.0
    return layers


def _soft_parts(base: Template, tones: Tones, rng: np.random.Generator) -> NDArray[np.float32]:
    """Neck and face: muscle with fat between, a rind of skin and fat, airway and eyes."""
    x, y, z = base.positions_mm()
    neck = np.sqrt((x / 52.0) ** 2 + ((y - 25.0) / 58.0) ** 2) + np.where(z > -45.0, (z + 45.0) / 25.0, 0.0)
    face = np.sqrt((x / 62.0) ** 2 + ((y + 48.0) / 52.0) ** 2 + ((z + 62.0) / 62.0) ** 2)
    body = np.minimum(neck, face)
    mixed = tones.muscle + (tones.fat - tones.muscle) * np.clip(_noise(base, rng, 4.0) - 0.4, 0.0, 1.0)
    head = np.where(body < 0.9, mixed, tones.fat).astype(np.float32)
    airway = np.sqrt((x / 9.0) ** 2 + ((y + 30.0) / 12.0) ** 2) + np.where(z > -40.0, (z + 40.0) / 20.0, 0.0)
    nose = np.sqrt((x / 14.0) ** 2 + ((y + 68.0) / 24.0) ** 2 + ((z + 48.0) / 16.0) ** 2)
    head[np.minimum(airway, nose) < 1.0] = 20.0
    for side in (-1.0, 1.0):
        eye = np.sqrt((x - side * 31.0) ** 2 + (y + 76.0) ** 2 + (z + 34.0) ** 2)
        head[eye < 12.5] = tones.liquor
    head[body >= 1.0] = 0.0
    return head


def _capsule(base: Template, head: NDArray[np.float32]) -> None:
    """Vitamin E at the patient's right temple: right is where x (LPS) is below 0."""
    x, y, z = base.positions_mm()
    capsule = np.sqrt(((x + 95.0) / 4.0) ** 2 + ((y + 10.0) / 8.0) ** 2 + ((z - 5.0) / 4.0) ** 2) < 1.0
    head[capsule & (head == 0.0)] = 950.0


def _noise(base: Template, rng: np.random.Generator, sigma_mm: float) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation 1."""
    raw = base.image(rng.standard_normal(base.brain.shape, dtype=np.float32))
    smooth: NDArray[np.float32] = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(raw, sigma_mm))
    smooth /= smooth.std()
    return smooth
