"""Labelled slices as a network sees them, made once through the preprocessing the node uses; split by patient."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

import inference.imaging.preprocess as preprocess_module
from inference import operations as ops
from inference.evaluation.cases import Case
from inference.imaging.grid import onto
from inference.imaging.preprocess import prepare

VALIDATION = 0.15
"""Share of the patients outside the test fold that are never learnt from: thresholds and calibration come from them."""

Bytes = NDArray[np.uint8]
Indices = NDArray[np.int_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Slices:
    """Slices on the network's grid, in the order of the cases.

    Attributes
    ----------
    image
        (slice, row, column), uint8: prepared image in [0, 1], times 255.
    truth
        (slice, row, column), uint8: share of each pixel that was marked, times 255.
    label
        Of each slice, "" where nothing is marked.
    patient
        Of each slice.
    fold
        Of each slice.
    """

    image: Bytes
    truth: Bytes
    label: NDArray[np.str_]
    patient: NDArray[np.str_]
    fold: Indices


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Indices of slices; no patient stands in two parts."""

    training: Indices
    validation: Indices
    test: Indices


def slices(
    cases: Sequence[Case], preprocess: Sequence[ops.Operation], cache: Path, report: Callable[[str], None]
) -> Slices:
    """Prepare every slice of some cases of one slice each, or read them from `cache` where they were made before."""
    file = cache / f"slices-{_key(cases, preprocess)}.npz"
    if not file.exists():
        pairs = []
        for number, case in enumerate(cases, start=1):
            pairs.append(_prepared(case, preprocess))
            if number % 500 == 0 or number == len(cases):
                report(f"prepared {number} of {len(cases)} slices")
        images, truths = zip(*pairs, strict=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, image=np.stack(images), truth=np.stack(truths))
        partial.replace(file)
    with np.load(file, allow_pickle=False) as stored:
        image, truth = stored["image"], stored["truth"]
    return Slices(
        image=image,
        truth=truth,
        label=np.array([case.label or "" for case in cases]),
        patient=np.array([case.patient for case in cases]),
        fold=np.array([case.fold or 0 for case in cases]),
    )


def split(made: Slices, test_fold: int) -> Split:
    """By patient: one fold to test, of the others some patients of each label to validate.

    Which ones is told by a hash of the patient's name: the same for every run.
    """
    validating: set[str] = set()
    for label in sorted(set(made.label.tolist())):
        candidates = set(made.patient[(made.label == label) & (made.fold != test_fold)].tolist())
        ranked = sorted(candidates, key=lambda patient: hashlib.sha256(f"validation {patient}".encode()).digest())
        validating |= set(ranked[: round(VALIDATION * len(ranked))])
    validates = np.isin(made.patient, sorted(validating))
    tests = made.fold == test_fold
    return Split(
        training=np.flatnonzero(~tests & ~validates),
        validation=np.flatnonzero(~tests & validates),
        test=np.flatnonzero(tests),
    )


def _prepared(case: Case, preprocess: Sequence[ops.Operation]) -> tuple[Bytes, Bytes]:
    labelled = case.load()
    volume = labelled.image.volume
    image = prepare(volume, preprocess)
    marked = labelled.truth if labelled.truth is not None else np.zeros(volume.shape, dtype=np.bool_)
    share = _on_grid(marked.astype(np.float32), volume, image)
    return _bytes(image.array[0]), _bytes(share[0])


def _on_grid(marked: NDArray[np.float32], source: Volume, grid: Volume) -> NDArray[np.float32]:
    return onto(marked, source.get_geometry(), grid.get_geometry())


def _bytes(values: NDArray[np.float32]) -> Bytes:
    quantised: Bytes = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    return quantised


def _key(cases: Sequence[Case], preprocess: Sequence[ops.Operation]) -> str:
    """Changes with anything the slices are made of, so that no stale one is learnt from."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for module in sorted(Path(preprocess_module.__file__).parent.glob("*.py")):
        if module.stem in {"preprocess", "intensity", "grid"}:
            digest.update(module.read_bytes())
    for operation in preprocess:
        digest.update(operation.model_dump_json().encode())
    for case in cases:
        digest.update(f"{case.name} {case.patient}\n".encode())
    return digest.hexdigest()[:12]
