"""Made-up patients, told apart by seed, prepared as a network sees them; knows no network."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference import operations as ops
from inference.imaging.preprocess import prepare
from inference.synthetic import head as head_module
from inference.synthetic.head import SyntheticHead, synthetic_head
from inference.synthetic.template import ASSET

_LESIONS, _SHARES = (0, 1, 2, 3, 4), (0.25, 0.25, 0.2, 0.15, 0.15)
_SPACINGS_MM = ((2.0, 2.0, 2.0), (2.0, 1.0, 1.0), (3.0, 1.25, 1.25), (1.5, 1.5, 1.5))
_GEOMETRY = (ops.Orient, ops.Resample, ops.PadMultiple)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One patient on the network's grid.

    Attributes
    ----------
    seed
        Who it is.
    image
        (slice, row, column), uint8: prepared image in [0, 1], times 255.
    truth
        (slice, row, column), uint8: share of each voxel that is lesion, times 255.
    """

    seed: int
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]


def patient(seed: int) -> SyntheticHead:
    """The head of one made-up patient: number of lesions and spacing of the scan are drawn from the seed."""
    rng = np.random.default_rng([seed, 7])
    lesions = int(rng.choice(_LESIONS, p=_SHARES))
    spacing = _SPACINGS_MM[int(rng.integers(len(_SPACINGS_MM)))]
    return synthetic_head(seed, lesions=lesions, spacing_mm=spacing)


def case(seed: int, preprocess: Sequence[ops.Operation], cache: Path) -> Case:
    """One patient as the network sees it, made once and kept in `cache`."""
    file = cache / f"heads-{_key(preprocess)}" / f"{seed}.npz"
    if not file.exists():
        _make(seed, preprocess, file)
    with np.load(file, allow_pickle=False) as stored:
        return Case(seed=seed, image=stored["image"], truth=stored["truth"])


def _make(seed: int, preprocess: Sequence[ops.Operation], file: Path) -> None:
    made = patient(seed)
    truth = np.zeros(made.brain.shape, dtype=np.float32)
    for lesion in made.lesions:
        truth[lesion.mask] = 1.0
    image = prepare(made.image.volume, preprocess)
    share = prepare(made.image.volume.with_array(truth), _only_geometry(preprocess))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    np.savez_compressed(partial, image=_bytes(image), truth=_bytes(share))
    partial.replace(file)


def _only_geometry(preprocess: Iterable[ops.Operation]) -> list[ops.Operation]:
    return [operation for operation in preprocess if isinstance(operation, _GEOMETRY)]


def _bytes(volume: Volume) -> NDArray[np.uint8]:
    quantised: NDArray[np.uint8] = np.rint(np.clip(volume.array, 0.0, 1.0) * 255.0).astype(np.uint8)
    return quantised


def _key(preprocess: Sequence[ops.Operation]) -> str:
    """Changes with anything a prepared head is made of, so that no stale one is learnt from."""
    digest = hashlib.sha256(ASSET.read_bytes())
    for source in (*sorted(Path(head_module.__file__).parent.glob("*.py")), Path(__file__)):
        digest.update(source.read_bytes())
    for operation in preprocess:
        digest.update(operation.model_dump_json().encode())
    return digest.hexdigest()[:12]
