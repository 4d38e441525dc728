"""Made-up labelled folders in the layouts of public data sets: bright discs are tumours; no real picture."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = {"glioma": 150, "meningioma": 200, "pituitary": 240}
"""Grey of each kind's disc."""


def pairs(folder: Path, patients: int = 12, slices: int = 2, size: int = 64) -> Path:
    """A folder of image and mask pairs with `index.csv`: four folds, three kinds."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(patients):
        kind = list(KINDS)[patient % 3]
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(slices):
            sample = patient * slices + number + 1
            image, mask = _disc(rng, size, KINDS[kind])
            Image.fromarray(image).save(folder / kind / f"{sample}_mri.jpg", quality=95)
            Image.fromarray(mask).save(folder / kind / f"{sample}_mask.jpg", quality=95)
            rows.append({"sample": sample, "patient": f"p{patient}", "tumour": kind, "fold": patient // 3 % 4 + 1})
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["sample", "patient", "tumour", "fold"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def without_finding(folder: Path, count: int = 24, size: int = 64) -> Path:
    """A folder of pictures without a tumour."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(_head(rng, size)).save(folder / f"no_{number:03d}.jpg", quality=95)
    return folder


def _head(rng: np.random.Generator, size: int) -> np.ndarray:
    row, column = np.mgrid[:size, :size] - size / 2
    inside = (row / (0.46 * size)) ** 2 + (column / (0.38 * size)) ** 2 < 1
    texture = rng.integers(60, 110, (8, 8)).astype(np.uint8)
    grey = np.asarray(Image.fromarray(texture).resize((size, size), Image.Resampling.BICUBIC))
    return np.where(inside, grey, rng.integers(0, 6, (size, size))).astype(np.uint8)


def _disc(rng: np.random.Generator, size: int, grey: int) -> tuple[np.ndarray, np.ndarray]:
    image = _head(rng, size)
    middle, radius = rng.uniform(0.38 * size, 0.62 * size, 2), rng.uniform(0.08, 0.14) * size
    row, column = np.mgrid[:size, :size]
    disc = (row - middle[0]) ** 2 + (column - middle[1]) ** 2 < radius**2
    return np.where(disc, grey, image).astype(np.uint8), (disc * 255).astype(np.uint8)
