"""How mini-image-dialogue was made: tumour slices with texts from their masks, and pictures people asked about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from highdicom import Volume
from numpy.typing import NDArray

from export_onnx.evaluated import evaluated
from export_onnx.finished import finished
from export_onnx.models.decoder import DecoderSizes
from export_onnx.models.mini_vision import MiniSizes
from export_onnx.training import loop, slice_words
from export_onnx.training import talk_test_pictures as test_pictures
from export_onnx.training.mini_dialogue_manifest import NAME, SIZE, VERSION, card_words, values
from export_onnx.training.mini_talk import exported, learn
from export_onnx.training.record import checkpoint
from export_onnx.training.shipped import Order
from export_onnx.training.slices import slices, split
from export_onnx.training.talk_batches import Encoder, Taught
from export_onnx.training.talk_card import talk_card
from export_onnx.training.talk_pictures_drawn import Asked, DrawnPictures
from export_onnx.training.talk_tokenizer import chat_of, tokenizer_of
from export_onnx.training.tumour_manifest import KINDS as LABELS
from export_onnx.training.tumour_manifest import SOURCES, preprocess
from export_onnx.training.tumour_segmenter import WITH_TUMOUR, WITHOUT_TUMOUR, said
from inference.algorithms.image_dialogue import UPRIGHT
from inference.bundle import Bundle
from inference.evaluation.folders import cases
from inference.evaluation.questions import Question, questions
from inference.imaging.preprocess import prepare
from inference.manifests.identity import TrainingRun
from inference.synthetic.head import synthetic_head

TEST = "tumour-questions"
"""Folder that questions about the kept fold are written to, below `--out`."""

QUESTIONS = "vqa-rad"
"""Folder of pictures with questions, below `--data`."""

_VOCABULARY = 1024
_MAX_TOKENS = 512

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in."""

    batch: int
    sizes: MiniSizes
    decoder: DecoderSizes
    schedule: loop.Schedule


