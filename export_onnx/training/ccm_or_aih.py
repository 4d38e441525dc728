"""How ccm-or-aih was made: synthetic lesions in T2, a small vision transformer, choices from validation, one test."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import nn

from export_onnx import graphs, package
from export_onnx.finished import finished
from export_onnx.models.lesion_vit import LesionSizes, LesionViT
from export_onnx.parity import Proof, prove
from export_onnx.training import loop
from export_onnx.training.bleeding_cohort import NOTHING, SIDE, STORED_SIDE, Pieces, pieces
from export_onnx.training.bleeding_fit import SIZE_MM, Plan, fit, logits
from export_onnx.training.bleeding_scores import area, subsets
from export_onnx.training.bleeding_test import tested
from export_onnx.training.ccm_or_aih_card import card
from export_onnx.training.ccm_or_aih_manifest import GRAPH, NAME, VERSION, graph, manifest
from export_onnx.training.choice import fitted_temperature
from export_onnx.training.shipped import Order
from inference.algorithms import Runtime
from inference.algorithms.lesion_classifier import LesionClassifier
from inference.bundle import Bundle, parity_names
from inference.catalogue import describe, open_bundle
from inference.fusion import Fusion
from inference.lesion_classes import scaled_size
from inference.manifests.identity import BundleReference

_TEXT_SHIFT, _TEXT_SPREAD = 1.2, 1.5  # of the made-up text scores' log-odds
_RIDGE = 1e-2  # keeps the weights finite where the kinds part wholly

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in.

    Attributes
    ----------
    training, validation, test
        Anatomies by seed; no anatomy stands in two.
    scans, validation_scans, lesions
        Of an anatomy, and planted in a scan.
    plan
        How the network learns.
    compared
        Steps of the short trainings with and without masked pretraining that the card compares; 0: none.
    """

    training: range
    validation: range
    test: range
    scans: int
    validation_scans: int
    lesions: int
    plan: Plan
    compared: int


REAL = Setting(
    training=range(10_000, 10_028),
    validation=range(20_000, 20_012),
    test=range(41_000, 41_020),  # 30000 to 30019 and 40000 to 40019 were spent on earlier networks and brain masks
    scans=4,
    validation_scans=3,
    lesions=4,
    plan=Plan(
        sizes=LesionSizes(width=64, blocks=3, heads=4),
        batch=32,
        schedule=loop.Schedule(seed=1, iterations=1_000, learning_rate=1.5e-3, average=0.99),
        hidden=0.0,
        pretraining=loop.Schedule(seed=1, iterations=400, learning_rate=1.5e-3, average=0.99),
    ),
    compared=200,
)
QUICK = Setting(
    training=range(10_000, 10_002),
    validation=range(20_000, 20_001),
    test=range(30_000, 30_002),
    scans=1,
    validation_scans=1,
    lesions=4,
    plan=Plan(
        sizes=LesionSizes(width=16, blocks=1, heads=2),
        batch=4,
        schedule=loop.Schedule(seed=1, iterations=4, learning_rate=1e-3, average=0.9),
        hidden=0.75,
        pretraining=loop.Schedule(seed=1, iterations=2, learning_rate=1e-3, average=0.9),
    ),
    compared=0,
)


def run(order: Order) -> Bundle:
    """As `export-onnx train ccm-or-aih` asks; its heads are made up, so that it knows no fold."""
    setting = QUICK if order.quick else REAL
    if order.mae is not None:
        setting = replace(setting, plan=replace(setting.plan, hidden=order.mae))
    return train(order.data, order.out, setting, order.command, order.report)


def train(data: Path, out: Path, setting: Setting, command: str, report: Report) -> Bundle:
    """From nothing to the bundle with its card.

    Parameters
    ----------
    data
        Folder that keeps the pieces of the made-up heads, for a second run.
    out
        Folder for checkpoints, weights and the bundle's folder. A run that was stopped goes on from its checkpoints.
    setting
        `REAL` or `QUICK`.
    command
        What started this, for manifest and card.
    report
        Told what is being done.
    """
    learnt = _pieces(setting.training, setting.scans, setting, data, report)
    judged = _pieces(setting.validation, setting.validation_scans, setting, data, report)
    network = fit(learnt, setting.plan, out, report)
    by_lesion = of_lesions(logits(network, judged), judged)
    temperature = fitted_temperature(by_lesion.logits, by_lesion.kind, [str(p) for p in by_lesion.patient])
    fusion = fitted_fusion(by_lesion.odds / temperature, by_lesion.kind == 1)
    report(f"validation: AUC {by_lesion.auc:.4f}, temperature {temperature}, fusion {fusion}")
    pretraining = compared(learnt, judged, setting, out, report)
    bundle = _packaged(network, setting, learnt, out, command, temperature, fusion)
    reader = open_bundle(bundle, out, Runtime(providers=("cpu",), threads=0))
    if not isinstance(reader, LesionClassifier):
        raise TypeError(f"{bundle.path.name} opened as another kind of reader")
    figures = {"bundle": f"{NAME}-{VERSION}", "subsets": subsets(tested(reader, setting.test, report))}
    return finished(bundle, figures, lambda manifest, told: card(manifest, told, pretraining), out)


