"""A bundle of vision graph, decoder and table of tokens: exported in one pass over the checkpoint, proven, written."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from export_onnx import package, streamed
from export_onnx.errors import CheckpointError
from export_onnx.models.decoder import one_layer_at_a_time
from export_onnx.parity import TOLERANCE_FP32, Array, Proof, prove
from export_onnx.recipes.language_weights import Language
from export_onnx.streamed import Weights
from inference import graph as spec
from inference.bundle import Bundle, parity_names
from inference.language.chat import ChatTokenizer
from inference.manifest import from_values
from inference.manifests.identity import Limits, Parity
from inference.manifests.talk import POSITIONS, TABLE, TOKENIZER, Chat, Talk

VISION, DECODER = "graphs/vision.onnx", "graphs/decoder.onnx"

_BATCH, _NEW, _OLD = 1, 3, 4  # of what the decoder is proven with


@dataclass(frozen=True, kw_only=True, eq=False)
class Vision:
    """What looks at images.

    Attributes
    ----------
    network
        On the device "meta".
    weights
        A tensor by its name in it.
    takes
        Name of its one input.
    shape
        Of that, with None for the number of images.
    tokens
        Features that it gives of an image.
    example
        One image that it is proven with, of such as it was made for; None: noise.
    """

    network: nn.Module
    weights: Weights
    takes: str
    shape: tuple[int | None, ...]
    tokens: int
    example: Array | None = None


def write(
    out: Path, vision: Vision, language: Language, tokenizer: bytes, values: Mapping[str, Any], card: str
) -> Bundle:
    """Export, prove and write.

    Parameters
    ----------
    values
        Keys of the manifest but for graphs, limits and parity.
    card
        Text of MODEL_CARD.md.

    Raises
    ------
    CheckpointError
        If the tokenizer does not fit the decoder and the chat.
    ParityError
        If ONNX Runtime does not compute what torch computes.
    """
    _check_tokenizer(tokenizer, values["chat"], language)
    graphs = (_vision_spec(vision, language), decoder_spec(language))
    manifest = from_values(
        {
            **values,
            "graphs": graphs,
            "limits": Limits(max_voxels=200_000_000),
            "parity": Parity(atol=TOLERANCE_FP32),
            "max_tokens": language.max_tokens,
        }
    )
    assert isinstance(manifest, Talk)  # noqa: S101  # the values name one of its kinds
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as folder:
        staging = Path(folder)
        proofs = {
            "vision": _exported_vision(vision, staging / VISION, graphs[0]),
            "decoder": proven_decoder(language, staging / DECODER, graphs[1]),
        }
        language.write_table(staging / TABLE)
        files: dict[str, bytes | Path] = {TABLE: staging / TABLE, TOKENIZER: tokenizer}
        for graph in graphs:
            files |= {name: staging / name for name in (graph.file, graph.data) if name}
            taken, given = parity_names(graph.role)
            files[taken] = package.npz(proofs[graph.role].inputs)
            files[given] = package.npz(proofs[graph.role].expected)
        worst = max(proof.max_abs for proof in proofs.values())
        told = f"{card}\ntorch and ONNX Runtime differ by at most {worst:.2g} on the bundle's own inputs.\n"
        return package.write(out, manifest, files, {"MODEL_CARD.md": told.encode()})


def _check_tokenizer(tokenizer: bytes, chat: Chat, language: Language) -> None:
    made = ChatTokenizer(tokenizer, TOKENIZER, chat)
    highest = max((*made.before, *made.after("x"), *chat.stops))
    if highest >= language.decoder.sizes.vocabulary:
        raise CheckpointError(f"the chat needs token {highest}, the decoder has {language.decoder.sizes.vocabulary}")


def _exported_vision(vision: Vision, target: Path, graph: spec.Graph) -> Proof:
    shape = tuple(length or 2 for length in vision.shape)
    streamed.exported(
        vision.network,
        [torch.empty(shape, device="meta")],
        vision.weights,
        target,
        names=([vision.takes], ["image_features"]),
        free_axes={vision.takes: (0,)},
    )
    state = {name: vision.weights(name).to(torch.float32) for name in vision.network.state_dict()}
    noise = np.random.default_rng(0).random((1, *shape[1:]), dtype=np.float32)
    given = noise if vision.example is None else vision.example
    return prove(lambda image: functional_call(vision.network, state, (image,)), target, graph, given)


def export_decoder(language: Language, target: Path, graph: spec.Graph) -> None:
    """Write a decoder and, beside it, its weights, one tensor after the other."""
    sizes = language.decoder.sizes
    with torch.device("meta"):
        cache = [
            (torch.empty(2, sizes.shared_heads, _OLD, sizes.head), torch.empty(2, sizes.shared_heads, _OLD, sizes.head))
            for _ in range(sizes.layers)
        ]
        whole = torch.ones(2, _OLD + _NEW, dtype=torch.int64)
        places = torch.zeros(2, _NEW, dtype=torch.int64)
        example = [torch.empty(2, _NEW, sizes.hidden), whole, places, cache]
    streamed.exported(
        language.decoder,
        example,
        language.weights,
        target,
        names=([t.name for t in graph.inputs], [t.name for t in graph.outputs]),
        free_axes={**dict.fromkeys(POSITIONS, (0, 1)), "past": [((0, 2), (0, 2))] * sizes.layers},
    )


def proven_decoder(language: Language, target: Path, graph: spec.Graph) -> Proof:
    """The same, and what it computes held against torch, one layer at a time."""
    export_decoder(language, target, graph)
    return prove(one_layer_at_a_time(language.decoder, language.weights), target, graph, _given(language, graph))


def _given(language: Language, graph: spec.Graph) -> dict[str, Array]:
    """Rows of the table of tokens after a random cache."""
    rng, sizes = np.random.default_rng(0), language.decoder.sizes
    rows = rng.integers(0, sizes.vocabulary, _NEW)
    table = language.tensors("embed_tokens.weight")
    embeddings = table[torch.from_numpy(rows)].to(torch.float32).numpy()
    shape = (_BATCH, sizes.shared_heads, _OLD, sizes.head)
    past = [tensor.name for tensor in graph.inputs if tensor.name not in POSITIONS]
    return {
        "inputs_embeds": embeddings[np.newaxis],
        "attention_mask": np.ones((_BATCH, _OLD + _NEW), np.int64),
        "position_ids": np.arange(_OLD, _OLD + _NEW, dtype=np.int64)[np.newaxis],
        **{name: rng.standard_normal(shape, dtype=np.float32) for name in past},
    }


def _vision_spec(vision: Vision, language: Language) -> spec.Graph:
    features = (None, vision.tokens, language.decoder.sizes.hidden)
    return spec.Graph(
        role="vision",
        file=VISION,
        data=f"{VISION}.data",
        inputs=(spec.Tensor(name=vision.takes, dtype="float32", shape=vision.shape),),
        outputs=(spec.Tensor(name="image_features", dtype="float32", shape=features),),
        activation="none",
    )


def decoder_spec(language: Language) -> spec.Graph:
    """What the manifest says of a decoder."""
    sizes = language.decoder.sizes
    shape = (None, sizes.shared_heads, None, sizes.head)
    cache = [f"{number}.{part}" for number in range(sizes.layers) for part in ("key", "value")]
    return spec.Graph(
        role="decoder",
        file=DECODER,
        data=f"{DECODER}.data",
        inputs=(
            spec.Tensor(name="inputs_embeds", dtype="float32", shape=(None, None, sizes.hidden)),
            spec.Tensor(name="attention_mask", dtype="int64", shape=(None, None)),
            spec.Tensor(name="position_ids", dtype="int64", shape=(None, None)),
            *(spec.Tensor(name=f"past.{name}", dtype="float32", shape=shape) for name in cache),
        ),
        outputs=(
            spec.Tensor(name="logits", dtype="float32", shape=(None, None, sizes.vocabulary)),
            *(spec.Tensor(name=f"present.{name}", dtype="float32", shape=shape) for name in cache),
        ),
        activation="none",
    )
