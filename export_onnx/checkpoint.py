"""A checkpoint folder as Hugging Face lays it out: configuration, tensors by name, a sha256 for each file; no network.

Nothing of the checkpoint is run: weights come from safetensors, or from a .bin that holds tensors and nothing else.
"""

import hashlib
import json
import pickle
import struct
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from export_onnx.errors import CheckpointError
from inference.manifests.identity import HashedFile

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names under which the weights may lie, in order of preference; an index names the shards."""

SHOWN = 20
"""Keys that an error lists of each kind before it only counts them."""

_UNREADABLE = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch.load raises on a file that holds more than tensors, or is damaged."""


class Tensors(Mapping[str, Tensor]):
    """Tensors by name, each read from its file when asked for.

    Parameters
    ----------
    files
        File of each tensor by the tensor's name.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(sorted(files.items()))
        self._pickled: dict[Path, dict[str, Tensor]] = {}

    def __getitem__(self, name: str) -> Tensor:
        path = self._files[name]
        if path.suffix == ".bin":
            if path not in self._pickled:
                self._pickled[path] = _unpickled(path)
            return self._pickled[path][name]
        with safe_open(path, framework="pt") as stored:
            tensor: Tensor = stored.get_tensor(name)
        return tensor

    def shape(self, name: str) -> tuple[int, ...]:
        """Of one tensor, without its numbers where the file says it beside them."""
        path = self._files[name]
        if path.suffix == ".bin":
            return tuple(self[name].shape)
        with safe_open(path, framework="pt") as stored:
            return tuple(stored.get_slice(name).get_shape())

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A folder whose configuration was read and whose tensors are known by name.

    Attributes
    ----------
    path
        The folder.
    config
        What config.json says.
    tensors
        Of all shards, read when asked for.
    files
        sha256 of config.json and of every file with weights, by name; `hashed` adds others.
    """

    path: Path
    config: Mapping[str, Any]
    tensors: Tensors
    files: tuple[HashedFile, ...]

    @classmethod
    def read(cls, folder: Path) -> "Checkpoint":
        """Read configuration and names of tensors.

        Raises
        ------
        CheckpointError
            If a file is missing or not what its name says, or a shard does not hold what the index names.
        """
        config = json_object(folder / CONFIG)
        named = next((name for name in WEIGHTS if (folder / name).is_file()), None)
        if named is None:
            raise CheckpointError(f"{folder.name}: no weights; looked for {', '.join(WEIGHTS)}")
        shards = _shards(folder, named)
        read = dict.fromkeys((CONFIG, named, *(path.name for path in shards)))
        files = tuple(HashedFile(path=name, sha256=sha256_of(folder / name)) for name in read)
        return cls(path=folder, config=config, tensors=_tensors(folder, named, shards), files=files)

    @property
    def architecture(self) -> str:
        """The one class that config.json names under `architectures`.

        Raises
        ------
        CheckpointError
            If it names none or several.
        """
        named = self.config.get("architectures")
        if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], str):
            raise CheckpointError(f"{self.path.name}/{CONFIG}: architectures names {named}, one class is needed")
        return str(named[0])

    def require(self, architecture: str) -> None:
        """Refuse every other architecture, and one that brings code of its own, which is never run.

        Raises
        ------
        CheckpointError
            The message names what was found and what is needed.
        """
        if self.architecture != architecture:
            raise CheckpointError(
                f"{self.path.name}: architecture {self.architecture}, this recipe reads {architecture}"
            )
        if "auto_map" in self.config:
            raise CheckpointError(
                f"{self.path.name}/{CONFIG}: auto_map asks for code of the checkpoint, which is not run"
            )

    def hashed(self, *names: str) -> tuple[HashedFile, ...]:
        """`files` and these others of the folder, for the bundle's source."""
        return (*self.files, *(HashedFile(path=name, sha256=sha256_of(self.path / name)) for name in names))