@dataclass(frozen=True, kw_only=True, eq=False)
class ByLesion:
    """Mean logits of the lesions of some pieces: (lesion, 2), with kind and patient of each."""

    logits: NDArray[np.float64]
    kind: NDArray[np.int64]
    patient: NDArray[np.int64]

    @property
    def odds(self) -> NDArray[np.float64]:
        """Log-odds of haemorrhage."""
        odds: NDArray[np.float64] = self.logits[:, 1] - self.logits[:, 0]
        return odds

    @property
    def auc(self) -> float:
        """Area under the ROC curve over lesions."""
        return float(area(np.ones((1, len(self.kind))), self.odds, self.kind == 1)[0])


def of_lesions(said: NDArray[np.float64], made: Pieces) -> ByLesion:
    """Take the slices of each lesion together."""
    shown = made.kind != NOTHING
    lesions, first = np.unique(made.lesion[shown], return_index=True)
    means = np.array([said[shown][made.lesion[shown] == lesion].mean(axis=0) for lesion in lesions])
    return ByLesion(logits=means, kind=made.kind[shown][first], patient=made.patient[shown][first])


def fitted_fusion(image_odds: NDArray[np.float64], haemorrhage: NDArray[np.bool_]) -> Fusion:
    """Logistic regression on log-odds of the image and made-up log-odds of a text, one line a lesion."""
    rng = np.random.default_rng(20260101)
    text = _TEXT_SHIFT * np.where(haemorrhage, 1.0, -1.0) + _TEXT_SPREAD * rng.standard_normal(len(haemorrhage))
    columns = np.column_stack([np.clip(image_odds, -9.2, 9.2), text, np.ones(len(text))])
    sign = np.where(haemorrhage, 1.0, -1.0)

    def entropy(terms: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -sign * (columns @ terms)).mean() + _RIDGE * (terms**2).sum())

    image_weight, text_weight, intercept = (round(float(v), 3) for v in minimize(entropy, np.zeros(3)).x)
    return Fusion(
        image_weight=image_weight,
        text_weight=text_weight,
        intercept=intercept,
        text=f"made up: log-odds drawn about -{_TEXT_SHIFT} and {_TEXT_SHIFT} with spread {_TEXT_SPREAD}",
    )


def compared(learnt: Pieces, judged: Pieces, setting: Setting, out: Path, report: Report) -> dict[str, float]:
    """AUC over lesions of the validation after a short training without and with masked pretraining; "" for none."""
    told = {}
    for hidden in (0.0, 0.75) if setting.compared else ():
        schedule = replace(setting.plan.schedule, iterations=setting.compared)
        pretraining = replace(setting.plan.pretraining, iterations=setting.compared)
        plan = replace(setting.plan, schedule=schedule, pretraining=pretraining, hidden=hidden)
        network = fit(learnt, plan, out / f"compared-{hidden:g}", report)
        told[f"{hidden:g}"] = of_lesions(logits(network, judged), judged).auc
        report(f"{setting.compared} steps with {hidden:g} hidden before: validation AUC {told[f'{hidden:g}']:.4f}")
    return told


def _pieces(seeds: range, scans: int, setting: Setting, data: Path, report: Report) -> Pieces:
    def told(number: int) -> None:
        if number % 4 == 0 or number == len(seeds):
            report(f"anatomies {seeds.start} to {seeds.stop - 1}: {number} of {len(seeds)}")

    return pieces(seeds, scans, setting.lesions, data, told)


def _packaged(
    network: LesionViT,
    setting: Setting,
    learnt: Pieces,
    out: Path,
    command: str,
    temperature: float,
    fusion: Fusion,
) -> Bundle:
    weights = out / f"{NAME}-{VERSION}.pt"
    torch.save(network.state_dict(), weights)
    exported, proof = _exported(network, learnt)
    run = (command, _data(setting))
    extractor = describe("brain-extractor", None).bundle
    if extractor is None:
        raise TypeError("brain-extractor is no bundle")
    draft = manifest(
        network,
        plan=setting.plan,
        weights=weights,
        run=run,
        extractor=BundleReference(
            name=extractor.manifest.name, version=extractor.manifest.version, digest=extractor.digest
        ),
        temperature=temperature,
        fusion=fusion,
    )
    inputs, expected = parity_names("classify")
    files = {GRAPH: exported, inputs: package.npz(proof.inputs), expected: package.npz(proof.expected)}
    return package.write(out, draft, files, {})


def _exported(network: nn.Module, learnt: Pieces) -> tuple[bytes, Proof]:
    edge = (STORED_SIDE - SIDE) // 2
    crop = learnt.image[:4, :, edge : edge + SIDE, edge : edge + SIDE].astype(np.float32) / np.float32(255.0)
    size = scaled_size(learnt.size_mm[:4], *SIZE_MM)
    data = graphs.exported(
        network.eval(),
        (torch.from_numpy(crop), torch.from_numpy(size)),
        names=(("crop", "size"), "logits"),
        free_axes={"crop": (0,), "size": (0,)},
    )
    return data, prove(network, data, graph(), {"crop": crop, "size": size})


def _data(setting: Setting) -> str:
    def span(seeds: range) -> str:
        return f"{seeds.start} to {seeds.stop - 1}"

    return (
        f"synthetic T2-weighted heads by seed, no anatomy in two parts: training {span(setting.training)} with "
        f"{setting.scans} scans of up to {setting.lesions} lesions each, validation {span(setting.validation)}, test "
        f"{span(setting.test)}; grown from the ICBM 2009a template (MNI/McGill licence, see NOTICE)"
    )
