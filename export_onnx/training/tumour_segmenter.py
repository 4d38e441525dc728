"""How tumour-segmenter was made: labelled slices, a residual U-Net, choices from validation, one look at the test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from export_onnx import graphs, package
from export_onnx.finished import finished
from export_onnx.models.tumour_net import TumourMaps, TumourNet
from export_onnx.parity import Proof, prove
from export_onnx.training import loop
from export_onnx.training.choice import Choice, chosen, fitted_temperature, mean_logs
from export_onnx.training.shipped import Order
from export_onnx.training.slices import Slices, Split, slices, split
from export_onnx.training.tumour_card import segmenter_card
from export_onnx.training.tumour_fit import Drawn, class_loss, predicted, tumour_loss
from export_onnx.training.tumour_manifest import GRAPH, KINDS, graph, preprocess, segmenter_manifest, training_run
from inference.algorithms import Runtime, Scorer
from inference.algorithms.segment import Segmenter
from inference.bundle import Bundle, parity_names
from inference.evaluation.cases import Case
from inference.evaluation.folders import cases
from inference.evaluation.run import evaluate
from inference.imaging.preprocess import prepare
from inference.synthetic.head import synthetic_head

WITH_TUMOUR, WITHOUT_TUMOUR = "brain-tumour-t1c", "brain-no-tumour"
"""Folders it learns from, below `--data`."""

VOLUMES = "brain-tumour-progression"
"""Folder it is tested on and learns nothing from."""

_CLASS_SHARE = 0.3  # of the loss: what kind it is, beside where
_ENOUGH = 0.001  # Dice on validation that looking at the mirrored slice too must win to be worth twice the time

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in."""

    size: int
    batch: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    schedule: loop.Schedule


