"""Made-up patients with malformations or haemorrhages, told apart by seed, cut into pieces; knows no network."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.imaging import crops as crops_module
from inference.imaging.components import Component
from inference.imaging.crops import axial, crops, scaled
from inference.synthetic import bleeding_head as head_module
from inference.synthetic.bleeding_head import BleedingHead, BleedingLesion, bleeding_head, bleeding_heads
from inference.synthetic.haemorrhage import Kind
from inference.synthetic.template import ASSET

KINDS: tuple[Kind, ...] = ("ccm", "aih")
"""In the order of the network's classes."""

NOTHING = -1
"""Kind of a piece that shows no lesion."""

SPACING_MM = (3.0, 1.0, 1.0)
SIDE, NEIGHBOURS, UPPER = 64, 1, 2.5
"""Of a piece as the network sees it."""

STORED_SIDE = 80
"""Pieces are kept wider, so that they can be shifted."""

_SPACINGS_MM = ((4.0, 1.0, 1.0), (5.0, 0.9, 0.9), (3.0, 1.2, 1.2), (2.5, 1.3, 1.3))
_MOST_SLICES = 8  # of a lesion
_NOTHING_A_SCAN = 3

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Pieces of many scans, one line each.

    Attributes
    ----------
    image
        (piece, 3, 80, 80), uint8.
    kind
        (piece,), int64: index in `KINDS`, or `NOTHING`.
    size_mm
        (piece,), float64: longest axis of the lesion.
    brightness
        (piece,), float64: mean of the lesion, in medians of the brain.
    lesion, scan, patient
        (piece,), int64: of which lesion, of which scan, of which anatomy.
    """

    image: NDArray[np.uint8]
    kind: NDArray[np.int64]
    size_mm: NDArray[np.float64]
    brightness: NDArray[np.float64]
    lesion: NDArray[np.int64]
    scan: NDArray[np.int64]
    patient: NDArray[np.int64]


def spacing_of(seed: int) -> tuple[float, float, float]:
    """Spacing of a made-up patient's scan."""
    return _SPACINGS_MM[int(np.random.default_rng([seed, 11]).integers(len(_SPACINGS_MM)))]


def patient(seed: int) -> tuple[BleedingHead, Kind]:
    """A patient to test on: one to four lesions, all of one kind, which the seed's parity tells."""
    kind = KINDS[seed % 2]
    count = int(np.random.default_rng([seed, 13]).integers(1, 5))
    return bleeding_head(seed, [kind] * count, spacing_mm=spacing_of(seed)), kind


def pieces(seeds: Sequence[int], scans: int, lesions: int, cache: Path, report: Callable[[int], None]) -> Pieces:
    """Pieces of several scans of each anatomy, made once and kept in `cache`; `report` is told how many are done."""
    parts = []
    for number, seed in enumerate(seeds, start=1):
        file = cache / f"bleeding-{_key()}" / f"{seed}-{scans}-{lesions}.npz"
        if not file.exists():
            _make(seed, scans, lesions, file)
        with np.load(file, allow_pickle=False) as stored:
            parts.append(Pieces(**{field.name: stored[field.name] for field in fields(Pieces)}))
        report(number)
    joined = {name.name: np.concatenate([getattr(part, name.name) for part in parts]) for name in fields(Pieces)}
    return Pieces(**joined)


def _make(seed: int, scans: int, lesions: int, file: Path) -> None:
    rng = np.random.default_rng([seed, 17])
    sets = [[KINDS[int(rng.integers(2))] for _ in range(lesions)] for _ in range(scans)]
    made = []
    for number, head in enumerate(bleeding_heads(seed, sets, spacing_mm=spacing_of(seed))):
        made += list(_of_scan(head, seed * 100 + number, rng))
    columns = {field.name: np.stack([getattr(piece, field.name) for piece in made]) for field in fields(_Piece)}
    columns["patient"] = np.full(len(made), seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    np.savez_compressed(partial, **columns)  # type: ignore[arg-type]
    partial.replace(file)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    image: NDArray[np.uint8]
    kind: np.int64
    size_mm: np.float64
    brightness: np.float64
    lesion: np.int64
    scan: np.int64


def _of_scan(head: BleedingHead, scan: int, rng: np.random.Generator) -> Iterator[_Piece]:
    volume = scaled(head.image.volume, head.brain, UPPER)
    sliced = axial(volume, SPACING_MM)
    for number, lesion in enumerate(head.lesions):
        places = middles(lesion.mask, head.image.volume.affine)
        chosen = places[np.sort(rng.permutation(len(places))[:_MOST_SLICES])]
        for image in _bytes(crops(sliced, chosen, SPACING_MM, STORED_SIDE, NEIGHBOURS)):
            yield _Piece(
                image=image,
                kind=np.int64(KINDS.index(lesion.kind)),
                size_mm=np.float64(longest_axis_mm(lesion, head)),
                brightness=np.float64(UPPER * volume.array[lesion.mask].mean()),
                lesion=np.int64(scan * 10 + number),
                scan=np.int64(scan),
            )
    yield from _nothing(head, sliced, scan, rng)


def _nothing(head: BleedingHead, sliced: Volume, scan: int, rng: np.random.Generator) -> Iterator[_Piece]:
    """Places in the brain where no lesion is, each of a size at random."""
    free = head.brain.copy()
    for lesion in head.lesions:
        free &= ~lesion.mask
    indices = np.argwhere(free)
    chosen = indices[rng.integers(len(indices), size=_NOTHING_A_SCAN)]
    affine = head.image.volume.affine
    points = chosen @ affine[:3, :3].T + affine[:3, 3]
    far = [p for p in points if all(np.linalg.norm(p - x.centre_mm) > 25.0 + x.diameter_mm for x in head.lesions)]
    for image in _bytes(crops(sliced, np.array(far).reshape(-1, 3), SPACING_MM, STORED_SIDE, NEIGHBOURS)):
        yield _Piece(
            image=image,
            kind=np.int64(NOTHING),
            size_mm=np.float64(np.exp(rng.uniform(np.log(4.0), np.log(40.0)))),
            brightness=np.float64(np.nan),
            lesion=np.int64(-1),
            scan=np.int64(scan),
        )


def middles(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(slice, 3): middle of a mask (slice, row, column) in each slice it lies in, LPS, mm."""
    indices = np.argwhere(mask)
    means = np.array([indices[indices[:, 0] == k].mean(axis=0) for k in np.unique(indices[:, 0])]).reshape(-1, 3)
    placed: NDArray[np.float64] = means @ affine[:3, :3].T + affine[:3, 3]
    return placed


def longest_axis_mm(lesion: BleedingLesion, head: BleedingHead) -> float:
    """As a reader measures it."""
    slices, rows, columns = lesion.mask.shape
    return Component(
        indices=np.argwhere(lesion.mask), affine=head.image.volume.affine, shape=(slices, rows, columns)
    ).longest_axis_mm


def _bytes(values: Array) -> NDArray[np.uint8]:
    quantised: NDArray[np.uint8] = np.rint(255.0 * values).astype(np.uint8)
    return quantised


def _key() -> str:
    """Changes with anything a piece is made of, so that no stale one is learnt from."""
    digest = hashlib.sha256(ASSET.read_bytes())
    names = ("anatomy", "bleeding_head", "haemorrhage", "scanner", "template", "warp")
    sources = [Path(head_module.__file__).with_name(f"{name}.py") for name in names]
    for source in (*sources, Path(crops_module.__file__), Path(__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
