"""How brain-extractor was made: made-up heads in any contrast, a 3-D U-Net, a threshold from validation, one test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from export_onnx import graphs, package
from export_onnx.finished import finished
from export_onnx.models.volume_net import Probabilities, VolumeNet
from export_onnx.parity import Proof, prove
from export_onnx.training import loop
from export_onnx.training.brain_card import card
from export_onnx.training.brain_cohort import Drawn, anatomies, made_up
from export_onnx.training.brain_manifest import GRAPH, PREPROCESS, graph, manifest
from export_onnx.training.shipped import Order
from inference.algorithms import Runtime, Scorer
from inference.algorithms.segment import Segmenter
from inference.bundle import Bundle, parity_names
from inference.evaluation.cases import Case
from inference.evaluation.folders import cases
from inference.evaluation.run import evaluate
from inference.imaging.preprocess import prepare
from inference.manifests.identity import TrainingRun
from inference.synthetic.head import synthetic_head

REAL_HEADS = "heads-with-brain"
"""Folder below `--data` with real heads and brain masks of another program; tested on, never learnt from."""

FIRST, SECOND = "checkpoint.pt", "refinement.pt"
"""Checkpoints of the two parts of the training."""

_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in; no anatomy stands in two of the three ranges of seeds.

    `schedule` learns with surroundings that are rougher than brain, `refinement` goes on with such that are alike.
    """

    training: range
    validation: range
    test: range
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    schedule: loop.Schedule
    refinement: loop.Schedule


