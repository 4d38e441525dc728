"""Labelled slices are prepared as the node prepares them, split by patient, and become a bundle that reads a series."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from export_onnx.models.tumour_net import Trunk, TumourMaps, TumourNet
from export_onnx.training import augment, tumour_fit, tumour_localiser, tumour_segmenter
from export_onnx.training.choice import chosen, fitted_temperature
from export_onnx.training.shipped import Order
from export_onnx.training.slices import Slices, slices, split
from export_onnx.training.tumour_manifest import KINDS, preprocess
from inference.algorithms import Runtime
from inference.algorithms.segment import Segmenter
from inference.algorithms.tumour_localiser import TumourLocaliser
from inference.evaluation.folders import cases
from inference.manifests.localiser import LocaliserManifest
from inference.synthetic.head import synthetic_head
from tests import labelled_folders


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    labelled_folders.pairs(folder / "brain-tumour-t1c", patients=24)
    labelled_folders.without_finding(folder / "brain-no-tumour")
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Slices:
    every = [*cases(data / "brain-tumour-t1c"), *cases(data / "brain-no-tumour")]
    return slices(every, preprocess(64), tmp_path_factory.mktemp("cache"), lambda _: None)


class TestSlices:
    def test_no_patient_stands_in_two_parts(self, made: Slices) -> None:
        divided = split(made, 2)
        parts = [set(made.patient[i].tolist()) for i in (divided.training, divided.validation, divided.test)]
        assert all(parts)
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
        assert set(made.fold[divided.test].tolist()) == {2}
        assert 2 not in made.fold[divided.training]
        assert sum(map(len, (divided.training, divided.validation, divided.test))) == len(made.label)

    def test_every_kind_is_chosen_on(self, made: Slices) -> None:
        assert {*KINDS, ""} == set(made.label[split(made, 1).validation].tolist())

    def test_image_and_truth_lie_on_one_grid(self, made: Slices) -> None:
        bright = made.image[made.label == "pituitary"][0]
        marked = made.truth[made.label == "pituitary"][0] > 127
        assert bright[marked].mean() > bright[~marked & (bright > 20)].mean() + 50
        assert not made.truth[made.label == ""].any()

    def test_a_second_call_reads_what_the_first_made(self, data: Path, tmp_path: Path) -> None:
        told: list[str] = []
        some = cases(data / "brain-tumour-t1c")[:4]
        first = slices(some, preprocess(64), tmp_path, told.append)
        second = slices(some, preprocess(64), tmp_path, told.append)
        assert len(told) == 1
        assert np.array_equal(first.image, second.image)


class TestAugment:
    def test_the_same_seed_moves_alike_and_truth_follows_image(self) -> None:
        image = torch.zeros(4, 1, 32, 32)
        image[:, :, 10:20, 12:22] = 1.0
        moved = [augment.moved(image, image, torch.Generator().manual_seed(5)) for _ in range(2)]
        assert torch.equal(moved[0][0], moved[1][0])
        assert torch.allclose(moved[0][0], moved[0][1])
        assert not torch.allclose(moved[0][0], image)

    def test_values_stay_in_range(self) -> None:
        given = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(1))
        changed = augment.recoloured(given, torch.Generator().manual_seed(2))
        assert float(changed.min()) >= 0.0
        assert float(changed.max()) <= 1.0


class TestLoss:
    def test_a_kind_is_judged_only_inside_the_tumour(self) -> None:
        truth = torch.zeros(2, 1, 16, 16)
        truth[:, :, :8, :8] = 1.0
        logits = torch.zeros(2, 3, 2, 2)
        logits[:, 1, 0, 0] = 10.0
        right = tumour_fit.class_loss(logits, truth, torch.tensor([1, -1]))
        logits[:, 2, 1, 1] = 10.0
        assert torch.isclose(right, tumour_fit.class_loss(logits, truth, torch.tensor([1, -1])))
        assert right < tumour_fit.class_loss(logits, truth, torch.tensor([0, -1]))
        assert float(tumour_fit.class_loss(logits, truth, torch.tensor([-1, -1]))) == 0.0


class TestNetwork:
    def test_maps_have_the_size_of_the_slice_and_kinds_sum_to_one(self) -> None:
        torch.manual_seed(0)
        network = TumourNet(3, (8, 8, 8, 8), (1, 1, 1, 1)).eval()
        maps = TumourMaps(network, mirrored=True)(torch.rand(2, 1, 64, 96))
        assert maps.shape == (2, 4, 64, 96)
        assert torch.allclose(maps[:, 1:].sum(dim=1), torch.ones(2, 64, 96), atol=1e-5)

    def test_mirrored_maps_of_a_mirrored_slice_are_mirrored(self) -> None:
        torch.manual_seed(0)
        maps = TumourMaps(TumourNet(3, (8, 8, 8, 8), (1, 1, 1, 1)).eval(), mirrored=True)
        image = torch.rand(1, 1, 64, 64)
        assert torch.allclose(maps(image.flip(3)), maps(image).flip(3), atol=1e-5)


class TestTrunk:
    def test_it_computes_what_the_way_down_of_its_network_does(self) -> None:
        torch.manual_seed(0)
        network = TumourNet(3, (8, 12, 16, 24), (1, 1, 1, 1)).eval()
        trunk = Trunk(((8, 1), (12, 1), (16, 1)), 5).eval()
        known = {name: value for name, value in network.state_dict().items() if name in trunk.state_dict()}
        missing, unexpected = trunk.load_state_dict(known, strict=False)
        assert set(missing) == {"given.weight", "given.bias"}
        assert not unexpected
        image = torch.rand(1, 1, 64, 64)
        features = network.stem(image)
        for block in network.down[:3]:
            features = block(features)
        assert torch.allclose(trunk(image), trunk.given(features))
        assert trunk(image).shape == (1, 5, 8, 8)


class TestChoice:
    def test_the_threshold_with_the_best_dice_wins(self) -> None:
        truth = np.zeros((4, 20, 20), dtype=np.bool_)
        truth[:, 5:10, 5:10] = True
        probability = np.where(truth, 0.62, 0.41).astype(np.float32)
        choice = chosen(probability, truth, 1.0)
        assert 0.41 < choice.threshold <= 0.62
        assert choice.dice == 1.0

    def test_a_peak_is_asked_for_where_it_removes_false_regions(self) -> None:
        truth = np.zeros((4, 20, 20), dtype=np.bool_)
        truth[:2, 5:10, 5:10] = True
        probability = np.where(truth, 0.97, 0.0).astype(np.float32)
        probability[2:, 12:18, 12:18] = 0.74
        probability[0, 4, 4:11] = 0.72
        truth[0, 4, 4:11] = True
        assert chosen(probability, truth, 1.0).least_peak > 0.74

    def test_too_sure_a_reader_gets_a_temperature_above_one(self) -> None:
        rng = np.random.default_rng(0)
        true = rng.integers(3, size=3000)
        logits = rng.normal(size=(3000, 3)) + 1.5 * np.eye(3)[true]
        logs = 4.0 * (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        patients = [str(n) for n in range(3000)]
        cooled = fitted_temperature(logs, true, patients)
        assert fitted_temperature(logs / cooled, true, patients) == pytest.approx(1.0, abs=0.05)
        assert cooled > 2.0


def test_quick_training_makes_a_bundle_that_reads_a_series(data: Path, tmp_path: Path) -> None:
    bundle = tumour_segmenter.train(data, tmp_path, tumour_segmenter.QUICK, 4, "quick", lambda _: None)
    said = json.loads((bundle.path / "metrics.json").read_text())
    assert said["digest"] == bundle.digest
    assert [part["name"] for part in said["subsets"]] == ["brain-tumour-t1c", "brain-no-tumour", "all"]
    assert 0.0 <= said["subsets"][0]["metrics"]["pixel_auroc"]["value"] <= 1.0
    assert bundle.digest in (bundle.path / "MODEL_CARD.md").read_text()
    reader = Segmenter.opened(bundle, Runtime(providers=("cpu",), threads=1))
    head = synthetic_head(3, lesions=1, spacing_mm=(6.0, 2.0, 2.0))
    scores = reader.scores(head.image)
    assert scores.probability.shape == head.brain.shape
    assert sum(scores.classes.values()) == pytest.approx(1.0, abs=1e-5)
    assert {f.code.meaning for f in reader.read(head.image).findings} <= {
        "Glioma",
        "Intracranial meningioma",
        "Pituitary adenoma",
        "Neoplasm",
    }


def test_quick_localiser_becomes_a_bundle_whose_prompts_can_be_changed(data: Path, tmp_path: Path) -> None:
    order = Order(data=data, out=tmp_path, quick=True, fold=4, command="quick", report=lambda _: None)
    bundle = tumour_localiser.run(order)
    assert isinstance(bundle.manifest, LocaliserManifest)
    said = json.loads((bundle.path / "metrics.json").read_text())
    assert said["digest"] == bundle.digest
    assert bundle.digest in (bundle.path / "MODEL_CARD.md").read_text()
    reader = TumourLocaliser.opened(bundle, Runtime(providers=("cpu",), threads=1))
    found = reader.read(synthetic_head(3, lesions=1, spacing_mm=(6.0, 2.0, 2.0)).image)
    assert found.study_probability is not None
    assert bundle.manifest.texts is not None
    assert bundle.manifest.stages == (3, 6, 9, 12)
