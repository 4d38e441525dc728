"""A CLIPModel folder of Hugging Face as the two towers written for export: every key and every shape accounted for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from export_onnx.checkpoint import CONFIG, Checkpoint, check_keys, check_shapes
from export_onnx.errors import CheckpointError
from export_onnx.models.clip_stages import (
    ACTIVATIONS,
    ClipText,
    ClipVision,
    JoinedAsClip,
    TowerSizes,
    resized_positions,
)
from export_onnx.models.localiser import SCALE, StageDecoder, StagedLocaliser

ARCHITECTURE = "CLIPModel"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the channels in the images that CLIP learnt from."""

_Tower = TypeVar("_Tower", bound=nn.Module)

_POSITIONS = {"vision_model.embeddings.position_ids", "text_model.embeddings.position_ids"}  # 0, 1, 2, ...
_POSITION_WEIGHT = "vision_model.embeddings.position_embedding.weight"
_SCALE = "logit_scale"
_LARGEST = 1_900_000_000  # bytes of a graph: one file of protobuf ends at 2 GiB
_STAGES = {24: (6, 12, 18, 24), 12: (3, 6, 9, 12)}

# what config.json leaves out where it is as OpenAI's first model
_BOTH = {"num_hidden_layers": 12, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
_VISION = {
    **_BOTH,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 32,
    "num_channels": 3,
}
_TEXT = {
    **_BOTH,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_attention_heads": 8,
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "eos_token_id": 49407,
}
_OLD_END = 2  # in configurations before transformers 4.31: the end is the token with the highest number


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """Both towers, in evaluation mode and float32.

    Attributes
    ----------
    vision, text
        With the checkpoint's weights.
    image, patch
        Edge of the image and of a patch, pixels.
    positions, vocabulary
        Most tokens of a text, and tokens there are.
    joint
        Features that images and texts have in common.
    scale
        What the checkpoint multiplies cosines with.
    """

    vision: ClipVision
    text: ClipText
    image: int
    patch: int
    positions: int
    vocabulary: int
    joint: int
    scale: float


def clip_of(checkpoint: Checkpoint, image_size: int | None = None) -> Clip:
    """Both towers of a checkpoint.

    Parameters
    ----------
    image_size
        Edge of the image, pixels; None: as the checkpoint has it. For another one the positions are interpolated.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, or the configuration asks
        for what this cannot build.
    """
    checkpoint.require(ARCHITECTURE)
    label = checkpoint.path.name
    seen, read = (_settings(checkpoint, *part) for part in (("vision", _VISION), ("text", _TEXT)))
    joint = int(checkpoint.config.get("projection_dim", 512))
    image, patch = image_size or int(seen["image_size"]), int(seen["patch_size"])
    if image < patch:
        raise CheckpointError(f"{label}: an image of {image} pixels holds no patch of {patch}")
    state = {name: tensor for name, tensor in checkpoint.tensors.items() if name not in _POSITIONS}
    depth = int(seen["num_hidden_layers"])
    with torch.device("meta"):
        vision = _vision(seen, int(seen["image_size"]), patch, joint, stages_of(depth, label))
        text = _text(read, joint)
    needed = {**vision.state_dict(), **text.state_dict(), _SCALE: torch.empty((), device="meta")}
    check_keys(state, needed, label)
    check_shapes(state, needed, label)
    state[_POSITION_WEIGHT] = resized_positions(state[_POSITION_WEIGHT], image // patch)
    return Clip(
        vision=_filled(_vision(seen, image, patch, joint, stages_of(depth, label)), state),
        text=_filled(_text(read, joint), state),
        image=image,
        patch=patch,
        positions=int(read["max_position_embeddings"]),
        vocabulary=int(read["vocab_size"]),
        joint=joint,
        scale=min(SCALE, float(state[_SCALE].float().exp())),
    )


def stages_of(depth: int, label: str) -> tuple[int, ...]:
    """After which blocks patches are compared: 6, 12, 18, 24 of 24; 3, 6, 9, 12 of 12; quarters of any other depth."""
    if depth < 4:
        raise CheckpointError(f"{label}: {depth} blocks have no four stages")
    return _STAGES.get(depth, tuple(round(depth * quarter / 4) for quarter in (1, 2, 3, 4)))


def localiser_of(clip: Clip, decoder: Path | None) -> StagedLocaliser:
    """The vision tower with a decoder for each stage: a trained one, or CLIP's own projection.

    Parameters
    ----------
    decoder
        safetensors with `decoders.N.0.weight`, `.0.bias`, `.2.weight`, `.2.bias` for stage N = 0, 1, ... (Linear,
        LeakyReLU, Linear), or `decoders.N.weight`, `.bias` (one Linear).

    Raises
    ------
    CheckpointError
        If the decoder's tensors do not fit.
    """
    count, edge = len(clip.vision.stages), clip.image // clip.patch
    fold = 1
    if decoder is None:
        decoders: list[nn.Module] = [JoinedAsClip(clip.vision) for _ in range(count)]
    else:
        decoders, fold = _decoders(decoder, count, clip)
    return StagedLocaliser(clip.vision, decoders, (edge, edge), fold=fold, scales=(SCALE, clip.scale)).eval()


def _decoders(path: Path, count: int, clip: Clip) -> tuple[list[nn.Module], int]:
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name}: not a safetensors file: {error}") from error
    width, last = int(clip.vision.visual_projection.in_features), state.get("decoders.0.2.weight")
    first = state.get("decoders.0.0.weight")
    if last is None or first is None:
        made: list[nn.Module] = [nn.Linear(width, clip.joint) for _ in range(count)]
        fold = 1
    else:
        fold = round((last.shape[0] / clip.joint) ** 0.5)
        made = [StageDecoder(width, clip.joint, hidden=first.shape[0], fold=max(1, fold)) for _ in range(count)]
    whole = nn.ModuleDict({"decoders": nn.ModuleList(made)})
    check_keys(state, whole.state_dict(), path.name)
    check_shapes(state, whole.state_dict(), path.name)
    whole.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return made, fold


def _settings(checkpoint: Checkpoint, part: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """One tower's configuration; `..._dict` is how early releases wrote it, and counted for more."""
    written: dict[str, Any] = {}
    for key in (f"{part}_config", f"{part}_config_dict"):
        found = checkpoint.config.get(key) or {}
        if not isinstance(found, dict):
            raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: {key} is not an object")
        written |= found
    settings = {**defaults, **written}
    if settings["hidden_act"] not in ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: hidden_act {settings['hidden_act']!r}, known: {known}")
    if settings["hidden_size"] % settings["num_attention_heads"]:
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: {part} hidden_size is no multiple of its heads")
    if settings.get("num_channels", 3) != 3:
        raise CheckpointError(f"{checkpoint.path.name}/{CONFIG}: {settings['num_channels']} channels, CLIP has 3")
    return settings


def _sizes(settings: Mapping[str, Any]) -> TowerSizes:
    return TowerSizes(**{name: settings[name] for name in TowerSizes.__dataclass_fields__})


def _vision(settings: Mapping[str, Any], image: int, patch: int, joint: int, stages: tuple[int, ...]) -> ClipVision:
    return ClipVision(_sizes(settings), image=image, patch=patch, joint=joint, stages=stages, mean=MEAN, std=STD)


def _text(settings: Mapping[str, Any], joint: int) -> ClipText:
    vocabulary, end = int(settings["vocab_size"]), int(settings["eos_token_id"])
    return ClipText(
        _sizes(settings),
        vocabulary=vocabulary,
        positions=int(settings["max_position_embeddings"]),
        joint=joint,
        end=vocabulary - 1 if end == _OLD_END else end,
    )


def _filled(tower: _Tower, state: Mapping[str, Tensor]) -> _Tower:
    needed = {name: state[name].float() for name in tower.state_dict()}
    if sum(tensor.numel() * 4 for tensor in needed.values()) > _LARGEST:
        raise CheckpointError(f"a tower of more than {_LARGEST} bytes does not fit into one file of ONNX")
    tower.load_state_dict(needed)
    return tower.eval()
