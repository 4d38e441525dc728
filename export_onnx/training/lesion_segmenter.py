"""How lesion-segmenter was made: synthetic heads, a 2.5-D U-Net, a threshold from validation, one look at the test."""

import json
import tempfile
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export_onnx import graphs, package
from export_onnx.models.unet import Probabilities, UNet
from export_onnx.parity import Proof, prove
from export_onnx.training.card import card
from export_onnx.training.cohort import Case, case, patient
from export_onnx.training.fit import Plan, fit, predict
from export_onnx.training.lesion_manifest import (
    GRAPH,
    NAME,
    PREPROCESS,
    SPACING_MM,
    THRESHOLD,
    VERSION,
    Setting,
    graph,
    manifest,
)
from export_onnx.training.lesion_scores import CaseScore, score, subset
from export_onnx.training.shipped import Order
from inference.algorithms import Runtime
from inference.algorithms.segment import Segmenter
from inference.bundle import Bundle, parity_names
from inference.findings import Mask
from inference.imaging.components import Component, components
from inference.manifests.identity import Metric

_LEAST_PEAKS = (0.5, 0.8, 0.9, 0.95, 0.98)
_LEAST_VOLUMES_MM3 = (0.0, 32.0, 64.0, 128.0)
_MOST_FALSE_REGIONS = 0.1  # in a scan of the validation
_GRID = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])

Report = Callable[[str], None]


