"""Batches of made-up heads with their texts: mirrored with their words, shifted, brighter or darker; seeded by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export_onnx.models.mini_talker import Texts
from export_onnx.training import volume_words as words
from export_onnx.training.head_facts import HeadFacts, mirrored
from export_onnx.training.talk_batches import Encoder, Taught
from export_onnx.training.talk_heads import TalkHead
from export_onnx.training.volume_words import Exchange
from inference.synthetic.lesion import Kind

_TEXTS = 6
_REPORT_WEIGHT = 2.0
_SHIFTS = (1, 3, 3)  # voxels along (slice, row, column), at most
_LOCALISED = 0.35  # of the closed questions


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A step's images, texts and marks.

    Attributes
    ----------
    image
        (head, 1, slice, row, column), float32 in [0, 1].
    texts
        Of each head.
    marks
        (head, kind, slice, row, column), float32: 1 where there is a lesion of the kind.
    """

    image: Tensor
    texts: Texts
    marks: Tensor


@dataclass(frozen=True, kw_only=True)
class DrawnHeads:
    """Heads to draw batches from; every step has a draw of its own."""

    heads: Sequence[TalkHead]
    encoder: Encoder
    seed: int
    batch: int

    def at(self, step: int) -> Batch:
        """The batch of a step: every head once before any comes again."""
        rng = np.random.default_rng([self.seed, step])
        chosen = [self._head(step * self.batch + place) for place in range(self.batch)]
        images, kinds, texts = [], [], []
        for head in chosen:
            flipped = bool(rng.random() < 0.5)
            image, marks = _seen(head, rng, flipped=flipped)
            images.append(image)
            kinds.append(marks)
            texts.append(taught(mirrored(head.facts) if flipped else head.facts, rng))
        of_kind = np.arange(1, len(get_args(Kind)) + 1, dtype=np.uint8)[None, :, None, None, None]
        return Batch(
            image=torch.from_numpy(np.stack(images)[:, None]),
            texts=self.encoder.texts(texts),
            marks=torch.from_numpy((np.stack(kinds)[:, None] == of_kind).astype(np.float32)),
        )

    def _head(self, number: int) -> TalkHead:
        turn, place = divmod(number, len(self.heads))
        order = np.random.default_rng([self.seed, 3, turn]).permutation(len(self.heads))
        return self.heads[int(order[place])]


def taught(facts: HeadFacts, rng: np.random.Generator) -> list[Taught]:
    """Some of the texts about a head: its report, closed questions, and where it has lesions what is asked of one."""
    report = words.in_other_words(words.report(facts), rng)
    texts = [Taught(question=report.question, answer=report.answer, weight=_REPORT_WEIGHT)]
    closed = [words.in_other_words(exchange, rng) for exchange in words.closed(facts, rng)]
    if facts:
        lesion = facts[int(rng.integers(len(facts)))]
        texts += [_plain(words.in_other_words(e, rng)) for e in words.of_marked(lesion)]
    first = facts[0] if facts else None
    closed = [words.localised([e], first)[0] if rng.random() < _LOCALISED else e for e in closed]
    order = rng.permutation(len(closed))
    while len(texts) < _TEXTS:
        texts += [_plain(closed[int(i)]) for i in order[: _TEXTS - len(texts)]]
    return texts


def _plain(exchange: Exchange) -> Taught:
    return Taught(question=exchange.question, answer=exchange.answer)


def _seen(head: TalkHead, rng: np.random.Generator, *, flipped: bool) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Image and kinds of one draw."""
    image, kinds = head.image, head.kinds
    if flipped:  # columns run to the left of the patient
        image, kinds = image[:, :, ::-1], kinds[:, :, ::-1]
    shifts = [int(rng.integers(-most, most + 1)) for most in _SHIFTS]
    image, kinds = _shifted(image, shifts), _shifted(kinds, shifts)
    values = image.astype(np.float32) / 255.0
    gamma, gain = float(np.exp(rng.uniform(-0.2, 0.2))), float(rng.uniform(0.9, 1.1))
    noise = float(rng.uniform(0.0, 0.02)) * rng.standard_normal(values.shape, dtype=np.float32)
    changed: NDArray[np.float32] = np.clip(gain * values**gamma + noise, 0.0, 1.0).astype(np.float32)
    return changed, np.ascontiguousarray(kinds)


def _shifted(array: NDArray[np.uint8], shifts: Sequence[int]) -> NDArray[np.uint8]:
    """Moved by whole voxels; what comes in is 0."""
    moved = np.zeros_like(array)
    into = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(shifts, array.shape, strict=True))
    out_of = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(shifts, array.shape, strict=True))
    moved[into] = array[out_of]
    return moved
