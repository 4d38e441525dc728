"""A LoRA adapter of PEFT, added to the weights it was learnt for: W + alpha / r * B A (Hu et al., ICLR 2022)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from export_onnx.checkpoint import json_object
from export_onnx.errors import CheckpointError
from inference.manifests.identity import HashedFile

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

_PREFIX = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"
_UNKNOWN = ("use_dora", "use_rslora", "fan_in_fan_out", "rank_pattern", "alpha_pattern", "modules_to_save")
"""Settings that change what is computed, and that this does not do."""


class Adapter:
    """An adapter's folder.

    Parameters
    ----------
    folder
        With adapter_config.json and adapter_model.safetensors.
    tensors
        Tensors by the checkpoint's names: shapes of those that the adapter is for.

    Raises
    ------
    CheckpointError
        If it cannot be read, holds tensors for what the checkpoint does not have, or asks for what this does not do.
    """

    def __init__(self, folder: Path, tensors: Mapping[str, tuple[int, ...]]) -> None:
        settings = json_object(folder / SETTINGS)
        _check_settings(folder, settings)
        self._path = folder / WEIGHTS
        self._scale = float(settings["lora_alpha"]) / int(settings["r"])
        self._for = self._pairs(tensors)

    def merged(self, read: Callable[[str], Tensor]) -> Callable[[str], Tensor]:
        """Reads a tensor of the checkpoint by its name, with what the adapter adds to it, float32 where it does."""

        def tensor(name: str) -> Tensor:
            if name not in self._for:
                return read(name)
            stem = self._for[name]
            with safe_open(self._path, framework="pt") as stored:
                down, up = (stored.get_tensor(stem + end).float() for end in (_A, _B))
            merged: Tensor = read(name).float() + self._scale * (up @ down)
            return merged

        return tensor

    def files(self, sha256: Callable[[Path], str]) -> tuple[HashedFile, ...]:
        """For the bundle's source."""
        paths = (self._path.with_name(SETTINGS), self._path)
        return tuple(HashedFile(path=f"adapter/{path.name}", sha256=sha256(path)) for path in paths)

    def _pairs(self, tensors: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
        """Name of the adapter's pair, without its end, by the name of the weight that it is for."""
        label = f"{self._path.parent.name}/{self._path.name}"
        try:
            with safe_open(self._path, framework="pt") as stored:
                shapes = {key: tuple(stored.get_slice(key).get_shape()) for key in list(stored.keys())}
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{label}: not a safetensors file: {error}") from error
        found: dict[str, str] = {}
        for stem in sorted({key.removesuffix(_A).removesuffix(_B) for key in shapes}):
            weight = f"{stem.removeprefix(_PREFIX)}.weight"
            if {stem + _A, stem + _B} - set(shapes) or weight not in tensors:
                raise CheckpointError(f"{label}: {stem} is no pair for a weight of the checkpoint")
            made = (shapes[stem + _B][0], shapes[stem + _A][1])
            if made != tensors[weight] or shapes[stem + _B][1] != shapes[stem + _A][0]:
                raise CheckpointError(f"{label}: {stem} makes {list(made)}, the weight is {list(tensors[weight])}")
            found[weight] = stem
        if not found:
            raise CheckpointError(f"{label}: holds no adapter")
        return found


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    label = f"{folder.name}/{SETTINGS}"
    asked = [key for key in _UNKNOWN if settings.get(key)]
    if settings.get("peft_type", "LORA") != "LORA" or settings.get("bias", "none") != "none" or asked:
        raise CheckpointError(f"{label}: {', '.join(asked) or 'peft_type or bias'} is not what can be merged")
    if not settings.get("r") or "lora_alpha" not in settings:
        raise CheckpointError(f"{label}: r and lora_alpha are needed")
