"""A cavernous malformation or an acute haemorrhage as T2 shows it, at any point in mm; knows no head and no grid.

Drawn after what textbooks say of the two: a cavernous malformation has a core of bright and dark loculi within a whole
dark rim of haemosiderin and no oedema; an acute haemorrhage is dark, irregular, and lies in bright oedema. Sizes and
grey values of the two overlap, so that neither alone tells them apart.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.synthetic.anatomy import Tones

Kind = Literal["ccm", "aih"]
"""Cavernous malformation, or acute intraparenchymal haemorrhage."""

DIAMETER_MM: dict[Kind, tuple[float, float]] = {"ccm": (4.0, 25.0), "aih": (6.0, 40.0)}
"""Least and greatest mean diameter, without oedema."""

_SMALL = {"ccm": 1.0, "aih": 1.9}  # exponent: above 1, small ones are drawn more often; brings the two sizes together

Points = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """What a lesion does to the picture at some points: value = picture + share * (value - picture).

    Attributes
    ----------
    lesion, lesion_value
        (point,), float32: share of the lesion itself, and its grey value.
    oedema, oedema_value
        The same of the oedema around it, beneath the lesion; a single value.
    """

    lesion: NDArray[np.float32]
    lesion_value: NDArray[np.float32]
    oedema: NDArray[np.float32]
    oedema_value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesion:
    """One drawn lesion; lengths in mm, about its own centre.

    Attributes
    ----------
    kind, radius_mm
        What it is, and its mean radius without oedema.
    axes
        (3,): stretch along x, y and z; of product 1.
    waves
        (wave, 4): wave vector in 1 / mm and phase of what makes its border uneven.
    uneven
        Of the radius, either way.
    cells_mm, cell_values
        (cell, 3) and (cell,): centres of the loculi or clots and their grey values.
    wall_mm, wall_value
        Width and grey value of what parts the loculi, and of the rim; 0: none.
    rim_mm, border_mm
        Width of the haemosiderin rim, and of the passage into the surroundings.
    oedema_mm, oedema_share, oedema_value
        Width of the oedema, 0: none; how far it replaces tissue; its grey value.
    """

    kind: Kind
    radius_mm: float
    axes: NDArray[np.float64]
    waves: NDArray[np.float64]
    uneven: float
    cells_mm: NDArray[np.float64]
    cell_values: NDArray[np.float64]
    wall_mm: float
    wall_value: float
    rim_mm: float
    border_mm: float
    oedema_mm: float
    oedema_share: float
    oedema_value: float

    @property
    def reach_mm(self) -> float:
        """Nothing lies farther from the centre."""
        return self.radius_mm * 1.3 * (1.0 + 2.0 * self.uneven) + 1.5 * self.oedema_mm + 2.0

    def at(self, points: Points) -> Layer:
        """Shares and values at points (n, 3), float32, mm from the centre, LPS."""
        depth, wave = self._depth(points)
        lesion = np.clip(depth / self.border_mm + 0.5, 0.0, 1.0)
        width = self.oedema_mm * (1.0 + 0.5 * np.clip(wave, -1.0, 1.0))
        oedema = np.zeros_like(lesion)
        if self.oedema_mm > 0.0:
            oedema = self.oedema_share * np.clip((width + depth) / (0.4 * self.oedema_mm), 0.0, 1.0)
        return Layer(
            lesion=lesion,
            lesion_value=self._inside(points, depth),
            oedema=oedema,
            oedema_value=self.oedema_value,
        )

    def _depth(self, points: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Distance to the border, positive within; and the wave that made it uneven, of spread 1."""
        wave = np.zeros(len(points), dtype=np.float32)
        for x, y, z, phase in self.waves.astype(np.float32):
            wave += np.cos(points @ np.array([x, y, z], dtype=np.float32) + phase)
        wave *= np.float32(np.sqrt(2.0 / len(self.waves)))
        distance = np.linalg.norm(points / self.axes.astype(np.float32), axis=1)
        depth: NDArray[np.float32] = (self.radius_mm * (1.0 + self.uneven * wave) - distance).astype(np.float32)
        return depth, wave

    def _inside(self, points: Points, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Grey value of the nearest cell; the rim's within the rim and on the walls between cells."""
        first = np.full(len(points), np.inf, dtype=np.float32)
        second, value = first.copy(), np.zeros(len(points), dtype=np.float32)
        for center, tone in zip(self.cells_mm.astype(np.float32), self.cell_values, strict=True):
            away = np.linalg.norm(points - center, axis=1)
            nearest = away < first
            second = np.where(nearest, first, np.minimum(second, away))
            value[nearest] = tone
            first = np.minimum(first, away)
        if self.wall_mm > 0.0:
            value[(second - first < self.wall_mm) | (depth < self.rim_mm)] = self.wall_value
        return value


def drawn(kind: Kind, tones: Tones, rng: np.random.Generator) -> Lesion:
    """One lesion at random in a scan of these grey values."""
    low, high = DIAMETER_MM[kind]
    radius = low / 2.0 * (high / low) ** float(rng.random() ** _SMALL[kind])
    axes = rng.uniform(0.8, 1.25, 3)
    waves = np.column_stack([rng.normal(0.0, 1.6 / radius, (6, 3)), rng.uniform(0.0, 2.0 * np.pi, 6)])
    return (_malformation if kind == "ccm" else _haemorrhage)(radius, axes / np.cbrt(axes.prod()), waves, tones, rng)


def _malformation(
    radius: float, axes: NDArray[np.float64], waves: NDArray[np.float64], tones: Tones, rng: np.random.Generator
) -> Lesion:
    """Loculi of 2.5 to 5 mm, from nearly all dark (old blood) to nearly all bright (blood of some weeks)."""
    cells = _cells(radius, float(rng.uniform(2.5, 5.0)), rng)
    bright = rng.random(len(cells)) < rng.uniform(0.15, 0.95)
    light = tones.grey + (tones.liquor - tones.grey) * rng.uniform(0.0, 0.8, len(cells))
    return Lesion(
        kind="ccm",
        radius_mm=radius,
        axes=axes,
        waves=waves,
        uneven=float(rng.uniform(0.02, 0.08)),
        cells_mm=cells,
        cell_values=np.where(bright, light, tones.white * rng.uniform(0.15, 0.75, len(cells))),
        wall_mm=float(rng.uniform(0.2, 0.7)),
        wall_value=tones.white * float(rng.uniform(0.05, 0.40)),
        rim_mm=min(float(rng.uniform(0.8, 2.5)), 0.4 * radius),
        border_mm=0.8,
        oedema_mm=0.0,
        oedema_share=0.0,
        oedema_value=0.0,
    )


def _haemorrhage(
    radius: float, axes: NDArray[np.float64], waves: NDArray[np.float64], tones: Tones, rng: np.random.Generator
) -> Lesion:
    """Deoxygenated blood, some of it brighter: serum, and what has not clotted yet."""
    cells = _cells(radius, float(rng.uniform(3.0, 7.0)), rng)
    bright = rng.random(len(cells)) < rng.choice([0.0, rng.uniform(0.0, 0.4)])
    light = tones.grey + (tones.liquor - tones.grey) * rng.uniform(0.0, 0.6, len(cells))
    level = rng.uniform(0.08, 0.75)
    return Lesion(
        kind="aih",
        radius_mm=radius,
        axes=axes,
        waves=waves,
        uneven=float(rng.uniform(0.05, 0.15)),
        cells_mm=cells,
        cell_values=np.where(bright, light, tones.white * level * rng.uniform(0.8, 1.2, len(cells))),
        wall_mm=0.0,
        wall_value=0.0,
        rim_mm=0.0,
        border_mm=float(rng.uniform(0.8, 2.0)),
        oedema_mm=float(np.clip(radius * rng.uniform(0.2, 0.9), 1.5, 10.0)),
        oedema_share=float(rng.uniform(0.4, 0.9)),
        oedema_value=float(tones.grey + (tones.liquor - tones.grey) * rng.uniform(0.4, 0.9)),
    )


def _cells(radius: float, size_mm: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Centres within the lesion, one for each ball of the size; at least 1, at most 60."""
    count = int(np.clip(round((2.0 * radius / size_mm) ** 3 * 0.6), 1, 60))
    directions = rng.normal(size=(count, 3))
    away = radius * rng.random(count) ** (1.0 / 3.0)
    centers: NDArray[np.float64] = directions / np.linalg.norm(directions, axis=1, keepdims=True) * away[:, None]
    return centers