REAL = Setting(
    batch=16,
    sizes=MiniSizes(
        shape=(SIZE, SIZE),
        channels=3,
        stages=((24, (2, 2), 1), (48, (2, 2), 2), (96, (2, 2), 2), (128, (2, 2), 1)),
        kinds=len(LABELS),
        marked_at=2,
        pool=1,
        width=160,
        blocks=3,
        heads=5,
    ),
    decoder=DecoderSizes(
        vocabulary=_VOCABULARY, hidden=160, inner=448, layers=4, heads=5, shared_heads=5, head=32, epsilon=1e-5
    ),
    schedule=loop.Schedule(
        seed=1, iterations=3_000, learning_rate=1.5e-3, betas=(0.9, 0.99), average=0.998, bfloat16=True
    ),
)
QUICK = Setting(
    batch=4,
    sizes=MiniSizes(
        shape=(SIZE, SIZE),
        channels=3,
        stages=((8, (4, 4), 0), (16, (4, 4), 0)),
        kinds=len(LABELS),
        marked_at=0,
        pool=2,
        width=16,
        blocks=1,
        heads=2,
    ),
    decoder=DecoderSizes(
        vocabulary=_VOCABULARY, hidden=16, inner=32, layers=1, heads=2, shared_heads=2, head=8, epsilon=1e-5
    ),
    schedule=loop.Schedule(seed=1, iterations=4, learning_rate=1e-3, average=0.9),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train mini-image-dialogue` asks."""
    setting = QUICK if order.quick else REAL
    return train(order.data, order.out, setting, order.fold, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, fold: int, command: str, report: Report) -> Bundle:
    """From labelled slices and asked pictures to the bundle with its card.

    Parameters
    ----------
    data
        Folder that holds `brain-tumour-t1c`, `brain-no-tumour` and `vqa-rad`.
    out
        Folder for prepared slices, checkpoint, weights and the bundle's folder. A run that was stopped goes on.
    setting
        `REAL` or `QUICK`.
    fold
        Of patients and of pictures: left out and looked at once, at the end.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    both = [*cases(data / WITH_TUMOUR), *cases(data / WITHOUT_TUMOUR)]
    made = slices(both, preprocess(SIZE), out / "prepared", report)
    divided = split(made, fold)
    learnt = [question for question in questions(data / QUESTIONS) if question.fold != fold]
    asked = asked_pictures(learnt)
    tokenizer = tokenizer_of(_texts(asked), _VOCABULARY)
    chat = chat_of(tokenizer)
    indices = np.concatenate([divided.training, divided.validation])  # nothing is chosen on validation
    drawn = DrawnPictures(
        made, indices, asked, Encoder(tokenizer, chat), seed=setting.schedule.seed, batch=setting.batch
    )
    schedules = None, setting.schedule
    network = learn(setting.sizes, setting.decoder, drawn.at, schedules, out / "checkpoint.pt", report)
    weights = out / f"{NAME}-{VERSION}.pt"
    torch.save(network.state_dict(), weights)
    made_by = TrainingRun(
        command=command,
        seed=setting.schedule.seed,
        data="; ".join((SOURCES, _questions_said(learnt), *said(made, divided, fold))),
        parameters=sum(p.numel() for p in network.parameters()),
        iterations=setting.schedule.iterations,
    )
    record = checkpoint(f"MiniTalker({setting.sizes}, {setting.decoder})", weights)
    bundle = exported(network, out, tokenizer, values(chat, record, made_by), _MAX_TOKENS, _example())
    test_pictures.write(both, made, fold, out / TEST)
    figures = evaluated(bundle.path, [out / TEST, data / QUESTIONS], "--fold", str(fold))
    took = loop.took(out / "checkpoint.pt")
    return finished(
        bundle,
        {**figures, "subsets": figures["subsets"][:2]},  # each folder by itself
        lambda manifest, told: talk_card(manifest, told, words=card_words(fold), took=took),
        out,
    )


def _example() -> NDArray[np.float32]:
    """A slice of a made-up head as the vision graph takes it: no patient's picture travels with a bundle."""
    head = synthetic_head(7, lesions=2, spacing_mm=(8.0, 2.0, 2.0))
    middle = len(head.image.volume.array) // 2
    plane = prepare(head.image.volume[middle : middle + 1], preprocess(SIZE)).array[0]
    return np.repeat(plane[np.newaxis, np.newaxis].astype(np.float32), 3, axis=1)


def asked_pictures(asked: Sequence[Question]) -> list[Asked]:
    """Pictures with their questions, in the order of their names, as a node sees them."""
    by_picture: dict[str, list[Question]] = {}
    for question in asked:
        by_picture.setdefault(question.image, []).append(question)
    return [_asked(by_picture[name]) for name in sorted(by_picture)]


def _asked(about: Sequence[Question]) -> Asked:
    grey = about[0].load().mean(axis=2, dtype=np.float32)[np.newaxis]
    plane = prepare(Volume(grey, UPRIGHT, coordinate_system="PATIENT"), preprocess(SIZE)).array[0]
    texts = tuple(Taught(question=q.text, answer=q.answer.strip().lower()) for q in about)
    return Asked(image=np.rint(np.clip(plane, 0.0, 1.0) * 255.0).astype(np.uint8), texts=texts)


def _texts(asked: Sequence[Asked]) -> list[str]:
    """All that is asked and answered, those of slices for masks here and there."""
    found = [text for one in asked for each in one.texts for text in (each.question, each.answer)]
    tenths = [number / 10.0 for number in range(1, 10)]
    for kind in slice_words.KINDS:
        for row, column, share in product(tenths, tenths, (0.004, 0.01, 0.02, 0.05)):
            facts = slice_words.SliceFacts(kind=kind, row=row, column=column, share=share)
            for exchange in (*slice_words.closed(facts), slice_words.report(facts)):
                found += [exchange.question, exchange.answer, *exchange.options]
    for exchange in (*slice_words.closed(None), slice_words.report(None)):
        found += [exchange.question, exchange.answer]
    return found


def _questions_said(learnt: Sequence[Question]) -> str:
    pictures = len({question.image for question in learnt})
    return f"VQA-RAD, OSF (CC0): learnt from {len(learnt)} questions about {pictures} pictures"
