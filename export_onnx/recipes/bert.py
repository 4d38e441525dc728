"""A BertForSequenceClassification folder of Hugging Face as a `report-classifier` bundle, with proof."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from export_onnx import graphs, package
from export_onnx.checkpoint import CONFIG, Checkpoint, check_keys, check_shapes
from export_onnx.errors import CheckpointError
from export_onnx.parity import TOLERANCE_FP32, Array, prove
from export_onnx.recipes import classes, wordpiece
from export_onnx.recipes.declaration import Declaration
from inference import graph as spec
from inference.bundle import Bundle, parity_names
from inference.inputs import TextInputs
from inference.manifests.identity import Parity
from inference.manifests.report import NEEDED, TOKENIZER, ReportClass, ReportManifest

ARCHITECTURE = "BertForSequenceClassification"
GRAPH = "graphs/text.onnx"

_POSITIONS = "bert.embeddings.position_ids"  # 0, 1, 2, ..., kept in the file by transformers before 4.31
_OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}  # of the first releases
_EXAMPLE = (2, 16)


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What a checkpoint does not say of how its answers are to be used; as in `ReportManifest` and `TextInputs`.

    Attributes
    ----------
    codes
        File that gives each label its code; None: private codes.
    max_length
        Tokens; None: as many as the network takes.
    """

    codes: Path | None = None
    max_length: int | None = None
    temperature: float = 1.0
    least_probability: float = 0.5
    inputs: TextInputs = field(default_factory=TextInputs)


class Logits(nn.Module):
    """The network with its inputs in order and its logits alone: (text, token), int64, to (text, class), float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits of each text."""
        logits: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def export(folder: Path, out: Path, declaration: Declaration, options: ReportOptions) -> Bundle:
    """Read a checkpoint, export it, prove it and write the bundle.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, it has no tokenizer that
        can be read, or its classes are not of one kind each.
    ParityError
        If ONNX Runtime does not compute what torch computes.
    """
    checkpoint = Checkpoint.read(folder)
    network, config = network_of(checkpoint)
    tokenizer, files = wordpiece.tokenizer_of(folder, config["vocab_size"])
    told = classes.coded(checkpoint.config, config["num_labels"], options.codes)
    max_length = _max_length(folder, config["max_position_embeddings"], options.max_length)
    example = _example(config["vocab_size"])
    data = graphs.exported(
        network,
        [torch.from_numpy(example[name]) for name in NEEDED],
        names=(NEEDED, "logits"),
        free_axes=dict.fromkeys(NEEDED, (0, 1)),
    )
    graph = _graph(len(told))
    proof = prove(network, data, graph, example)
    names = parity_names("text")
    manifest = ReportManifest(
        **declaration.values(checkpoint, "hf-bert-cls", *files),
        algorithm="report-classifier",
        graphs=(graph,),
        parity=Parity(atol=TOLERANCE_FP32),
        inputs=options.inputs,
        max_length=max_length,
        classes=told,
        temperature=options.temperature,
        least_probability=options.least_probability,
    )
    covered = {
        GRAPH: data,
        TOKENIZER: tokenizer.encode(),
        names[0]: package.npz(proof.inputs),
        names[1]: package.npz(proof.expected),
    }
    return package.write(out, manifest, covered, {"MODEL_CARD.md": _card(manifest, proof.max_abs).encode()})


def network_of(checkpoint: Checkpoint) -> tuple[nn.Module, Mapping[str, Any]]:
    """The network with the checkpoint's weights, in evaluation mode and float32, and its whole configuration.

    Raises
    ------
    CheckpointError
        As `export`.
    """
    checkpoint.require(ARCHITECTURE)
    if checkpoint.config.get("problem_type") not in (None, "single_label_classification"):
        raise CheckpointError(
            f"{checkpoint.path.name}/{CONFIG}: problem_type {checkpoint.config['problem_type']}; "
            "a report must be of exactly one class"
        )
    network = built(checkpoint.config)
    state = _as_now(checkpoint.tensors)
    expected = network.state_dict()
    check_keys(state, expected, checkpoint.path.name)
    check_shapes(state, expected, checkpoint.path.name)
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    config = network.config.to_dict()  # type: ignore[union-attr, operator]
    return Logits(network).eval(), {**config, "num_labels": network.config.num_labels}  # type: ignore[union-attr]


def built(config: Mapping[str, Any]) -> nn.Module:
    """The network that a configuration describes, untrained; nothing is asked of the network outside."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from transformers import BertConfig, BertForSequenceClassification

    described = BertConfig(**{**config, "attn_implementation": "eager"})
    network: nn.Module = BertForSequenceClassification(described)
    return network


def _as_now(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under today's names; what older releases of transformers called otherwise or kept besides."""
    state = {}
    for name in tensors:
        new = next((name.removesuffix(old) + now for old, now in _OLD_ENDINGS.items() if name.endswith(old)), name)
        state[new] = tensors[name]
    positions = state.get(_POSITIONS)
    if positions is not None and torch.equal(positions.flatten(), torch.arange(positions.numel())):
        del state[_POSITIONS]
    return state


def _example(vocabulary_size: int) -> dict[str, Array]:
    """Random tokens; the end of the second text is masked, so that the mask is proved too."""
    rng = np.random.default_rng(0)
    mask = np.ones(_EXAMPLE, np.int64)
    mask[1, _EXAMPLE[1] - 5 :] = 0
    return {"input_ids": rng.integers(0, vocabulary_size, _EXAMPLE, np.int64), "attention_mask": mask}


def _graph(count: int) -> spec.Graph:
    return spec.Graph(
        role="text",
        file=GRAPH,
        inputs=tuple(spec.Tensor(name=name, dtype="int64", shape=(None, None)) for name in NEEDED),
        outputs=(spec.Tensor(name="logits", dtype="float32", shape=(None, count)),),
        activation="softmax",
    )


def _max_length(folder: Path, positions: int, wanted: int | None) -> int:
    if wanted is not None and wanted > positions:
        raise CheckpointError(f"{folder.name}: {wanted} tokens asked for, the network has {positions} positions")
    return wanted or min(positions, wordpiece.longest(folder) or positions)


def _card(manifest: ReportManifest, max_abs: float) -> str:
    kinds = "\n".join(f"| {kind.label} | {_code(kind)} |" for kind in manifest.classes)
    return (
        f"# {manifest.title}\n\n"
        f"{manifest.name} {manifest.version}, exported from a local checkpoint ({ARCHITECTURE}). "
        f"torch and ONNX Runtime differ by at most {max_abs:.2g} on the bundle's own inputs.\n\n"
        f"Reads the text of a report, at most {manifest.max_length} tokens of it, and tells one of these classes; "
        f"below a probability of {manifest.least_probability:g} it names none.\n\n"
        f"| label | code |\n|---|---|\n{kinds}\n\n"
        "No figures are given: the export measured none. Take them on reports of the site before it serves.\n"
    )


def _code(kind: ReportClass) -> str:
    return f"({kind.code.value}, {kind.code.scheme}, {kind.code.meaning})"
