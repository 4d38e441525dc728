"""Every bundle that ships is whole, computes here what it computed there, and does what its card says."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from inference.algorithms.segment import Segmenter
from inference.bundle import Bundle, load
from inference.catalogue import describe, open_reader, refusal, shipped_bundles_dir
from inference.parity import parity
from inference.session import Session
from inference.synthetic.head import SyntheticHead, synthetic_head
from tests.tiny_bundles import CPU

FOLDERS = sorted(path for path in shipped_bundles_dir.iterdir() if path.is_dir())
HELD_OUT = (9_001, 9_002, 9_003)
"""Seeds that no training, validation or test used."""


def test_something_ships() -> None:
    assert [path.name for path in FOLDERS]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
class TestEach:
    """What holds for every one of them."""

    def test_it_is_whole_and_small(self, folder: Path) -> None:
        bundle = load(folder)
        assert describe(folder.name, None).algorithm.digest == bundle.digest
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 20_000_000
        assert not [path for path in folder.rglob("*") if path.suffix in {".pt", ".pkl", ".py"}]

    def test_it_computes_here_what_it_computed_there(self, folder: Path) -> None:
        bundle = load(folder)
        for spec in bundle.manifest.graphs:
            report = parity(bundle, spec, Session(bundle.graph(spec), spec, CPU))
            assert report.agrees, report.max_abs
            assert report.atol <= 1e-4

    def test_its_card_and_its_manifest_say_what_its_metrics_say(self, folder: Path) -> None:
        bundle = load(folder)
        figures = json.loads((folder / "metrics.json").read_text())
        card = (folder / "MODEL_CARD.md").read_text()
        assert figures["digest"] == bundle.digest
        assert bundle.digest in card
        assert _card_figures(card) == {
            (part["name"], name): (round(figure["value"], 4), *(round(end, 4) for end in figure["ci95"]))
            for part in figures["subsets"]
            for name, figure in part["metrics"].items()
        }
        assert {(m.split, m.name): m.value for m in bundle.manifest.metrics} == {
            (part["name"], name): figure["value"]
            for part in figures["subsets"]
            for name, figure in part["metrics"].items()
        }

    def test_its_card_warns_as_loudly_as_its_manifest(self, folder: Path) -> None:
        bundle = load(folder)
        card = (folder / "MODEL_CARD.md").read_text()
        assert bundle.manifest.training in card
        assert (bundle.manifest.licence.clinical_use == "cleared") or "RESEARCH USE" in card
        assert "## Limits" in card
        run = bundle.manifest.training_run
        assert run is not None
        assert run.command in card


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    opened = open_reader("lesion-segmenter", None, CPU)
    assert isinstance(opened, Segmenter)
    return opened


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    described = describe("lesion-segmenter", None)
    assert described.bundle is not None
    return described.bundle


def test_the_lesion_segmenter_is_refused_unless_synthetic_findings_are_allowed(bundle: Bundle) -> None:
    assert "allow_synthetic = true" in (refusal(bundle, allow_synthetic=False, allow_research=True) or "")
    assert refusal(bundle, allow_synthetic=True, allow_research=False) is None


def test_the_lesion_segmenter_meets_its_bar_on_the_test_patients(bundle: Bundle) -> None:
    figures = {(m.split, m.name): m.value for m in bundle.manifest.metrics}
    assert figures["synthetic-with-lesion", "lesion_sensitivity"] >= 0.95
    assert figures["synthetic-with-lesion", "case_dice"] >= 0.80
    assert figures["all", "false_positives_per_scan"] <= 0.2
    assert figures["synthetic-healthy", "empty_when_healthy"] >= 0.8


@pytest.mark.parametrize("seed", HELD_OUT)
def test_the_lesion_segmenter_finds_what_was_planted_in_a_head_it_never_saw(segmenter: Segmenter, seed: int) -> None:
    head = synthetic_head(seed, lesions=2, spacing_mm=(2.0, 1.25, 1.25))
    found = segmenter.read(head.image)
    mask, truth = found.segments[0].mask, np.logical_or.reduce([lesion.mask for lesion in head.lesions])
    assert 2.0 * (mask & truth).sum() / (mask.sum() + truth.sum()) >= 0.7
    assert len(found.findings) - len(head.lesions) <= 1  # its card: 0.08 false regions a scan
    for lesion in head.lesions:
        finding = next(f for f in found.findings if f.region is not None and (f.region & lesion.mask).any())
        volume, *_ = finding.measurements
        assert volume.value / 1000.0 == pytest.approx(lesion.volume_ml, rel=0.4)
        side = {None: 0.0, "Left": 1.0, "Right": -1.0}[finding.laterality and finding.laterality.meaning]
        assert side == 0.0 or side * _left_of_middle(head, lesion.centre_mm) > 0.0


def test_the_lesion_segmenter_marks_nothing_in_a_healthy_head(segmenter: Segmenter) -> None:
    found = segmenter.read(synthetic_head(9_100, lesions=0, spacing_mm=(2.0, 1.25, 1.25)).image)
    assert not found.segments[0].mask.any()
    assert found.narrative.text == "The algorithm marked no lesion."


def _left_of_middle(head: SyntheticHead, point: tuple[float, float, float]) -> float:
    """mm to the left of the middle of the brain in the slice of the point."""
    volume = head.image.volume
    k = round((point[2] - volume.affine[2, 3]) / volume.affine[2, 0])
    columns = np.nonzero(head.brain[k])[1]
    return float(point[0] - (volume.affine[0, 3] + volume.affine[0, 2] * (columns.min() + columns.max()) / 2.0))


def _card_figures(card: str) -> dict[tuple[str, str], tuple[float, ...]]:
    figures: dict[tuple[str, str], tuple[float, ...]] = {}
    part = ""
    for line in card.splitlines():
        if line.startswith("### "):
            part = line.removeprefix("### ").partition(":")[0]
        row = re.fullmatch(r"\| (\w+) \| (-?[\d.]+) \| (-?[\d.]+) to (-?[\d.]+) \|", line)
        if row:
            figures[part, row[1]] = tuple(float(number) for number in row.groups()[1:])
    return figures
