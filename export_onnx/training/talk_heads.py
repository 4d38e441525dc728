"""Made-up heads for a reader of volumes that speaks: prepared as the node prepares them, with what is known of each."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import inference.imaging.preprocess as preprocess_module
from export_onnx.training import head_facts
from export_onnx.training.head_facts import HeadFacts, LesionFacts, facts_of
from inference import operations as ops
from inference.imaging import sites
from inference.imaging.grid import onto
from inference.imaging.preprocess import prepare
from inference.synthetic import head as head_module
from inference.synthetic.head import SyntheticHead, synthetic_head
from inference.synthetic.lesion import Kind
from inference.synthetic.template import ASSET

_LESIONS, _SHARES = (0, 1, 2, 3), (0.2, 0.4, 0.25, 0.15)
_SPACINGS_MM = ((2.0, 2.0, 2.0), (3.0, 1.5, 1.5), (4.0, 2.0, 2.0), (5.0, 1.5, 1.5))
_KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True, eq=False)
class TalkHead:
    """One made-up patient.

    Attributes
    ----------
    seed
        Who it is.
    image
        (slice, row, column), uint8: as the vision graph takes it, times 255.
    kinds
        (slice, row, column), uint8, on the same grid: 0 where there is no lesion, else 1 + the index of its kind.
    facts
        Of its lesions.
    """

    seed: int
    image: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    facts: HeadFacts


def made_up(seed: int) -> SyntheticHead:
    """The head of one patient: number of lesions and spacing of the scan are drawn from the seed."""
    rng = np.random.default_rng([seed, 11])
    lesions = int(rng.choice(_LESIONS, p=_SHARES))
    spacing = _SPACINGS_MM[int(rng.integers(len(_SPACINGS_MM)))]
    return synthetic_head(seed, lesions=lesions, spacing_mm=spacing)


def talk_heads(
    seeds: range, preprocess: Sequence[ops.Operation], cache: Path, report: Callable[[str], None]
) -> list[TalkHead]:
    """Patients as the vision graph sees them, each made once and kept in `cache`."""
    folder = cache / f"talk-heads-{_key(preprocess)}"
    found = []
    for number, seed in enumerate(seeds, start=1):
        file = folder / f"{seed}.npz"
        if not file.exists():
            _make(seed, preprocess, file)
        with np.load(file, allow_pickle=False) as stored:
            facts = tuple(LesionFacts(**lesion) for lesion in json.loads(str(stored["facts"])))
            found.append(TalkHead(seed=seed, image=stored["image"], kinds=stored["kinds"], facts=facts))
        if number % 50 == 0 or number == len(seeds):
            report(f"{number} of {len(seeds)} heads")
    return found


def _make(seed: int, preprocess: Sequence[ops.Operation], file: Path) -> None:
    head = made_up(seed)
    source = head.image.volume
    volume = prepare(source, preprocess)
    kinds = np.zeros(volume.shape, dtype=np.uint8)
    for lesion in head.lesions:
        share = onto(lesion.mask.astype(np.float32), source.get_geometry(), volume.get_geometry())
        kinds[share >= 0.5] = 1 + _KINDS.index(lesion.kind)
    image = np.rint(np.clip(volume.array, 0.0, 1.0) * 255.0).astype(np.uint8)
    facts = json.dumps([asdict(lesion) for lesion in facts_of(head)])
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    np.savez_compressed(partial, image=image, kinds=kinds, facts=np.array(facts))
    partial.replace(file)


def _key(preprocess: Sequence[ops.Operation]) -> str:
    """Changes with anything a prepared head is made of, so that no stale one is learnt from."""
    digest = hashlib.sha256(ASSET.read_bytes())
    imaging = [Path(preprocess_module.__file__).parent / f"{name}.py" for name in ("preprocess", "intensity", "grid")]
    own = [Path(__file__), Path(head_facts.__file__), Path(sites.__file__), *imaging]
    for source in (*sorted(Path(head_module.__file__).parent.glob("*.py")), *own):
        digest.update(source.read_bytes())
    for operation in preprocess:
        digest.update(operation.model_dump_json().encode())
    return digest.hexdigest()[:12]