REAL = Setting(
    training=range(1_000, 1_160),
    validation=range(2_000, 2_030),
    test=range(6_000, 6_060),
    widths=(16, 32, 64, 96),
    plan=Plan(seed=1, iterations=2_000, batch=16, crop=80, neighbours=2, learning_rate=3e-3),
)
QUICK = Setting(
    training=range(1_000, 1_003),
    validation=range(2_000, 2_001),
    test=range(3_000, 3_002),
    widths=(4, 8),
    plan=Plan(seed=1, iterations=4, batch=2, crop=64, neighbours=2, learning_rate=3e-3),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train lesion-segmenter` asks; its heads are made up, so that it knows no fold."""
    return train(order.data, order.out, QUICK if order.quick else REAL, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, command: str, report: Report) -> Bundle:
    """From nothing to the bundle with its card.

    Parameters
    ----------
    data
        Folder that keeps the made-up heads, for a second run.
    out
        Folder for checkpoint, weights and the bundle's folder. A run that was stopped goes on from its checkpoint.
    setting
        `REAL` or `QUICK`.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(setting.plan.seed)
    network = UNet(2 * setting.plan.neighbours + 1, 1, setting.widths)
    learnt = _cases(setting.training, data, "training", report)
    fit(network, learnt, setting.plan, out / "checkpoint.pt", lambda step, loss: _told(step, loss, setting, report))
    peak, least = _chosen(network, _cases(setting.validation, data, "validation", report), setting.plan)
    report(f"chosen on validation: least peak {peak}, least volume {least:.0f} mm3")
    weights = out / f"{NAME}-{VERSION}.pt"
    torch.save(network.state_dict(), weights)
    exported, proof = _exported(network, setting, learnt[0])
    report(f"torch and ONNX Runtime differ by {proof.max_abs:.2g}")
    draft = manifest(network, setting, weights, command, (peak, least))
    inputs, expected = parity_names("segment")
    files = {GRAPH: exported, inputs: package.npz(proof.inputs), expected: package.npz(proof.expected)}
    with tempfile.TemporaryDirectory() as folder:
        subsets = _tested(package.write(Path(folder), draft, files, {}), setting.test, report)
    final = draft.model_copy(update={"metrics": _metrics(subsets)})
    bundle = package.write(out, final, files, {})
    figures = {"bundle": f"{NAME}-{VERSION}", "digest": bundle.digest, "subsets": subsets}
    notes = {
        "metrics.json": json.dumps(figures, indent=2).encode() + b"\n",
        "MODEL_CARD.md": card(bundle, subsets, proof.max_abs).encode(),
    }
    return package.write(out, final, files, notes)


def _cases(seeds: range, data: Path, name: str, report: Report) -> list[Case]:
    cases = []
    for number, seed in enumerate(seeds, start=1):
        cases.append(case(seed, PREPROCESS, data))
        if number % 20 == 0 or number == len(seeds):
            report(f"{name}: {number} of {len(seeds)} heads")
    return cases


def _told(step: int, loss: float, setting: Setting, report: Report) -> None:
    if step % 50 == 0 or step == setting.plan.iterations:
        report(f"step {step} of {setting.plan.iterations}, loss {loss:.3f}")


def _chosen(network: nn.Module, cases: Sequence[Case], plan: Plan) -> tuple[float, float]:
    """Least peak and least volume: most lesions touched with at most 0.1 false regions a scan, then best Dice,
    then the gentlest.
    """
    judged = [_judged(predict(network, c.image, plan.neighbours), c) for c in cases]
    ranked = []
    for peak, least in product(_LEAST_PEAKS, _LEAST_VOLUMES_MM3):
        scores = [
            score(lesions, [r.region for r, p in found if p >= peak and r.volume_mm3 >= least], voxels)
            for lesions, found, voxels in judged
        ]
        false_regions = sum(s.false_positives for s in scores) / len(scores)
        touched = sum(s.touched for s in scores)
        dice = sum(s.dice for s in scores) / len(scores)
        ranked.append((false_regions <= _MOST_FALSE_REGIONS, touched, dice, -peak, -least))
    *_, peak, least = max(ranked)
    return -peak, -least


def _judged(probability: NDArray[np.float32], case: Case) -> tuple[list[Mask], list[tuple[Component, float]], int]:
    """Lesions, marked regions with their peaks, and the number of voxels."""
    lesions = [part.region for part in components(case.truth > 127, _GRID)]
    marked = components(probability >= THRESHOLD, _GRID)
    return lesions, [(part, float(probability[tuple(part.indices.T)].max())) for part in marked], probability.size


def _exported(network: nn.Module, setting: Setting, example: Case) -> tuple[bytes, Proof]:
    whole = Probabilities(network).eval()
    inputs = _parity_inputs(example, setting.plan.neighbours)
    data = graphs.exported(
        whole, torch.from_numpy(inputs), names=("image", "probability"), free_axes={"image": (0, 2, 3)}
    )
    return data, prove(whole, data, graph(setting), inputs)


def _parity_inputs(example: Case, neighbours: int) -> NDArray[np.float32]:
    """Two pieces of a head, (2, channel, 64, 64)."""
    middle = len(example.image) // 2
    row, column = (length // 2 - 32 for length in example.image.shape[1:])
    pieces = [
        example.image[k - neighbours : k + neighbours + 1, row : row + 64, column : column + 64]
        for k in (middle, middle + 10)
    ]
    return (np.stack(pieces) / 255.0).astype(np.float32)


def _tested(bundle: Bundle, seeds: range, report: Report) -> list[dict[str, object]]:
    """Read the test patients once, as a node would, each scan on its own grid."""
    reader = Segmenter.opened(bundle, Runtime(providers=("cpu",), threads=0))
    scores: list[CaseScore] = []
    for number, seed in enumerate(seeds, start=1):
        head = patient(seed)
        found = reader.read(head.image)
        regions = [finding.region for finding in found.findings if finding.region is not None]
        scores.append(score([lesion.mask for lesion in head.lesions], regions, head.brain.size))
        if number % 10 == 0 or number == len(seeds):
            report(f"test: {number} of {len(seeds)} heads")
    groups = {
        "synthetic-with-lesion": [s for s in scores if s.lesions],
        "synthetic-healthy": [s for s in scores if not s.lesions],
        "all": scores,
    }
    return [subset(name, group) for name, group in groups.items() if group]


def _metrics(subsets: Sequence[dict[str, object]]) -> tuple[Metric, ...]:
    return tuple(
        Metric.model_validate(
            {
                "name": name,
                "value": figure["value"],
                "ci95": figure["ci95"],
                "n": part["n_patients"],
                "unit": "patients",
                "split": part["name"],
            }
        )
        for part in subsets
        for name, figure in part["metrics"].items()  # type: ignore[attr-defined]
    )
