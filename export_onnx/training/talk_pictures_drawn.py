"""Batches of slices and of other pictures with their texts; slices moved with their masks, then written about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export_onnx.models.mini_talker import Texts
from export_onnx.training import augment, slice_words
from export_onnx.training.slices import Slices
from export_onnx.training.talk_batches import Encoder, Taught
from export_onnx.training.tumour_fit import Drawn
from export_onnx.training.tumour_manifest import KINDS as LABELS

_TEXTS = 4
_REPORT_WEIGHT = 1.0
_OTHERS = 0.25  # of a batch: pictures with questions of people


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """A picture that people asked about: (row, column), uint8, as the vision graph takes it; and what they asked."""

    image: NDArray[np.uint8]
    texts: tuple[Taught, ...]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A step's pictures, texts and marks.

    Attributes
    ----------
    image
        (picture, 3, row, column), float32 in [0, 1].
    texts
        Of each picture.
    marks
        (picture, kind, row, column), float32: 1 where there is a tumour of the kind, -1 all over where nobody knows.
    """

    image: Tensor
    texts: Texts
    marks: Tensor


class DrawnPictures:
    """Draws batches; every step has a draw of its own.

    Parameters
    ----------
    made, indices
        Slices, and which of them are learnt from.
    asked
        Other pictures with questions; may be none.
    encoder
        Of texts.
    seed, batch
        Of every step, and pictures in it.
    """

    def __init__(
        self,
        made: Slices,
        indices: NDArray[np.int_],
        asked: Sequence[Asked],
        encoder: Encoder,
        *,
        seed: int,
        batch: int,
    ) -> None:
        self._asked = asked
        self._encoder = encoder
        self._seed = seed
        self._others = round(_OTHERS * batch) if asked else 0
        self._slices = Drawn(made, indices, LABELS, seed, batch - self._others)

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([self._seed, 5, step])
        drawn = self._slices.at(step)
        texts = [
            taught(int(kind), truth[0].numpy() > 0.5, rng) for kind, truth in zip(drawn.kind, drawn.truth, strict=True)
        ]
        marks = _marks(drawn.kind, drawn.truth)
        image = drawn.image
        if self._others:
            some = [self._asked[int(i)] for i in rng.choice(len(self._asked), self._others)]
            image = torch.cat([image, _recoloured(some, rng)])
            texts += [_drawn(one.texts, rng) for one in some]
            marks = torch.cat([marks, torch.full((len(some), *marks.shape[1:]), -1.0)])
        return Batch(image=image.expand(-1, 3, -1, -1), texts=self._encoder.texts(texts), marks=marks)


def taught(kind: int, marked: NDArray[np.bool_], rng: np.random.Generator) -> list[Taught]:
    """Some of the texts about a slice whose tumour is of a kind, -1 for none."""
    facts = slice_words.slice_facts(slice_words.KINDS[kind], marked) if kind >= 0 else None
    report = slice_words.report(facts)
    texts = [Taught(question=report.question, answer=report.answer, weight=_REPORT_WEIGHT)]
    closed = slice_words.closed(facts)
    order = rng.permutation(len(closed))[: _TEXTS - 1]
    return texts + [Taught(question=closed[int(i)].question, answer=closed[int(i)].answer) for i in order]


def _drawn(texts: Sequence[Taught], rng: np.random.Generator) -> list[Taught]:
    return [texts[int(i)] for i in rng.permutation(_TEXTS) % len(texts)]


def _marks(kind: Tensor, truth: Tensor) -> Tensor:
    of_kind = torch.arange(len(LABELS))[None, :, None, None] == kind[:, None, None, None]
    return (of_kind & (truth > 0.5)).float()


def _recoloured(asked: Sequence[Asked], rng: np.random.Generator) -> Tensor:
    image = torch.from_numpy(np.stack([one.image for one in asked])).unsqueeze(1).float() / 255.0
    return augment.recoloured(image, torch.Generator().manual_seed(int(rng.integers(2**62))))
