"""Made-up heads in any contrast for brain-extractor: what it learns from, step by step, and what it is tested on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from highdicom import Volume
from numpy.typing import NDArray

from export_onnx.training import brain_anatomy
from export_onnx.training.brain_anatomy import Anatomy, anatomy
from export_onnx.training.brain_contrast import CONTRASTS, HU, Contrast, Scan, scan
from inference.evaluation.cases import Case, Labelled
from inference.image import Image, Weighting
from inference.synthetic.template import ASSET, template

_SPACING_MM = 2.0
_WEIGHTINGS: dict[Contrast, Weighting] = {
    "T1": "T1",
    "T1 contrast": "T1",
    "T2": "T2",
    "FLAIR": "FLAIR",
    "T2*": "T2*",
    "CT": "CT",
}


def anatomies(seeds: Sequence[int], cache: Path, report: Callable[[str], None]) -> list[Anatomy]:
    """One anatomy for each seed, made once and kept in `cache`."""
    made = []
    for number, seed in enumerate(seeds, start=1):
        file = cache / f"brains-{_key()}" / f"{seed}.npz"
        if not file.exists():
            one = anatomy(template(), np.random.default_rng([seed, 23]))
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial.npz")
            np.savez_compressed(partial, **vars(one))
            partial.replace(file)
        with np.load(file, allow_pickle=False) as stored:
            made.append(Anatomy(**{name: stored[name] for name in stored.files}))
        if number % 8 == 0 or number == len(seeds):
            report(f"anatomies {seeds[0]} to {seeds[-1]}: {number} of {len(seeds)}")
    return made


class Drawn:
    """Scans to learn from: another anatomy, contrast, place and scanner at every step; `alike` as `scan` takes it."""

    def __init__(self, heads: Sequence[Anatomy], seed: int, where: torch.device, *, alike: bool) -> None:
        self._heads, self._seed, self._where, self._alike = heads, seed, where, alike
        self._shares = np.array(list(CONTRASTS.values()))

    def at(self, step: int) -> Scan:
        """The scan of a step."""
        rng = np.random.default_rng([self._seed, step])
        head = self._heads[int(rng.integers(len(self._heads)))]
        contrast = list(CONTRASTS)[int(rng.choice(len(CONTRASTS), p=self._shares))]
        return scan(head, contrast, rng, self._where, alike=self._alike)


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeUpCase:
    """A test head in one contrast, as a reader gets it."""

    name: str
    patient: str
    head: Anatomy
    contrast: Contrast
    seed: int
    label: str | None = None
    fold: int | None = None

    def load(self) -> Labelled:
        """Draw it: (96, 112, 96) voxels of 2 mm, in HU for CT."""
        made = scan(self.head, self.contrast, np.random.default_rng([self.seed, 29]), torch.device("cpu"), alike=True)
        picture: NDArray[np.float32] = made.image[0, 0].numpy()
        lower, upper = HU
        array = lower + (upper - lower) * picture if self.contrast == "CT" else 1000.0 * picture
        affine = np.array([[0, 0, _SPACING_MM, 0], [0, _SPACING_MM, 0, 0], [_SPACING_MM, 0, 0, 0], [0, 0, 0, 1.0]])
        volume = Volume(array.astype(np.float32), affine, coordinate_system="PATIENT")
        image = Image(
            volume=volume, modality="CT" if self.contrast == "CT" else "MR", weighting=_WEIGHTINGS[self.contrast]
        )
        return Labelled(image=image, truth=made.brain[0, 0].numpy() > 0.5)


def made_up(seeds: Sequence[int], cache: Path, report: Callable[[str], None]) -> list[tuple[str, Sequence[Case]]]:
    """Test heads, once in each contrast that a patient's scan may have: a subset for each contrast."""
    heads = anatomies(seeds, cache, report)
    return [
        (
            f"made-up-{contrast.replace(' ', '-').replace('*', '-star')}",
            [
                MadeUpCase(name=f"{seed}", patient=f"{seed}", head=head, contrast=contrast, seed=1000 * seed + number)
                for seed, head in zip(seeds, heads, strict=True)
            ],
        )
        for number, contrast in enumerate(_WEIGHTINGS)
    ]


def _key() -> str:
    """Changes with anything an anatomy is made of, so that no stale one is learnt from."""
    digest = hashlib.sha256(ASSET.read_bytes())
    digest.update(Path(brain_anatomy.__file__).read_bytes())
    return digest.hexdigest()[:12]