def check_keys(found: Iterable[str], expected: Iterable[str], name: str = "checkpoint") -> None:
    """Compare the names of tensors in both directions.

    Parameters
    ----------
    found, expected
        Names in the files, and those that the network needs.
    name
        Of the checkpoint, for the message.

    Raises
    ------
    CheckpointError
        One message with every missing and every unexpected name, up to `SHOWN` of each.
    """
    there, needed = set(found), set(expected)
    faults = [
        f"{len(names)} {kind} ({_listed(names)})"
        for kind, names in (("missing", needed - there), ("unexpected", there - needed))
        if names
    ]
    if faults:
        raise CheckpointError(f"{name}: the tensors are not those of the network: {'; '.join(faults)}")


def check_shapes(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], name: str = "checkpoint") -> None:
    """Compare shapes of tensors with equal names; raises CheckpointError with every one that differs."""
    check_sizes(
        {key: tuple(found[key].shape) for key in expected}, {k: tuple(t.shape) for k, t in expected.items()}, name
    )


def check_sizes(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]], name: str = "checkpoint"
) -> None:
    """The same of shapes that are known without the tensors."""
    wrong = [
        f"{key} is {list(found[key])}, needed {list(expected[key])}"
        for key in sorted(expected)
        if found[key] != expected[key]
    ]
    if wrong:
        raise CheckpointError(f"{name}: {len(wrong)} shapes do not fit config.json: {_listed(wrong)}")


def json_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object; raises CheckpointError where it is missing or does not."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path.parent.name}/{path.name}: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{path.parent.name}/{path.name}: not JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path.parent.name}/{path.name}: not a JSON object")
    return value


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + rest


def _shards(folder: Path, named: str) -> list[Path]:
    if not named.endswith(".index.json"):
        return [folder / named]
    names = sorted(set(_weight_map(folder, named).values()))
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise CheckpointError(f"{folder.name}/{named}: names {name!r}, which is no file of the folder")
    return [folder / name for name in names]


def _weight_map(folder: Path, named: str) -> dict[str, str]:
    found = json_object(folder / named).get("weight_map")
    if not isinstance(found, dict) or not found or not all(isinstance(name, str) for name in found.values()):
        raise CheckpointError(f"{folder.name}/{named}: no weight_map from tensors to files")
    return found


def _tensors(folder: Path, named: str, shards: list[Path]) -> Tensors:
    files: dict[str, Path] = {}
    for path in shards:
        for key in _keys(path):
            if files.setdefault(key, path) != path:
                raise CheckpointError(f"{folder.name}: {key} lies in {files[key].name} and in {path.name}")
    if named.endswith(".index.json"):
        check_keys(files, _weight_map(folder, named), f"{folder.name}/{named}")
    return Tensors(files)


def _keys(path: Path) -> list[str]:
    if path.suffix == ".bin":
        return sorted(_unpickled(path))
    try:
        with safe_open(path, framework="pt") as stored:
            return sorted(stored.keys())
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.parent.name}/{path.name}: not a safetensors file: {error}") from error


def _unpickled(path: Path) -> dict[str, Tensor]:
    """A .bin of nothing but tensors; `weights_only` refuses every other object before it is made."""
    label = f"{path.parent.name}/{path.name}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols; what cannot be read ends in an error below
            stored = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except _UNREADABLE as error:
        raise CheckpointError(f"{label}: holds more than tensors, or is damaged; save it as safetensors") from error
    if not isinstance(stored, dict) or not all(isinstance(value, Tensor) for value in stored.values()):
        raise CheckpointError(f"{label}: not a dictionary of tensors")
    return {str(key): value for key, value in stored.items()}


def _is_zip(path: Path) -> bool:
    """Whether a .bin is of the layout that can be mapped into memory; older ones are read whole."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def sha256_of(path: Path) -> str:
    """sha256 of a file, hex; raises CheckpointError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path.parent.name}/{path.name}: {error.strerror}") from error
