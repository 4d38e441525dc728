"""Nothing serves before its geometry is proved on this machine; what was proved of this program and bundle is kept."""

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

import dicom_node
import inference
from dicom_node.errors import ConfigError, DefectError
from dicom_node.reading.geometry_proof import prove
from inference.catalogue import Description

log = structlog.get_logger(__name__)

RECORD = "geometry-proof.json"
"""File in the state folder: what was proved, by the digest of program and bundle."""

_LIBRARIES = ("highdicom", "numpy", "pydicom", "simpleitk")


def pass_gate(descriptions: Iterable[Description], state_dir: Path) -> dict[str, int]:
    """Prove the geometry of every algorithm of which that was not done yet.

    Parameters
    ----------
    descriptions
        What is to serve.
    state_dir
        Where the record lies; written only after all came back.

    Returns
    -------
    dict
        Name of the algorithm to the series that came back through it.

    Raises
    ------
    ConfigError
        If one does not come back: nothing may start.
    """
    record, program = state_dir / RECORD, _program()
    known = _read(record)
    wanted = {description.name: description for description in descriptions}
    keys = {name: f"{program} {d.algorithm.digest}" for name, d in wanted.items()}
    missing = [wanted[name] for name, key in keys.items() if key not in known]
    if missing:
        known = {key: known[key] for key in keys.values() if key in known} | _proved(missing, keys)
        _write(record, known)
    return {name: known[key] for name, key in keys.items()}


def _proved(missing: Sequence[Description], keys: dict[str, str]) -> dict[str, int]:
    try:
        proof = prove(missing)
    except DefectError as error:
        raise ConfigError(str(error)) from error
    log.info("geometry_proved", series=proof.series, algorithms=sorted(proof.by_algorithm))
    return {keys[name]: count for name, count in proof.by_algorithm.items()}


def _read(record: Path) -> dict[str, int]:
    try:
        return {str(key): int(count) for key, count in json.loads(record.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):  # absent or torn: proved again
        return {}


def _write(record: Path, known: dict[str, int]) -> None:
    """In one step: several workers may do so at once, and each writes what holds."""
    draft = record.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
    draft.replace(record)


def _program() -> str:
    """Digest of the code that geometry goes through, and the versions of the libraries below it."""
    digest = hashlib.sha256()
    for name in _LIBRARIES:
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    for package in (dicom_node, inference):
        (folder,) = package.__path__
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
