"""How mini-volume-report was made: made-up heads, texts written from their facts, one network that looks and speaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export_onnx.evaluated import evaluated
from export_onnx.finished import finished
from export_onnx.models.decoder import DecoderSizes
from export_onnx.models.mini_vision import MiniSizes
from export_onnx.training import loop
from export_onnx.training import talk_test_heads as test_heads
from export_onnx.training import volume_words as words
from export_onnx.training.mini_talk import exported, learn
from export_onnx.training.mini_volume_manifest import CARD, NAME, PREPROCESS, SHAPE, VERSION, values
from export_onnx.training.record import checkpoint
from export_onnx.training.shipped import Order
from export_onnx.training.talk_batches import Encoder
from export_onnx.training.talk_card import talk_card
from export_onnx.training.talk_heads import TalkHead, talk_heads
from export_onnx.training.talk_heads_drawn import DrawnHeads, taught
from export_onnx.training.talk_tokenizer import chat_of, tokenizer_of
from inference.bundle import Bundle
from inference.manifests.identity import TrainingRun

TEST = "mini-volume-report-test"
"""Folder that the heads of the test are written to, below `--data`."""

_VOCABULARY = 512
_MAX_TOKENS = 512
_RARE = 20.0  # a marked cell counts as so many others

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in; the seeds are those of made-up patients."""

    training: range
    test: range
    batch: int
    sizes: MiniSizes
    decoder: DecoderSizes
    marks: loop.Schedule
    schedule: loop.Schedule


REAL = Setting(
    training=range(40_000, 40_800),
    test=range(60_000, 60_160),
    batch=14,
    sizes=MiniSizes(
        shape=SHAPE,
        channels=1,
        stages=((16, (2, 2, 2), 1), (32, (1, 2, 2), 2), (96, (2, 2, 2), 1)),
        kinds=len(words.KINDS),
        marked_at=1,
        pool=2,
        width=160,
        blocks=3,
        heads=5,
    ),
    decoder=DecoderSizes(
        vocabulary=_VOCABULARY, hidden=160, inner=448, layers=4, heads=5, shared_heads=5, head=32, epsilon=1e-5
    ),
    marks=loop.Schedule(seed=1, iterations=800, learning_rate=1.5e-3, betas=(0.9, 0.99), average=0.99, bfloat16=True),
    schedule=loop.Schedule(
        seed=1, iterations=1_500, learning_rate=1.5e-3, betas=(0.9, 0.99), average=0.995, bfloat16=True
    ),
)
QUICK = Setting(
    training=range(40_000, 40_003),
    test=range(60_000, 60_003),
    batch=2,
    sizes=MiniSizes(
        shape=SHAPE,
        channels=1,
        stages=((8, (4, 4, 4), 0), (16, (2, 2, 2), 0)),
        kinds=len(words.KINDS),
        marked_at=0,
        pool=2,
        width=16,
        blocks=1,
        heads=2,
    ),
    decoder=DecoderSizes(
        vocabulary=_VOCABULARY, hidden=16, inner=32, layers=1, heads=2, shared_heads=2, head=8, epsilon=1e-5
    ),
    marks=loop.Schedule(seed=1, iterations=2, learning_rate=1e-3, average=0.9),
    schedule=loop.Schedule(seed=1, iterations=4, learning_rate=1e-3, average=0.9),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train mini-volume-report` asks; its heads are made up, so that it knows no fold."""
    return train(order.data, order.out, QUICK if order.quick else REAL, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, command: str, report: Report) -> Bundle:
    """From nothing to the bundle with its card.

    Parameters
    ----------
    data
        Folder that keeps the made-up heads, for a second run, and gets those of the test as `evaluate` reads them.
    out
        Folder for checkpoint, weights and the bundle's folder. A run that was stopped goes on from its checkpoint.
    setting
        `REAL` or `QUICK`.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    heads = talk_heads(setting.training, PREPROCESS, data, report)
    tokenizer = tokenizer_of(_texts(heads), _VOCABULARY)
    chat = chat_of(tokenizer)
    drawn = DrawnHeads(heads=heads, encoder=Encoder(tokenizer, chat), seed=setting.schedule.seed, batch=setting.batch)
    schedules = setting.marks, setting.schedule
    network = learn(setting.sizes, setting.decoder, drawn.at, schedules, out / "checkpoint.pt", report, rare=_RARE)
    weights = out / f"{NAME}-{VERSION}.pt"
    torch.save(network.state_dict(), weights)
    made_by = TrainingRun(
        command=command,
        seed=setting.schedule.seed,
        data=(
            f"synthetic heads by seed: training {setting.training[0]} to {setting.training[-1]}, test "
            f"{setting.test[0]} to {setting.test[-1]}; grown from the ICBM 2009a template (MNI/McGill, see NOTICE)"
        ),
        parameters=sum(p.numel() for p in network.parameters()),
        iterations=setting.marks.iterations + setting.schedule.iterations,
    )
    record = checkpoint(f"MiniTalker({setting.sizes}, {setting.decoder})", weights)
    bundle = exported(network, out, tokenizer, values(chat, record, made_by), _MAX_TOKENS, _example(heads[0]))
    test_heads.write(setting.test, data / TEST, report)
    figures = evaluated(bundle.path, [data / TEST], "--prompt-mode", "both")
    took = loop.took(out / "checkpoint.pt")
    return finished(
        bundle,
        {**figures, "subsets": figures["subsets"][:1]},  # of one folder; the second is of all together
        lambda manifest, told: talk_card(manifest, told, words=CARD, took=took),
        out,
    )


def _example(head: TalkHead) -> NDArray[np.float32]:
    """A head as the vision graph takes it."""
    example: NDArray[np.float32] = (head.image[np.newaxis, np.newaxis] / 255.0).astype(np.float32)
    return example


def _texts(heads: Sequence[TalkHead]) -> list[str]:
    """Every kind of text that the heads are told of, several times each."""
    found = []
    for head in heads:
        for turn in range(4):
            for text in taught(head.facts, np.random.default_rng([head.seed, 13, turn])):
                found += [text.question, text.answer]
    return found
