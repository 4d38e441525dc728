"""Heads as maps of tissue: brain from the standard head, all around it drawn at random; knows no grey values.

What surrounds the brain is drawn wilder than it is: layers of any width, soft parts of any pattern. A network that has
seen them all finds the brain by what it is and not by what happens to lie beside it (Hoopes et al., SynthStrip,
NeuroImage 2022).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from inference.synthetic.template import Template

Field = NDArray[np.float32]


class Tissue(IntEnum):
    """What a voxel outside the brain is made of, and the three of the brain."""

    AIR = 0
    LIQUOR = 1
    GREY = 2
    WHITE = 3
    DURA = 4
    VESSEL = 5
    BONE = 6
    MARROW = 7
    FAT = 8
    SKIN = 9
    MUSCLE = 10
    MUCOSA = 11
    GLAND = 12
    EYE = 13
    CAVITY = 14


_RIND_MM = 6.0  # of the brain, from its edge inwards

_SOFT = (Tissue.MUSCLE, Tissue.FAT, Tissue.BONE, Tissue.MARROW, Tissue.MUCOSA, Tissue.GLAND, Tissue.CAVITY)
_SOFT_SHARES = (0.30, 0.22, 0.10, 0.10, 0.10, 0.10, 0.08)


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """One made-up head on the template's grid, (slice, row, column).

    Attributes
    ----------
    tissue
        uint8: `Tissue` of each voxel; within the brain, of what it mostly is.
    grey, white
        uint8: shares of the two in a voxel of the brain, times 255; the rest of it is liquor.
    brain
        uint8: share of the brain in a voxel, times 255.
    """

    tissue: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    white: NDArray[np.uint8]
    brain: NDArray[np.uint8]


def anatomy(base: Template, rng: np.random.Generator) -> Anatomy:
    """Draw one."""
    tissue = _soft_parts(base, rng)
    layers = _layers(base, rng)
    tissue = np.where(layers >= 0, layers, tissue)
    _vessels(base, tissue, rng)
    grey, white = _brain(base, rng)
    of_brain = np.where(white > grey, Tissue.WHITE, Tissue.GREY)
    inside = (base.grey + base.white > 0.0) | base.brain
    tissue = np.where(inside, np.where(grey + white > 0.5, of_brain, Tissue.LIQUOR), tissue)
    return Anatomy(
        tissue=tissue.astype(np.uint8),
        grey=_bytes(np.where(inside, grey, 0.0)),
        white=_bytes(np.where(inside, white, 0.0)),
        brain=_bytes(base.brain),
    )


def _brain(base: Template, rng: np.random.Generator) -> tuple[Field, Field]:
    """Shares of grey and white matter, furrowed: the template is a mean of many brains, which has no furrows left."""
    width = rng.uniform(0.05, 0.35)
    furrows = np.clip(width - np.abs(noise(base, rng, rng.uniform(2.5, 5.0))), 0.0, None) / width
    reach = np.clip(1.0 + (base.outside_mm + 2.0) / rng.uniform(8.0, 16.0), 0.0, 1.0)
    kept = 1.0 - np.clip(rng.uniform(0.3, 1.0) * furrows * reach, 0.0, 1.0)
    spread = 1.0 + 0.15 * noise(base, rng, 6.0)
    share = base.grey
    if rng.random() < 0.5:  # a cortex that is whole out to its edge, as in the young
        rind = base.brain & (base.outside_mm > -_RIND_MM) & (base.grey + base.white > 0.2)
        share = np.where(rind, 1.0 - base.white, base.grey)
    grey = np.clip(share * kept * spread, 0.0, 1.0)
    return grey.astype(np.float32), np.clip(base.white * kept, 0.0, 1.0 - grey).astype(np.float32)


def _layers(base: Template, rng: np.random.Generator) -> NDArray[np.int64]:
    """Liquor, dura, bone with marrow, fat, skin by distance to the brain; -1 beyond, and where the neck begins."""
    slow = noise(base, rng, 12.0)
    thick = rng.uniform(0.3, 1.2)  # a child's skull is thin
    widths = {
        Tissue.LIQUOR: np.clip(rng.choice([1.5, 6.0]) * rng.random() * (1.0 + 0.5 * slow), 0.0, 12.0),
        Tissue.DURA: np.full_like(slow, rng.choice([0.0, 1.0, 2.0])),
        Tissue.BONE: thick * rng.uniform(1.0, 2.5) * np.ones_like(slow),
        Tissue.MARROW: np.clip(thick * rng.uniform(0.0, 5.0) * (1.0 + 0.6 * noise(base, rng, 8.0)), 0.0, None),
        Tissue.CAVITY: thick * rng.uniform(1.0, 2.5) * np.ones_like(slow),  # the outer table: drawn as bone below
        Tissue.FAT: np.clip(rng.uniform(1.0, 9.0) * (1.0 + 0.4 * noise(base, rng, 10.0)), 0.0, None),
        Tissue.SKIN: np.full_like(slow, rng.uniform(1.0, 3.0)),
    }
    uneven = base.outside_mm + 0.6 * noise(base, rng, 5.0)
    layers = np.full(uneven.shape, -1, dtype=np.int64)
    begins = np.zeros_like(slow)
    for tissue, width in widths.items():
        within = (uneven >= begins) & (uneven < begins + width)
        layers[within] = Tissue.BONE if tissue is Tissue.CAVITY else tissue
        begins = begins + width
    _, _, z = base.positions_mm()
    low = np.broadcast_to(z < rng.uniform(-75.0, -45.0), uneven.shape)
    layers[low & (uneven > rng.uniform(3.0, 8.0))] = -1
    return layers


def _vessels(base: Template, tissue: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Patches of veins on the brain, and the great one along the midline."""
    x, _, z = base.positions_mm()
    near = (base.outside_mm > -1.0) & (base.outside_mm < rng.uniform(2.0, 6.0))
    patches = np.abs(noise(base, rng, 3.0)) < rng.uniform(0.0, 0.12)
    great = (np.abs(x) < rng.uniform(2.0, 5.0)) & (z > -40.0)
    tissue[near & (patches | great)] = Tissue.VESSEL


