"""What the small readers that speak share: how they learn, and how they become bundles."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export_onnx.models.decoder import DecoderSizes
from export_onnx.models.mini_talker import THETA, MiniTalker, Texts
from export_onnx.models.mini_vision import MiniPictureVision, MiniSizes, MiniVolumeVision
from export_onnx.recipes.language_weights import EMBEDDING, Language
from export_onnx.recipes.talk import Vision, write
from export_onnx.training import loop
from inference.bundle import Bundle

_MARKS = 0.5  # of the loss: where lesions are, beside what is written
_ENTROPY = 5.0  # weight of the cross entropy of marks beside Dice: without it small lesions hardly count


Report = Callable[[str], None]


class Batch(Protocol):
    """A step's images (image, channel, ...), texts, and marks (image, kind, ...)."""

    @property
    def image(self) -> Tensor:
        """float32 in [0, 1]."""

    @property
    def texts(self) -> Texts:
        """Of each image."""

    @property
    def marks(self) -> Tensor:
        """float32: 1 where there is a lesion of the kind, -1 where nobody knows."""


def learn(
    sizes: MiniSizes,
    decoder: DecoderSizes,
    drawn: Callable[[int], Batch],
    schedules: tuple[loop.Schedule | None, loop.Schedule],
    checkpoint: Path,
    report: Report,
    *,
    rare: float = 1.0,
) -> MiniTalker:
    """Train a network from nothing: to mark where that is asked for first, then to mark and to speak of what it sees.

    Parameters
    ----------
    drawn
        The batch of a step.
    schedules
        Of the two parts; None: there is no first one.
    checkpoint
        As in `loop.train`; that of the first part lies beside it.
    rare
        As in `marks_loss`.
    """
    first, then = schedules
    torch.manual_seed(then.seed)
    where = loop.device()
    network = MiniTalker(sizes, decoder).to(where)
    cells = sizes.cells(sizes.marked_at)

    def marking(learning: nn.Module, step: int) -> Tensor:
        batch = drawn(step)
        marks = learning.marked(batch.image.to(where))  # type: ignore[operator]  # of MiniVision
        return marks_loss(marks, on_cells(batch.marks.to(where), cells), rare)

    if first is not None:
        marked = loop.train(
            network.vision, first, marking, checkpoint.with_name("marks.pt"), _telling("marks", first, report)
        )
        network.vision.load_state_dict(marked.state_dict())

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        batch = drawn(step)
        text, marks = learning(batch.image.to(where), Texts(*(part.to(where) for part in batch.texts)))
        loss: Tensor = text + _MARKS * marks_loss(marks, on_cells(batch.marks.to(where), cells), rare)
        return loss

    trained = loop.train(network, then, step_loss, checkpoint, _telling("texts", then, report))
    if not isinstance(trained, MiniTalker):
        raise TypeError("the loop gave back another network")
    return trained.cpu()


def _telling(what: str, schedule: loop.Schedule, report: Report) -> loop.Progress:
    def told(step: int, loss: float) -> None:
        if step % 50 == 0 or step == schedule.iterations:
            report(f"{what}: step {step} of {schedule.iterations}, loss {loss:.3f}")

    return told


def on_cells(marks: Tensor, cells: tuple[int, ...]) -> Tensor:
    """Marks (image, kind, ...) on coarser cells: 1 where any voxel of the cell is marked."""
    pool = functional.adaptive_max_pool3d if len(cells) == 3 else functional.adaptive_max_pool2d
    return pool(marks, cells)


def marks_loss(logits: Tensor, truth: Tensor, rare: float = 1.0) -> Tensor:
    """Cross entropy minds every cell, 1 - Dice over the batch the few of a lesion; -1 counts for nothing.

    `rare` is how much more a marked cell counts in the cross entropy than another: where marks are a few cells of
    thousands, nothing marked is where learning would stay.
    """
    known = truth >= 0.0
    logits, truth = logits.float()[known], truth[known]
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=logits.new_tensor(rare))
    probability = torch.sigmoid(logits)
    overlap = 2.0 * (probability * truth).sum() + 1.0
    return _ENTROPY * entropy + 1.0 - overlap / (probability.sum() + truth.sum() + 1.0)


def exported(
    network: MiniTalker,
    out: Path,
    tokenizer: bytes,
    values: Mapping[str, Any],
    max_tokens: int,
    example: NDArray[np.float32],
) -> Bundle:
    """A trained network as a bundle with proof, without figures.

    Parameters
    ----------
    values
        As in `export_onnx.recipes.talk.write`.
    max_tokens
        Most that the decoder takes.
    example
        (1, channel, ...): what the vision graph is proven with; made up, since it travels with the bundle.
    """
    sizes = network.vision.sizes
    kind, takes = (MiniVolumeVision, "volume") if len(sizes.shape) == 3 else (MiniPictureVision, "pixel_values")
    with torch.device("meta"):
        empty = kind(sizes, network.decoder.sizes.hidden).eval()
    state = network.vision.state_dict()
    vision = Vision(
        network=empty,
        weights=lambda name: state[name],
        takes=takes,
        shape=(None, sizes.channels, *sizes.shape),
        tokens=sizes.tokens,
        example=example,
    )
    return write(out, vision, _language(network, max_tokens), tokenizer, values, "")


def _language(network: MiniTalker, max_tokens: int) -> Language:
    """The decoder as a checkpoint of the Llama family."""
    sizes, state = network.decoder.sizes, network.decoder.state_dict()
    table = network.embed_tokens.weight.detach()

    def tensors(name: str) -> Tensor:
        if name == EMBEDDING:
            return table
        stored: Tensor = state[name]
        return stored.T if stored.ndim == 2 else stored

    config = {
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.inner,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.shared_heads,
        "head_dim": sizes.head,
        "rms_norm_eps": sizes.epsilon,
        "rope_theta": THETA,
        "max_position_embeddings": max_tokens,
    }
    return Language.of(config, "llama", tensors, "the trained decoder")
