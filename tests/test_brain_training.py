"""brain-extractor's way from made-up heads in any contrast to a bundle that serves."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

import torch

from export_onnx.__main__ import app
from export_onnx.models.volume_net import Probabilities, VolumeNet
from export_onnx.training.brain_anatomy import Anatomy, Tissue, anatomy
from export_onnx.training.brain_cohort import Drawn, made_up
from export_onnx.training.brain_contrast import CONTRASTS, Contrast, scan
from export_onnx.training.brain_extractor import QUICK, REAL, REAL_HEADS, overlap_loss
from inference.algorithms.segment import Segmenter
from inference.bundle import load
from inference.imaging.grid import to_image
from inference.synthetic.head import synthetic_head
from inference.synthetic.template import template
from tests.tiny_bundles import CPU

CPU_DEVICE = torch.device("cpu")


@pytest.fixture(scope="module")
def head() -> Anatomy:
    return anatomy(template(), np.random.default_rng(3))


@pytest.mark.parametrize("setting", [REAL, QUICK])
def test_no_anatomy_stands_in_two_parts(setting: object) -> None:
    parts = [set(getattr(setting, name)) for name in ("training", "validation", "test")]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_an_anatomy_is_the_same_for_the_same_seed_and_wild_around_the_brain(head: Anatomy) -> None:
    again = anatomy(template(), np.random.default_rng(3))
    other = anatomy(template(), np.random.default_rng(4))
    assert np.array_equal(head.tissue, again.tissue)
    assert (head.tissue != other.tissue).mean() > 0.05
    assert np.array_equal(head.brain > 127, template().brain)
    inside = head.brain > 127
    assert set(np.unique(head.tissue[inside])) <= {Tissue.LIQUOR, Tissue.GREY, Tissue.WHITE}
    assert len(np.unique(head.tissue[~inside])) >= 8
    assert (head.grey.astype(int) + head.white.astype(int)).max() <= 256


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_a_scan_is_the_same_for_the_same_seed_and_lies_where_its_brain_lies(
    head: Anatomy, contrast: Contrast, *, alike: bool
) -> None:

    one, same = (scan(head, contrast, np.random.default_rng(8), CPU_DEVICE, alike=alike) for _ in range(2))
    assert torch.equal(one.image, same.image)
    assert torch.equal(one.brain, same.brain)
    assert one.image.shape == one.brain.shape
    assert all(n % 16 == 0 for n in one.image.shape[2:])
    assert 0.0 <= float(one.image.min()) <= float(one.image.max()) <= 1.0
    share = float((one.brain > 0.5).float().mean())
    assert 0.05 < share < 0.5


def test_contrasts_are_what_they_are_called(head: Anatomy) -> None:
    def outside_over_inside(contrast: Contrast) -> float:
        """The brightest of what is no brain, in medians of the brain; mean over some scans."""
        ratios = []
        for seed in range(6):
            made = scan(head, contrast, np.random.default_rng(seed), CPU_DEVICE, alike=False)
            bright = torch.quantile(made.image[made.brain == 0][::10], 0.998)
            ratios.append(float(bright / made.image[made.brain > 0.9].median()))
        return float(np.mean(ratios))

    assert outside_over_inside("CT") > 1.4  # bone
    assert outside_over_inside("T1") > 1.2  # fat
    assert outside_over_inside("T2*") < outside_over_inside("T1")


def test_a_step_is_drawn_anew_and_again_the_same(head: Anatomy) -> None:
    drawn = Drawn([head], 1, CPU_DEVICE, alike=True)
    assert torch.equal(drawn.at(3).image, drawn.at(3).image)
    assert not torch.equal(drawn.at(3).image, drawn.at(4).image)


def test_a_case_is_in_the_units_of_its_modality(tmp_path: Path) -> None:
    subsets = dict(made_up(QUICK.test, tmp_path, lambda _: None))
    assert len(subsets) == 6
    ct = subsets["made-up-CT"][0].load()
    assert (ct.image.modality, ct.image.weighting) == ("CT", "CT")
    assert float(ct.image.volume.array.min()) == -100.0
    assert ct.truth is not None
    assert ct.truth.shape == ct.image.volume.array.shape
    assert subsets["made-up-T1-contrast"][0].load().image.modality == "MR"


def test_what_is_folded_comes_back_in_place_and_the_loss_knows_it() -> None:
    torch.manual_seed(0)
    network = VolumeNet((8, 8, 8, 8), (1, 1, 1, 1)).eval()
    volume = torch.rand(1, 1, 32, 48, 16)
    with torch.inference_mode():
        out = Probabilities(network)(volume)
    assert out.shape == volume.shape
    assert 0.0 <= float(out.min()) <= float(out.max()) <= 1.0
    truth = (volume > 0.5).float()
    assert float(overlap_loss(20.0 * (truth - 0.5), truth)) < 0.01 < float(overlap_loss(-20.0 * (truth - 0.5), truth))


def test_the_quick_training_ends_in_a_bundle_that_serves(tmp_path: Path) -> None:
    head = synthetic_head(6, lesions=0, spacing_mm=(4.0, 3.0, 3.0))
    affine = head.image.volume.affine
    for patient in ("patient-1", "patient-2"):
        folder = tmp_path / "data" / REAL_HEADS / patient
        folder.mkdir(parents=True)
        sitk.WriteImage(to_image(head.image.volume.array, affine), str(folder / "a_Scan.nii.gz"))
        sitk.WriteImage(to_image(head.brain.astype(np.uint8), affine), str(folder / "a_Mask.nii.gz"))
    arguments = ["train", "brain-extractor", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--quick", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    names = [part["name"] for part in told["subsets"]]
    assert names[0] == REAL_HEADS
    assert {"made-up-T1", "made-up-CT", "all"} <= set(names)
    bundle = load(Path(told["path"]))
    assert set(told["subsets"][0]["metrics"]) == {
        "brain_dice",
        "pixel_accuracy",
        "pixel_auroc",
        "pixel_dice",
        "pixel_precision",
        "pixel_recall",
    }
    assert bundle.manifest.training == "synthetic-appearance"
    segments = Segmenter.opened(bundle, CPU).read(head.image).segments
    assert [segment.label for segment in segments] == ["Brain"]
    assert "AdamW" in (bundle.path / "MODEL_CARD.md").read_text()
