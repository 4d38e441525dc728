"""A localiser and its text tower as a tumour-localiser bundle: two graphs, two proofs, the texts and their features."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from export_onnx import graphs, package
from export_onnx.models.localiser import LocaliserMaps
from export_onnx.parity import TOLERANCE_FP32, Array, Proof, prove
from inference import operations as ops
from inference.algorithms import Runtime
from inference.algorithms.other_prompts import TextEncoder, npy, prompts_json
from inference.bundle import Bundle, parity_names
from inference.graph import Graph, Slices, Tensor
from inference.language.prompts import Prompts, text_features
from inference.language.tokenizer import ReportTokenizer
from inference.manifests.identity import Parity
from inference.manifests.localiser import (
    FEATURES,
    PROMPTS,
    TEXT_OUTPUT,
    TOKENIZER,
    VISION_INPUTS,
    VISION_OUTPUTS,
    LocaliserManifest,
    Texts,
)
from inference.session import Session

VISION, TEXT = "graphs/vision.onnx", "graphs/text.onnx"
BATCH = 4
"""Slices in one run."""

_CPU = Runtime(providers=("cpu",), threads=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What becomes a bundle.

    Attributes
    ----------
    maps, text
        In evaluation mode; `text` takes `text_inputs` in order and gives features of length 1.
    text_inputs
        ("input_ids",) or ("input_ids", "attention_mask").
    tokenizer
        tokenizer.json.
    max_length, vocabulary
        Most tokens of a text, and tokens there are.
    image
        Edge of the image, pixels.
    joint
        Features that images and texts have in common.
    prompts
        Texts of normal and of abnormal.
    """

    maps: LocaliserMaps
    text: nn.Module
    text_inputs: tuple[str, ...]
    tokenizer: bytes
    max_length: int
    vocabulary: int
    image: int
    joint: int
    prompts: Prompts


def preprocess(image: int) -> tuple[ops.Operation, ...]:
    """Each slice by itself, in whatever plane it was cut, as it is looked at, windowed to [0, 1] and made square."""
    return (
        ops.Display(),
        ops.WindowPercentile(lower=1.0, upper=99.5, scope="slice", foreground=False),
        ops.PadSquare(value=0.0),
        ops.Resize(shape=(None, image, image), antialias=True),
    )


def specs(parts: Parts) -> tuple[Graph, Graph]:
    """The vision graph, for any number of slices of one size, and the text graph."""
    images: tuple[int | None, ...] = (None, 1, parts.image, parts.image)
    vision = Graph(
        role="vision",
        file=VISION,
        inputs=(
            Tensor(name=VISION_INPUTS[0], dtype="float32", shape=images),
            Tensor(name=VISION_INPUTS[1], dtype="float32", shape=(2, parts.joint)),
        ),
        outputs=(
            Tensor(name=VISION_OUTPUTS[0], dtype="float32", shape=images),
            Tensor(name=VISION_OUTPUTS[1], dtype="float32", shape=(None,)),
        ),
        activation="none",
    )
    text = Graph(
        role="text",
        file=TEXT,
        inputs=tuple(Tensor(name=name, dtype="int64", shape=(None, None)) for name in parts.text_inputs),
        outputs=(Tensor(name=TEXT_OUTPUT, dtype="float32", shape=(None, parts.joint)),),
        activation="none",
    )
    return vision, text


def write(parts: Parts, values: Mapping[str, Any], out: Path, notes: Mapping[str, bytes]) -> Bundle:
    """Export, prove and write.

    Parameters
    ----------
    values
        The keys of bundle.json but for graphs, tiling, texts and parity; `preprocess` is the one above unless given.
    out
        Folder that NAME-VERSION is written to.
    notes
        What SHA256SUMS does not cover: the card.

    Raises
    ------
    ParityError
        If ONNX Runtime does not compute what torch computes.
    BundleError
        If a prompt is longer than the text graph takes.
    """
    vision, text = specs(parts)
    text_graph, text_proof = _text(parts, text)
    session = Session(text_graph, text, _CPU)
    tokenizer = ReportTokenizer(parts.tokenizer, TOKENIZER, parts.max_length)
    features = text_features(parts.prompts, TextEncoder(session, tokenizer, parts.text_inputs))
    vision_graph, vision_proof = _vision(parts, vision, features)
    manifest = LocaliserManifest(
        **{"preprocess": preprocess(parts.image), **values},
        graphs=(vision, text),
        tiling=Slices(batch=BATCH),
        texts=Texts(max_length=parts.max_length),
        parity=Parity(atol=TOLERANCE_FP32),
    )
    files = {
        VISION: vision_graph,
        TEXT: text_graph,
        TOKENIZER: parts.tokenizer,
        FEATURES: npy(features),
        PROMPTS: prompts_json(parts.prompts),
        **_proved("vision", vision_proof),
        **_proved("text", text_proof),
    }
    return package.write(out, manifest, files, notes)


def _vision(parts: Parts, spec: Graph, features: Array) -> tuple[bytes, Proof]:
    images = np.random.default_rng(0).random((2, 1, parts.image, parts.image), dtype=np.float32)
    inputs = dict(zip(VISION_INPUTS, (images, features), strict=True))
    data = graphs.exported(
        parts.maps,
        [torch.from_numpy(inputs[name]) for name in VISION_INPUTS],
        names=(VISION_INPUTS, VISION_OUTPUTS),
        free_axes={"image": (0,), "text_features": ()},
    )
    return data, prove(parts.maps, data, spec, inputs)


def _text(parts: Parts, spec: Graph) -> tuple[bytes, Proof]:
    ids = np.random.default_rng(0).integers(1, parts.vocabulary, (2, min(12, parts.max_length)), dtype=np.int64)
    inputs: dict[str, Array] = dict(zip(parts.text_inputs, (ids, np.ones_like(ids)), strict=False))
    data = graphs.exported(
        parts.text,
        [torch.from_numpy(inputs[name]) for name in parts.text_inputs],
        names=(parts.text_inputs, TEXT_OUTPUT),
        free_axes=dict.fromkeys(parts.text_inputs, (0, 1)),
    )
    return data, prove(parts.text, data, spec, inputs)


def _proved(role: str, proof: Proof) -> dict[str, bytes]:
    names = parity_names(role)  # type: ignore[arg-type]
    return {names[0]: package.npz(proof.inputs), names[1]: package.npz(proof.expected)}