REAL = Setting(
    size=192,
    batch=16,
    widths=(24, 48, 80, 128, 176),
    depths=(1, 1, 2, 2, 2),
    schedule=loop.Schedule(seed=1, iterations=6_000, learning_rate=2e-3, average=0.998, bfloat16=True),
)
QUICK = Setting(
    size=64,
    batch=4,
    widths=(8, 8, 8, 8),
    depths=(1, 1, 1, 1),
    schedule=loop.Schedule(seed=1, iterations=20, learning_rate=2e-3, average=0.9),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train tumour-segmenter` asks."""
    setting = QUICK if order.quick else REAL
    return train(order.data, order.out, setting, order.fold, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, fold: int, command: str, report: Report) -> Bundle:
    """From labelled slices to the bundle with its card.

    Parameters
    ----------
    data
        Folder that holds `brain-tumour-t1c` and `brain-no-tumour`.
    out
        Folder for prepared slices, checkpoint, weights and the bundle's folder. A run that was stopped goes on.
    setting
        `REAL` or `QUICK`.
    fold
        Left out and looked at once, at the end.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    with_tumour, without = cases(data / WITH_TUMOUR), cases(data / WITHOUT_TUMOUR)
    made = slices([*with_tumour, *without], preprocess(setting.size), out / "prepared", report)
    divided = split(made, fold)
    report(
        f"{len(divided.training)} slices to learn from, {len(divided.validation)} to choose, {len(divided.test)} kept"
    )
    network = fit(made, divided, setting, out / "checkpoint.pt", report)
    maps, choice = choose(network, made, divided, report)
    bundle = _packaged(maps, choice, made, divided, setting, fold, out, command)
    reader = Segmenter.opened(bundle, Runtime(providers=("cpu",), threads=0))
    figures = tested(reader, data, fold)
    took = loop.took(out / "checkpoint.pt")
    return finished(
        bundle,
        figures,
        lambda manifest, told: segmenter_card(manifest, told, fold=fold, size=setting.size, took=took),
        out,
    )


def fit(made: Slices, divided: Split, setting: Setting, checkpoint: Path, report: Report) -> TumourNet:
    """Train the network; a run that was stopped goes on from its checkpoint."""
    torch.manual_seed(setting.schedule.seed)
    where = loop.device()
    network = TumourNet(len(KINDS), setting.widths, setting.depths).to(where)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stubs lack the keyword alone
    drawn = Drawn(made, divided.training, KINDS, setting.schedule.seed, setting.batch)

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        batch = drawn.at(step)
        image = batch.image.to(where, memory_format=torch.channels_last)
        truth, kind = batch.truth.to(where), batch.kind.to(where)
        tumour, kinds = learning(image)
        return tumour_loss(tumour, truth) + _CLASS_SHARE * class_loss(kinds, truth, kind)

    def told(step: int, loss: float) -> None:
        if step % 50 == 0 or step == setting.schedule.iterations:
            report(f"step {step} of {setting.schedule.iterations}, loss {loss:.3f}")

    trained = loop.train(network, setting.schedule, step_loss, checkpoint, told)
    if not isinstance(trained, TumourNet):
        raise TypeError("the loop gave back another network")
    return trained.cpu()


def choose(network: TumourNet, made: Slices, divided: Split, report: Report) -> tuple[TumourMaps, Choice]:
    """Mirrored too or not, threshold, least peak and temperature: all on validation."""
    options = []
    for mirrored in (False, True):
        maps = TumourMaps(network, mirrored=mirrored).eval()
        choice = _choice(maps, made, divided.validation)
        report(f"validation, {'mirrored too' if mirrored else 'as it is'}: {choice}")
        options.append((maps, choice))
    plain, both = options
    return both if both[1].dice >= plain[1].dice + _ENOUGH else plain


def _choice(maps: nn.Module, made: Slices, validation: np.ndarray[Any, np.dtype[np.int_]]) -> Choice:
    found = predicted(maps, made.image[validation])
    label = made.label[validation]
    shown = label != ""
    logs = mean_logs(found[shown, 0], found[shown, 1:])
    wanted = np.array([KINDS.index(text) for text in label[shown].tolist()])
    temperature = fitted_temperature(logs, wanted, made.patient[validation][shown].tolist())
    return chosen(found[:, 0], made.truth[validation] > 127, temperature)


def _packaged(  # each a part of the bundle
    maps: TumourMaps,
    choice: Choice,
    made: Slices,
    divided: Split,
    setting: Setting,
    fold: int,
    out: Path,
    command: str,
) -> Bundle:
    weights = out / "tumour-segmenter.pt"
    torch.save({name: value.half() for name, value in maps.network.state_dict().items()}, weights)
    data, proof = _exported(maps, setting.size)
    manifest = segmenter_manifest(
        maps.network,
        size=setting.size,
        choice=choice,
        architecture=f"TumourNet{setting.widths}{setting.depths}" + (", mirrored too" if maps.mirrored else ""),
        weights=weights,
        run=training_run(maps.network, setting.schedule, command, said(made, divided, fold)),
    )
    inputs, expected = parity_names("segment")
    files = {GRAPH: data, inputs: package.npz(proof.inputs), expected: package.npz(proof.expected)}
    return package.write(out, manifest, files, {})


def _exported(maps: TumourMaps, size: int) -> tuple[bytes, Proof]:
    """The graph, and its proof on slices of a made-up head: no patient's picture travels with a bundle."""
    head = synthetic_head(7, lesions=2, spacing_mm=(8.0, 2.0, 2.0))
    middle = len(head.image.volume.array) // 2
    image = prepare(head.image.volume[middle : middle + 2], preprocess(size)).array[:, None]
    data = graphs.exported(
        maps, torch.from_numpy(image), names=("image", "probability"), free_axes={"image": (0, 2, 3)}
    )
    return data, prove(maps, data, graph(), image)


def tested(reader: Scorer, data: Path, fold: int) -> dict[str, Any]:
    """Figures over the fold that was kept, and over whole volumes of another hospital where they are there too."""
    kept: list[tuple[str, Sequence[Case]]] = [
        (name, [case for case in cases(data / name) if case.fold == fold]) for name in (WITH_TUMOUR, WITHOUT_TUMOUR)
    ]
    figures = evaluate(reader, kept, lambda *_: None)
    if (data / VOLUMES).is_dir():
        volumes: Sequence[Case] = cases(data / VOLUMES)
        figures["subsets"].append(evaluate(reader, [(VOLUMES, volumes)], lambda *_: None)["subsets"][0])
    return figures


def said(made: Slices, divided: Split, fold: int) -> tuple[str, ...]:
    """How the data were divided, a clause for each part."""
    parts = {"learnt from": divided.training, "chosen on": divided.validation, f"tested on fold {fold}": divided.test}
    return tuple(
        f"{name} {int(shown.sum())} slices with tumour of {len(set(made.patient[indices][shown].tolist()))} patients "
        f"and {int((~shown).sum())} slices without"
        for name, indices in parts.items()
        for shown in (made.label[indices] != "",)
    )