def _soft_parts(base: Template, rng: np.random.Generator) -> NDArray[np.int64]:
    """Face and neck of random extent, filled with blobs of random tissue; eyes and airways; air around."""
    x, y, z = base.positions_mm()
    wide, deep = rng.uniform(0.85, 1.25, 2)
    neck = np.sqrt((x / (52.0 * wide)) ** 2 + ((y - 25.0) / (58.0 * deep)) ** 2)
    neck = neck + np.where(z > -45.0, (z + 45.0) / 25.0, 0.0)
    face = np.sqrt((x / (64.0 * wide)) ** 2 + ((y + 46.0) / (54.0 * deep)) ** 2 + ((z + 62.0) / 66.0) ** 2)
    body = np.minimum(neck, face) + 0.05 * noise(base, rng, 8.0)
    tissue = _blobs(base, rng)
    tissue[body > rng.uniform(0.86, 0.95)] = Tissue.FAT
    nose = np.sqrt((x / 14.0) ** 2 + ((y + 68.0) / 24.0) ** 2 + ((z + 48.0) / 16.0) ** 2)
    airway = np.sqrt((x / 9.0) ** 2 + ((y + 30.0) / 12.0) ** 2) + np.where(z > -40.0, (z + 40.0) / 20.0, 0.0)
    tissue[np.minimum(airway, nose) + 0.3 * noise(base, rng, 3.0) < 1.0] = Tissue.CAVITY
    for side in (-1.0, 1.0):
        eye = np.sqrt((x - side * 31.0) ** 2 + (y + 76.0) ** 2 + (z + 34.0) ** 2)
        tissue[eye < 13.5] = Tissue.SKIN
        tissue[eye < 12.0] = Tissue.EYE
        cells = np.sqrt(((x - side * 55.0) / 12.0) ** 2 + ((y - 22.0) / 14.0) ** 2 + ((z + 45.0) / 16.0) ** 2)
        tissue[cells + 0.5 * noise(base, rng, 2.5) < 0.9] = Tissue.CAVITY
    tissue[body >= 1.0] = Tissue.AIR
    return tissue


def _blobs(base: Template, rng: np.random.Generator) -> NDArray[np.int64]:
    """Every voxel of the tissue whose smooth noise is highest there."""
    drawn = rng.choice(len(_SOFT), size=6, p=_SOFT_SHARES)
    highest, tissue = np.full(base.brain.shape, -np.inf, dtype=np.float32), np.zeros(base.brain.shape, dtype=np.int64)
    for index in drawn:
        field = noise(base, rng, rng.uniform(3.0, 16.0))
        higher = field > highest
        highest[higher], tissue[higher] = field[higher], _SOFT[index]
    return tissue


def noise(base: Template, rng: np.random.Generator, sigma_mm: float) -> Field:
    """Smooth noise of mean 0 and standard deviation 1 on the template's grid."""
    raw = base.image(rng.standard_normal(base.brain.shape, dtype=np.float32))
    smooth: Field = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(raw, sigma_mm))
    smooth /= smooth.std()
    return smooth


def _bytes(share: NDArray[np.generic]) -> NDArray[np.uint8]:
    quantised: NDArray[np.uint8] = np.rint(255.0 * share.astype(np.float32)).astype(np.uint8)
    return quantised
