"""Writes a bundle: the same manifest and files give the same bytes; knows no graph."""

import hashlib
import io
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import MANIFEST, SUMS, UNCOVERED, Bundle, load, sums_text
from inference.manifest import Manifest


def write(folder: Path, manifest: Manifest, files: Mapping[str, bytes | Path], notes: Mapping[str, bytes]) -> Bundle:
    """Write a bundle and read it back.

    Parameters
    ----------
    folder
        Where NAME-VERSION is to lie; one of that name that is there is replaced.
    manifest
        bundle.json.
    files
        Everything else that SHA256SUMS covers, by name: graphs, parity, assets; bytes, or the path of a file too large
        for memory, which is moved into the bundle.
    notes
        What it does not cover: the model card, metrics.

    Returns
    -------
    Bundle
        As `inference.bundle.load` gives it.

    Raises
    ------
    BundleError
        If what was written is not a bundle.
    ValueError
        If a note is not one of those that may lie there uncovered.
    """
    strange = sorted(set(notes) - UNCOVERED)
    if strange:
        raise ValueError(f"not outside {SUMS}: {', '.join(strange)}")
    covered = {MANIFEST: manifest.model_dump_json(indent=2).encode() + b"\n", **files}
    sums = sums_text({name: _sha256(data) for name, data in covered.items()})
    target = folder / f"{manifest.name}-{manifest.version}"
    if target.exists():
        shutil.rmtree(target)
    for name, data in sorted({**covered, **notes, SUMS: sums.encode()}.items()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, Path):
            shutil.move(data, target / name)
        else:
            (target / name).write_bytes(data)
    return load(target)


def _sha256(data: bytes | Path) -> str:
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def npz(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Arrays as a compressed npz; numpy dates its members 1980, so the same arrays give the same bytes."""
    data = io.BytesIO()
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    np.savez_compressed(data, **ordered)  # type: ignore[arg-type]
    return data.getvalue()
