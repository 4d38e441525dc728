"""A LLaVA folder as vision and language without weights, and where each tensor lies: three layouts, one set of names.

`llava-hf` before and after transformers 5, and `llava_llama` or `llava_mistral`, as LLaVA and LLaVA-Med write it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from export_onnx.checkpoint import CONFIG, Checkpoint, check_keys, check_sizes
from export_onnx.errors import CheckpointError
from export_onnx.models.clip_stages import TowerSizes
from export_onnx.models.llava_vision import LlavaVision
from export_onnx.recipes.language_weights import HEAD, Language, without_rotary

HUGGING_FACE = "LlavaForConditionalGeneration"
ORIGINAL = {"LlavaMistralForCausalLM": "mistral", "LlavaLlamaForCausalLM": "llama"}
"""Architectures of the other layout, with the family of their language model."""

_TEXT = "text."
_VISION_DEFAULTS = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
}
# beginnings of names, the first that fits counts
_HUGGING_FACE = (
    ("model.", ""),
    ("language_model.model.", _TEXT),
    ("language_model.lm_head.", f"{_TEXT}lm_head."),
    ("language_model.", _TEXT),
    ("lm_head.", f"{_TEXT}lm_head."),
    ("vision_tower.vision_model.", "vision_tower."),
)
_ORIGINAL = (
    ("model.vision_tower.vision_tower.vision_model.", "vision_tower."),
    ("model.mm_projector.0.", "multi_modal_projector.linear_1."),
    ("model.mm_projector.2.", "multi_modal_projector.linear_2."),
    ("model.", _TEXT),
    ("lm_head.", f"{_TEXT}lm_head."),
)
_POSITIONS = "vision_tower.embeddings.position_ids"  # 0, 1, 2, ...
_UNUSED = ("vision_tower.post_layernorm.weight", "vision_tower.post_layernorm.bias")


@dataclass(frozen=True, kw_only=True, eq=False)
class Llava:
    """Both halves, without weights.

    Attributes
    ----------
    vision
        On the device "meta".
    image
        Edge of the image, pixels.
    language
        Decoder and table of tokens.
    tensors
        A tensor of `vision` by its name.
    layout
        "hf-llava" or "llava".
    """

    vision: LlavaVision
    image: int
    language: Language
    tensors: Callable[[str], Tensor]
    layout: str


def llava_of(checkpoint: Checkpoint, tower: Checkpoint | None) -> Llava:
    """Read configuration and names of tensors.

    Parameters
    ----------
    tower
        A CLIP of its own, for a LLaVA folder without one; None: the weights are in the folder.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, or the configuration asks
        for what this cannot build.
    """
    label, original = checkpoint.path.name, checkpoint.architecture in ORIGINAL
    checkpoint.require(checkpoint.architecture if original else HUGGING_FACE)
    places = _places(checkpoint, tower, _ORIGINAL if original else _HUGGING_FACE)

    def tensor(name: str) -> Tensor:
        source, key = places[name]
        return source.tensors[key]

    config = checkpoint.config if original else _object(checkpoint, "text_config")
    kind = ORIGINAL[checkpoint.architecture] if original else str(config.get("model_type", "llama"))
    language = Language.of(config, kind, lambda name: tensor(_TEXT + name), label)
    sizes, image, patch = _tower(checkpoint, tower, places, original=original)
    with torch.device("meta"):
        made = [
            LlavaVision(
                sizes,
                image=image,
                patch=patch,
                blocks=blocks,
                first=_first(checkpoint, original=original),
                hidden=language.decoder.sizes.hidden,
                biased=bool(checkpoint.config.get("multimodal_projector_bias", True)),
            ).eval()
            for blocks in (sizes.num_hidden_layers, _blocks(checkpoint, sizes.num_hidden_layers, original=original))
        ]
    needed = {name: tuple(value.shape) for name, value in made[0].state_dict().items()}
    needed |= dict.fromkeys(_UNUSED, (sizes.hidden_size,))
    needed |= {_TEXT + name: shape for name, shape in language.shapes.items()}
    if language.tied:
        places.pop(_TEXT + HEAD, None)
    check_keys(places, needed, label)
    found = {name: places[name][0].tensors.shape(places[name][1]) for name in needed}
    check_sizes(found, needed, label)
    return Llava(
        vision=made[1], image=image, language=language, tensors=tensor, layout="llava" if original else "hf-llava"
    )


_Places = dict[str, tuple[Checkpoint, str]]


def _places(checkpoint: Checkpoint, tower: Checkpoint | None, renamed: tuple[tuple[str, str], ...]) -> _Places:
    """Where each tensor lies, by its name here; what no layout knows keeps its own and is told as unexpected."""
    places: _Places = {}
    for key in without_rotary(checkpoint.tensors):
        name = key
        for old, new in renamed:
            if name.startswith(old):
                name = new + name.removeprefix(old)
                if new:
                    break
        if name in places:
            raise CheckpointError(f"{checkpoint.path.name}: {places[name][1]} and {key} are the same tensor")
        places[name] = (checkpoint, key)
    if tower is not None:
        part = [key for key in tower.tensors if key.startswith("vision_model.")]
        places |= {f"vision_tower.{key.removeprefix('vision_model.')}": (tower, key) for key in part}
    places.pop(_POSITIONS, None)
    return places


def _tower(
    checkpoint: Checkpoint, tower: Checkpoint | None, places: _Places, *, original: bool
) -> tuple[TowerSizes, int, int]:
    """Sizes of CLIP, edge of the image and of a patch."""
    if tower is not None:
        written = tower.config.get("vision_config") or tower.config
        whole = {**_VISION_DEFAULTS, **written}
    elif original:
        whole = {**_VISION_DEFAULTS, **_from_shapes(checkpoint, places)}
    else:
        whole = {**_VISION_DEFAULTS, **_object(checkpoint, "vision_config")}
        if whole.get("model_type", "clip_vision_model") != "clip_vision_model":
            raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: a vision tower of type {whole['model_type']}")
    sizes = TowerSizes(**{name: whole[name] for name in TowerSizes.__dataclass_fields__})
    return sizes, int(whole["image_size"]), int(whole["patch_size"])


def _from_shapes(checkpoint: Checkpoint, places: _Places) -> dict[str, int]:
    """The layout of LLaVA writes none of CLIP's sizes down; each head of a CLIP has 64 features."""

    def shape(name: str) -> tuple[int, ...]:
        if f"vision_tower.{name}" not in places:
            raise CheckpointError(f"{checkpoint.path.name}: no vision tower in it; give the folder of its CLIP")
        source, key = places[f"vision_tower.{name}"]
        return source.tensors.shape(key)

    width, _, patch, _ = shape("embeddings.patch_embedding.weight")
    edge = round((shape("embeddings.position_embedding.weight")[0] - 1) ** 0.5)
    blocks = {name.split(".")[3] for name in places if name.startswith("vision_tower.encoder.layers.")}
    return {
        "hidden_size": width,
        "intermediate_size": shape("encoder.layers.0.mlp.fc1.weight")[0],
        "num_hidden_layers": len(blocks),
        "num_attention_heads": max(1, width // 64),
        "image_size": edge * patch,
        "patch_size": patch,
    }


def _blocks(checkpoint: Checkpoint, depth: int, *, original: bool) -> int:
    layer = checkpoint.config.get("mm_vision_select_layer" if original else "vision_feature_layer", -2)
    if not isinstance(layer, int) or not 1 <= (layer if layer > 0 else depth + 1 + layer) <= depth:
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: features of layer {layer} of {depth}")
    return layer if layer > 0 else depth + 1 + layer


def _first(checkpoint: Checkpoint, *, original: bool) -> bool:
    key, without, whole = (
        ("mm_vision_select_feature", "patch", "cls_patch")
        if original
        else ("vision_feature_select_strategy", "default", "full")
    )
    chosen = checkpoint.config.get(key, without)
    if chosen not in (without, whole):
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: {key} is {chosen!r}")
    if original and checkpoint.config.get("mm_projector_type") != "mlp2x_gelu":
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: mm_projector_type is not mlp2x_gelu")
    if not original and checkpoint.config.get("projector_hidden_act", "gelu") != "gelu":
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: projector_hidden_act is not gelu")
    return bool(chosen == whole)


def _object(checkpoint: Checkpoint, key: str) -> Mapping[str, Any]:
    found = checkpoint.config.get(key)
    if not isinstance(found, dict):
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: {key} is not an object")
    return found
