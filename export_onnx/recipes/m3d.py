"""A LaMed folder of M3D with a Llama as a `volume-report` bundle, with proof; an adapter of LoRA merged into it.

What M3D ships as code is not run: the parts of its network are written anew in `export_onnx/models/`. Its segmentation
part is not read.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from export_onnx.checkpoint import CONFIG, Checkpoint, check_keys, check_sizes, sha256_of
from export_onnx.errors import CheckpointError
from export_onnx.models.vit3d import VolumeSizes, VolumeVision
from export_onnx.recipes.asked import Asked
from export_onnx.recipes.declaration import Declaration
from export_onnx.recipes.language_weights import HEAD, Language, without_rotary
from export_onnx.recipes.llava import TOKENIZER
from export_onnx.recipes.lora import Adapter
from export_onnx.recipes.talk import Vision, write
from inference import operations as ops
from inference.bundle import Bundle
from inference.manifests.talk import Chat

ARCHITECTURES = ("LamedLlamaForCausalLM", "LaMedLlamaForCausalLM")
"""As M3D names it in its releases."""

_TEXT = "text."
_RENAMED = (
    ("model.vision_tower.vision_tower.", "vision_tower."),
    ("model.mm_projector.", "mm_projector."),
    ("model.", _TEXT),
    ("lm_head.", f"{_TEXT}lm_head."),
)
_NOT_READ = ("model.seg_projector.", "model.seg_module.")
_PROJECTOR = {"mm_projector": "spp", "proj_layer": "mlp", "proj_pooling": "spatial"}
_OTHER = "norm_cross_attn"  # of newer MONAI, in a block that attends to nothing else


def export(folder: Path, out: Path, declaration: Declaration, asked: Asked, adapter: Path | None = None) -> Bundle:
    """Read a checkpoint, export it, prove it and write the bundle.

    Parameters
    ----------
    adapter
        Folder of a LoRA adapter; None: the weights are whole.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, it has no tokenizer, or
        its configuration asks for what this cannot build.
    ParityError
        If ONNX Runtime does not compute what torch computes.
    """
    checkpoint = Checkpoint.read(folder)
    if checkpoint.architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{folder.name}: architecture {checkpoint.architecture}, this recipe reads {' or '.join(ARCHITECTURES)}"
        )
    added = None if adapter is None else Adapter(adapter, _shapes(checkpoint))
    vision, language = _parts(checkpoint, added)
    if not (folder / TOKENIZER).is_file():
        raise CheckpointError(f"{folder.name}: no {TOKENIZER}")
    values = declaration.values(checkpoint, "m3d-lamed-llama", TOKENIZER)
    if added is not None:
        source = values["source_checkpoint"]
        files = (*source.files, *added.files(sha256_of))
        values["source_checkpoint"] = source.model_copy(update={"files": files})
    shape = vision.shape[2:]
    values = {
        **values,
        "algorithm": "volume-report",
        **asked.values(out),
        "preprocess": asked.preprocess or preprocess((int(shape[0] or 0), int(shape[1] or 0), int(shape[2] or 0))),
        "chat": asked.chat or _chat(checkpoint),
    }
    card = (
        f"# {declaration.title}\n\n{declaration.name} {declaration.version}, exported from a local checkpoint "
        f"({checkpoint.architecture}). Looks at the whole volume as {shape} voxels.\n\n"
        "What it writes is a draft. Models of this family were taught on volumes turned and mirrored at random: sides "
        "and sizes in their texts mean nothing. No figures are given: the export measured none.\n"
    )
    return write(out, vision, language, (folder / TOKENIZER).read_bytes(), values, card)


def preprocess(shape: tuple[int, int, int]) -> tuple[ops.Operation, ...]:
    """As M3D prepares its volumes: scaled by least and greatest value, air cut away, stretched to one size."""
    return (
        ops.Orient(code="HPL", reformat=True),
        ops.MinMax(scope="volume"),
        ops.CropForeground(margin_mm=0.0),
        ops.Resize(shape=shape, antialias=False),
    )


def _parts(checkpoint: Checkpoint, adapter: Adapter | None) -> tuple[Vision, Language]:
    label, places = checkpoint.path.name, _places(checkpoint)
    whole: Callable[[str], Tensor] = checkpoint.tensors.__getitem__
    read = whole if adapter is None else adapter.merged(whole)
    language = Language.of(checkpoint.config, "llama", lambda name: read(places[_TEXT + name]), label)
    language = replace(language, max_tokens=min(language.max_tokens, _longest(checkpoint, language.max_tokens)))
    with torch.device("meta"):
        network = VolumeVision(_sizes(checkpoint, places), language.decoder.sizes.hidden).eval()
    needed = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    needed |= {_TEXT + name: shape for name, shape in language.shapes.items()}
    if language.tied:
        places.pop(_TEXT + HEAD, None)
    check_keys(places, needed, label)
    check_sizes({name: checkpoint.tensors.shape(key) for name, key in places.items()}, needed, label)
    vision = Vision(
        network=network,
        weights=lambda name: read(places[name]),
        takes="volume",
        shape=(None, 1, *network.sizes.volume),
        tokens=network.sizes.tokens,
    )
    return vision, language


def _places(checkpoint: Checkpoint) -> dict[str, str]:
    """Key in the file of each tensor by its name here; what is not known keeps its own."""
    places = {}
    for key in without_rotary(checkpoint.tensors):
        if key.startswith(_NOT_READ) or _OTHER in key:
            continue
        old, new = next(((o, n) for o, n in _RENAMED if key.startswith(o)), ("", ""))
        places[new + key.removeprefix(old)] = key
    return places


def _shapes(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    return {key: checkpoint.tensors.shape(key) for key in checkpoint.tensors}


def _sizes(checkpoint: Checkpoint, places: Mapping[str, str]) -> VolumeSizes:
    config, label = checkpoint.config, f"{checkpoint.path.name}/{CONFIG}"
    if any(config.get(f"{part}_type", kind) != kind for part, kind in _PROJECTOR.items()):
        raise CheckpointError(f"{label}: a projector other than an mlp over spatial pooling")
    if config.get("vision_select_layer", -1) != -1 or config.get("vision_select_feature", "patch") != "patch":
        raise CheckpointError(f"{label}: features other than the patches of the last layer")
    first, inner = "vision_tower.cls_token", "vision_tower.blocks.0.mlp.linear1.weight"
    if first not in places or inner not in places:
        raise CheckpointError(f"{checkpoint.path.name}: no vision tower in it: {first} or {inner} is missing")
    width = checkpoint.tensors.shape(places[first])[2]
    return VolumeSizes(
        volume=_three(config, "image_size", (32, 256, 256), label),
        patch=_three(config, "patch_size", (4, 16, 16), label),
        width=width,
        inner=checkpoint.tensors.shape(places[inner])[0],
        blocks=len({name.split(".")[2] for name in places if name.startswith("vision_tower.blocks.")}),
        heads=int(config.get("vision_heads", max(1, width // 64))),  # each head of a ViT-B has 64 features
        pool=int(config.get("proj_pooling_size", 2)),
        layers=int(config.get("proj_layer_num", 2)),
    )


def _three(config: Mapping[str, Any], key: str, otherwise: tuple[int, int, int], label: str) -> tuple[int, int, int]:
    found = config.get(key, otherwise)
    if not isinstance(found, (list, tuple)) or len(found) != 3:
        raise CheckpointError(f"{label}: {key} counts voxels along three axes, got {found}")
    slices, rows, columns = (int(count) for count in found)
    return slices, rows, columns


def _longest(checkpoint: Checkpoint, otherwise: int) -> int:
    """Tokens that the texts of its training had at most, image and answer included."""
    return int(checkpoint.config.get("tokenizer_model_max_length", otherwise))


def _chat(checkpoint: Checkpoint) -> Chat:
    """The image right after the mark of the beginning, the question right after the image."""
    end = checkpoint.config.get("eos_token_id")
    stops = tuple(end) if isinstance(end, list) else (128001 if end is None else int(end),)
    return Chat(before="", after="{question}", stops=stops)