REAL = Setting(
    training=range(50_000, 50_064),
    validation=range(60_000, 60_008),
    test=range(70_000, 70_016),
    widths=(24, 48, 96, 128),
    depths=(1, 1, 2, 2),
    schedule=loop.Schedule(seed=1, iterations=3_000, learning_rate=1e-3, average=0.998, bfloat16=True),
    refinement=loop.Schedule(seed=2, iterations=900, learning_rate=5e-4, average=0.99, bfloat16=True),
)
QUICK = Setting(
    training=range(50_000, 50_002),
    validation=range(60_000, 60_001),
    test=range(70_000, 70_002),
    widths=(8, 8, 8, 8),
    depths=(1, 1, 1, 1),
    schedule=loop.Schedule(seed=1, iterations=4, learning_rate=1e-3, average=0.9),
    refinement=loop.Schedule(seed=2, iterations=2, learning_rate=1e-3, average=0.9),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train brain-extractor` asks; its heads are made up, so that it knows no fold."""
    return train(order.data, order.out, QUICK if order.quick else REAL, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, command: str, report: Report) -> Bundle:
    """From nothing to the bundle with its card.

    Parameters
    ----------
    data
        Folder that may hold `heads-with-brain`.
    out
        Folder for made anatomies, checkpoint, weights and the bundle's folder. A run that was stopped goes on.
    setting
        `REAL` or `QUICK`.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    network = fit(setting, out, report)
    whole = Probabilities(network).eval()
    threshold = chosen(whole, setting, out, report)
    bundle = _packaged(whole, threshold, setting, out, command)
    reader = Segmenter.opened(bundle, Runtime(providers=("cpu",), threads=0))
    figures = tested(reader, data, setting, out, report)
    took = " ".join((f"First part: {loop.took(out / FIRST)}", f"Refinement: {loop.took(out / SECOND)}"))
    return finished(bundle, figures, lambda manifest, told: card(manifest, told, took=took), out)


def fit(setting: Setting, out: Path, report: Report) -> VolumeNet:
    """Train the network; a run that was stopped goes on from its checkpoints."""
    heads = anatomies(setting.training, out, report)
    torch.manual_seed(setting.schedule.seed)
    network: nn.Module = VolumeNet(setting.widths, setting.depths).to(loop.device())
    for schedule, name, alike in ((setting.schedule, FIRST, False), (setting.refinement, SECOND, True)):
        drawn = Drawn(heads, schedule.seed, loop.device(), alike=alike)
        network = _trained(network, drawn, schedule, out / name, report)
    if not isinstance(network, VolumeNet):
        raise TypeError("the loop gave back another network")
    return network.cpu()


def _trained(network: nn.Module, drawn: Drawn, schedule: loop.Schedule, checkpoint: Path, report: Report) -> nn.Module:
    lately: list[float] = []

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        scan = drawn.at(step)
        return overlap_loss(learning(scan.image).float(), scan.brain)

    def told(step: int, loss: float) -> None:
        lately.append(loss)
        if step % 50 == 0 or step == schedule.iterations:
            report(f"{checkpoint.stem}: step {step} of {schedule.iterations}, loss {sum(lately) / len(lately):.3f}")
            lately.clear()

    return loop.train(network, schedule, step_loss, checkpoint, told)


def overlap_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy and 1 - Dice, both (batch, 1, slice, row, column)."""
    probability = torch.sigmoid(logits)
    overlap = (2.0 * (probability * truth).sum() + 1.0) / (probability.sum() + truth.sum() + 1.0)
    return functional.binary_cross_entropy_with_logits(logits, truth) + 1.0 - overlap


def chosen(whole: nn.Module, setting: Setting, out: Path, report: Report) -> float:
    """The threshold with the best mean Dice over the validation heads in every contrast."""
    dice = []
    for _, some in made_up(setting.validation, out, report):
        for case in some:
            labelled = case.load()
            prepared = prepare(labelled.image.volume, PREPROCESS, labelled.image.modality).array
            with torch.inference_mode():
                found = whole(torch.from_numpy(prepared)[None, None])[0, 0].numpy()
            dice.append([_dice(found >= threshold, labelled.truth) for threshold in _THRESHOLDS])
    means = np.mean(dice, axis=0)
    report("validation: " + ", ".join(f"Dice {m:.4f} from {t:g}" for t, m in zip(_THRESHOLDS, means, strict=True)))
    return _THRESHOLDS[int(means.argmax())]


def tested(reader: Scorer, data: Path, setting: Setting, out: Path, report: Report) -> dict[str, Any]:
    """Figures over made-up heads in every contrast, and over real ones where they are there."""
    figures = evaluate(reader, made_up(setting.test, out, report), lambda *_: None)
    if (data / REAL_HEADS).is_dir():
        real: Sequence[Case] = cases(data / REAL_HEADS)
        figures["subsets"].insert(0, evaluate(reader, [(REAL_HEADS, real)], lambda *_: None)["subsets"][0])
    return figures


def _dice(found: np.ndarray[Any, np.dtype[np.bool_]], truth: np.ndarray[Any, np.dtype[np.bool_]] | None) -> float:
    if truth is None:
        raise ValueError("a made-up head comes with its truth")
    return float(2.0 * (found & truth).sum() / max(int(found.sum()) + int(truth.sum()), 1))


def _packaged(whole: Probabilities, threshold: float, setting: Setting, out: Path, command: str) -> Bundle:
    weights = out / "brain-extractor.pt"
    torch.save({name: value.half() for name, value in whole.network.state_dict().items()}, weights)
    exported, proof = _exported(whole)
    draft = manifest(
        whole.network,
        threshold=threshold,
        architecture=f"VolumeNet{setting.widths}{setting.depths}",
        weights=weights,
        run=TrainingRun(
            command=command,
            seed=setting.schedule.seed,
            data=_data(setting),
            parameters=sum(p.numel() for p in whole.network.parameters()),
            iterations=setting.schedule.iterations + setting.refinement.iterations,
        ),
    )
    inputs, expected = parity_names("segment")
    files = {GRAPH: exported, inputs: package.npz(proof.inputs), expected: package.npz(proof.expected)}
    return package.write(out, draft, files, {})


def _exported(whole: nn.Module) -> tuple[bytes, Proof]:
    """The graph, and its proof on the middle of a made-up head."""
    head = synthetic_head(7, lesions=0, spacing_mm=(4.0, 4.0, 4.0))
    image = prepare(head.image.volume, PREPROCESS).array[16:80, 16:96, 16:80]
    image = np.ascontiguousarray(image[:, :, : image.shape[2] // 16 * 16])[None, None]
    data = graphs.exported(
        whole, torch.from_numpy(image), names=("image", "probability"), free_axes={"image": (2, 3, 4)}
    )
    return data, prove(whole, data, graph(), image)


def _data(setting: Setting) -> str:
    def span(seeds: range) -> str:
        return f"{seeds.start} to {seeds.stop - 1}"

    return (
        f"made-up heads by seed, no anatomy in two parts: training {span(setting.training)}, each step another "
        f"deformation, contrast and scanner, validation {span(setting.validation)}, test {span(setting.test)}; brains "
        "grown from the ICBM 2009a template (MNI/McGill licence, see NOTICE), skull and soft parts drawn"
    )
