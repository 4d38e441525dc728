"""ccm-or-aih's way from made-up heads to a bundle that serves, and the figures that it reports."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

import torch

from export_onnx.__main__ import app
from export_onnx.models.lesion_vit import LesionSizes, LesionViT, MaskedAutoencoder
from export_onnx.training import loop
from export_onnx.training.bleeding_cohort import NOTHING, Pieces
from export_onnx.training.bleeding_fit import Drawn, Plan, fit, logits
from export_onnx.training.bleeding_scores import LesionScore, PatientScore, area, subsets
from export_onnx.training.ccm_or_aih import QUICK, REAL, fitted_fusion, of_lesions
from inference.bundle import load
from inference.fusion import fused
from inference.parity import parity
from inference.session import Session
from tests.tiny_bundles import CPU

SIZES = LesionSizes(width=16, blocks=1, heads=2)


def made(count: int = 24) -> Pieces:
    """Pieces whose kind is their brightness; the last shows nothing."""
    rng = np.random.default_rng(0)
    kind = np.arange(count) % 2
    kind[-1] = NOTHING
    image = rng.integers(0, 60, (count, 3, 80, 80)) + 150 * (kind == 1)[:, None, None, None]
    return Pieces(
        image=image.astype(np.uint8),
        kind=kind,
        size_mm=np.full(count, 10.0),
        brightness=np.ones(count),
        lesion=np.where(kind == NOTHING, -1, np.arange(count) // 4 * 2 + kind),
        scan=np.zeros(count, dtype=np.int64),
        patient=np.arange(count) // 8,
    )


@pytest.mark.parametrize("setting", [REAL, QUICK])
def test_no_anatomy_stands_in_two_parts(setting: object) -> None:
    parts = [set(getattr(setting, name)) for name in ("training", "validation", "test")]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_the_network_is_small_and_the_autoencoder_hides_what_it_says() -> None:
    network = LesionViT(LesionSizes(width=64, blocks=3))
    assert sum(p.numel() for p in network.parameters()) < 1_000_000
    assert network(torch.rand(2, 3, 64, 64), torch.rand(2, 1)).shape == (2, 2)
    masked = MaskedAutoencoder(network, 0.75)
    assert masked.kept == 16
    order = torch.rand(2, 64).argsort(dim=1)
    loss = masked(torch.rand(2, 3, 64, 64), order)
    loss.backward()
    assert float(loss.detach()) > 0.0
    assert network.stem[0].weight.grad is not None


def test_a_batch_is_the_same_for_the_same_step_and_undecided_where_nothing_is() -> None:
    drawn = Drawn(made(), seed=3, batch=32)
    first, again, other = drawn.at(5), drawn.at(5), drawn.at(6)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (32, 3, 64, 64)
    assert 0.0 <= float(first[0].min()) <= float(first[0].max()) <= 1.0
    assert {tuple(row) for row in first[2].tolist()} <= {(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)}


def test_it_learns_what_can_be_learnt_and_takes_slices_together(tmp_path: Path) -> None:
    schedule = loop.Schedule(seed=1, iterations=40, learning_rate=3e-3, average=0.5)
    plan = Plan(
        sizes=SIZES,
        batch=8,
        schedule=schedule,
        hidden=0.5,
        pretraining=loop.Schedule(seed=1, iterations=2, learning_rate=1e-3),
    )
    pieces = made()
    network = fit(pieces, plan, tmp_path, lambda _: None)
    by_lesion = of_lesions(logits(network, pieces), pieces)
    assert len(by_lesion.kind) == len(np.unique(pieces.lesion[pieces.kind != NOTHING]))
    assert by_lesion.auc > 0.95


def test_fusion_takes_both_sources() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2 == 1
    odds = np.where(truth, 1.0, -1.0) + rng.standard_normal(200)
    fusion = fitted_fusion(odds, truth)
    assert fusion.image_weight > 0.3
    assert fusion.text_weight > 0.3
    assert "made up" in fusion.text
    assert fused(0.9, 0.9, fusion) > fused(0.9, 0.1, fusion)


def lesion(probability: float, **changes: object) -> LesionScore:
    values = {"placed": probability, "read": probability, "ball": True, "size_mm": 10.0, "brightness": 0.5}
    return LesionScore(**{**values, "true_site": "Thalamus", "site": "Thalamus", **changes})  # type: ignore[arg-type]


def test_figures_are_what_they_are_called() -> None:
    patients = [
        PatientScore(
            haemorrhage=number % 2 == 1,
            lesions=(lesion(0.9 if number % 2 else 0.1, size_mm=float(number)), lesion(0.6 if number % 2 else 0.4)),
            placed=0.9 if number % 2 else 0.4,
            read=0.9 if number % 2 else 0.4,
            false_candidates=1,
        )
        for number in range(10)
    ]
    missed = PatientScore(
        haemorrhage=True, lesions=(lesion(0.8, read=None, site=None),), placed=0.8, read=None, false_candidates=0
    )
    place, chain = subsets([*patients, missed])
    assert (place["name"], chain["name"]) == ("true-place", "chain")
    assert place["n_lesions"] == 21
    value = {key: figure["value"] for key, figure in {**place["metrics"], **chain["metrics"]}.items()}
    assert value["lesion_auc"] == value["patient_auc"] == value["found_lesion_auc"] == 1.0
    assert value["candidate_sensitivity"] == pytest.approx(20 / 21)
    assert value["false_candidates_per_scan"] == pytest.approx(10 / 11)
    assert value["site_agrees"] == 1.0
    assert all(low <= figure["value"] <= high for figure in place["metrics"].values() for low, high in [figure["ci95"]])
    assert 0.5 <= place["baselines"]["lesion_auc_size_only"] < 0.7


def test_the_area_counts_ties_half() -> None:
    once = np.ones((1, 4))
    assert float(area(once, np.array([1.0, 1.0, 1.0, 1.0]), np.array([True, False, True, False]))[0]) == 0.5


@pytest.mark.slow
def test_the_quick_training_ends_in_a_bundle_that_serves(tmp_path: Path) -> None:
    arguments = ["train", "ccm-or-aih", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--quick", "--mae", "0.5", "--threads", "1", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    bundle = load(Path(said["path"]))
    assert said["digest"] == bundle.digest
    assert bundle.manifest.training == "synthetic-findings"
    assert bundle.digest in (bundle.path / "MODEL_CARD.md").read_text()
    spec = bundle.manifest.graph("classify")
    assert parity(bundle, spec, Session(bundle.read(spec.file), spec, CPU)).agrees
