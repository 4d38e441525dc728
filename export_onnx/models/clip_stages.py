"""CLIP written for export: parts named as in a Hugging Face checkpoint, blocks whose tokens are given out on the way.

Radford et al., Learning Transferable Visual Models From Natural Language Supervision (ICML 2021). Without attention
masks of padded texts: what stands after the end of a text is not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.text_tower import normalised


def quick_gelu(values: Tensor) -> Tensor:
    """What the weights of OpenAI were learnt with, in place of GELU."""
    return values * torch.sigmoid(1.702 * values)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"quick_gelu": quick_gelu, "gelu": functional.gelu}
"""By the name that config.json gives them."""


@dataclass(frozen=True, kw_only=True)
class TowerSizes:
    """One of the two transformers; names as in config.json."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    hidden_act: str
    layer_norm_eps: float


class ClipVision(nn.Module):
    """(batch, 1, row, column) in [0, 1] to the patches after some blocks, and to the features of the whole image.

    Parameters
    ----------
    sizes
        Of the transformer.
    image, patch
        Edge of the image and of a patch, pixels; what is left at the far edges is not looked at.
    joint
        Features that images and texts have in common.
    stages
        After which blocks (1 is the first) the patches are given out, as `hidden_states` of transformers counts them.
    mean, std
        Subtracted and divided by, for each of three channels.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        sizes: TowerSizes,
        *,
        image: int,
        patch: int,
        joint: int,
        stages: tuple[int, ...],
        mean: tuple[float, ...],
        std: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.stages = stages
        self.vision_model = nn.ModuleDict(
            {
                "embeddings": PatchEmbeddings(sizes.hidden_size, (image // patch) ** 2, patch),
                "pre_layrnorm": nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps),  # spelt so in the files
                "encoder": Encoder(sizes),
                "post_layernorm": nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps),
            }
        )
        self.visual_projection = nn.Linear(sizes.hidden_size, joint, bias=False)
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Patches of each stage (batch, row * column, hidden), and (batch, joint) of the first token after the last."""
        tokens = self.vision_model["embeddings"]((image.expand(-1, 3, -1, -1) - self.mean) / self.std)
        states = self.vision_model["encoder"](self.vision_model["pre_layrnorm"](tokens), None)
        return [states[stage - 1][:, 1:] for stage in self.stages], self.joined(states[-1][:, 0])

    def joined(self, tokens: Tensor) -> Tensor:
        """Tokens (..., hidden) to the joint features, as CLIP does it with the first one after the last block."""
        features: Tensor = self.visual_projection(self.vision_model["post_layernorm"](tokens))
        return features


class JoinedAsClip(nn.Module):
    """A decoder that has learnt nothing: what CLIP does with its first token, done with every patch."""

    def __init__(self, vision: ClipVision) -> None:
        super().__init__()
        self.vision_model = nn.ModuleDict({"post_layernorm": vision.vision_model["post_layernorm"]})
        self.visual_projection = vision.visual_projection

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, row * column, joint)."""
        features: Tensor = self.visual_projection(self.vision_model["post_layernorm"](tokens))
        return features


class ClipText(nn.Module):
    """Token numbers (text, token), int64, to features (text, joint) of length 1.

    Parameters
    ----------
    sizes
        Of the transformer.
    vocabulary, positions
        Tokens there are, and most that a text has.
    joint
        Features that images and texts have in common.
    end
        Number of the token that ends a text; what comes after it is not looked at.
    """

    def __init__(self, sizes: TowerSizes, *, vocabulary: int, positions: int, joint: int, end: int) -> None:
        super().__init__()
        self.end = end
        self.text_model = nn.ModuleDict(
            {
                "embeddings": nn.ModuleDict(
                    {
                        "token_embedding": nn.Embedding(vocabulary, sizes.hidden_size),
                        "position_embedding": nn.Embedding(positions, sizes.hidden_size),
                    }
                ),
                "encoder": Encoder(sizes),
                "final_layer_norm": nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps),
            }
        )
        self.text_projection = nn.Linear(sizes.hidden_size, joint, bias=False)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Of the first end of each text, which has seen all before it."""
        length = input_ids.shape[1]
        places = torch.arange(length, device=input_ids.device)
        embeddings = self.text_model["embeddings"]
        tokens = embeddings["token_embedding"](input_ids) + embeddings["position_embedding"](places)  # type: ignore[index]
        before = places[:, None] >= places[None, :]
        last = self.text_model["final_layer_norm"](self.text_model["encoder"](tokens, before)[-1])
        ends = (input_ids == self.end).to(torch.int32).argmax(dim=1)
        picked = last.gather(1, ends[:, None, None].expand(-1, 1, last.shape[2]))[:, 0]
        return normalised(self.text_projection(picked))


def resized_positions(weight: Tensor, edge: int) -> Tensor:
    """Position embeddings (1 + patch, hidden) for edge x edge patches, bicubic, the first token's as it is.

    As `interpolate_pos_encoding` of transformers.
    """
    before = round((len(weight) - 1) ** 0.5)
    if before == edge:
        return weight
    square = weight[1:].float().reshape(1, before, before, -1).permute(0, 3, 1, 2)
    moved = functional.interpolate(square, size=(edge, edge), mode="bicubic", align_corners=False)
    return torch.cat([weight[:1].float(), moved.permute(0, 2, 3, 1).reshape(edge * edge, -1)])


class PatchEmbeddings(nn.Module):
    """(batch, 3, row, column) to (batch, 1 + patch, hidden): a first token of its own, then the patches."""

    def __init__(self, width: int, patches: int, patch: int) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding(patches + 1, width)

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        patches = self.patch_embedding(image).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(image), 1, -1)
        return torch.cat([first, patches], dim=1) + self.position_embedding.weight


class Encoder(nn.Module):
    """The blocks of a tower."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(sizes) for _ in range(sizes.num_hidden_layers))

    def forward(self, tokens: Tensor, seen: Tensor | None) -> list[Tensor]:
        """Tokens after each layer."""
        states = []
        for layer in self.layers:
            tokens = layer(tokens, seen)
            states.append(tokens)
        return states


class _Layer(nn.Module):
    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        width, inner = sizes.hidden_size, sizes.intermediate_size
        self.self_attn = _Attention(width, sizes.num_attention_heads)
        self.layer_norm1 = nn.LayerNorm(width, eps=sizes.layer_norm_eps)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})
        self.layer_norm2 = nn.LayerNorm(width, eps=sizes.layer_norm_eps)
        self.activation = ACTIVATIONS[sizes.hidden_act]

    def forward(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        tokens = tokens + self.self_attn(self.layer_norm1(tokens), seen)
        changed: Tensor = tokens + self.mlp["fc2"](self.activation(self.mlp["fc1"](self.layer_norm2(tokens))))
        return changed


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, tokens: Tensor, seen: Tensor | None) -> Tensor:
        query, key, value = (
            project(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out
