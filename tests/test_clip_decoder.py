"""The published recipe over a CLIP: decoders alone learn, by plain Adam, and become a bundle that reads a series."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from torch import Tensor
from typer.testing import CliRunner

from export_onnx.__main__ import app
from export_onnx.checkpoint import Checkpoint
from export_onnx.localiser_bundle import preprocess
from export_onnx.models.localiser import LocaliserMaps, StagedLocaliser
from export_onnx.recipes.clip_weights import clip_of
from export_onnx.training import clip_decoder, loop
from export_onnx.training.localiser_fit import localisation_loss
from export_onnx.training.slices import Indices, Slices, slices, split
from export_onnx.training.tumour_localiser import choices
from inference.algorithms import Runtime
from inference.algorithms.tumour_localiser import TumourLocaliser
from inference.bundle import load
from inference.evaluation.folders import cases
from inference.manifests.localiser import LocaliserManifest
from inference.parity import measured
from inference.synthetic.head import synthetic_head
from tests import labelled_folders, tiny_clips
from tests.tiny_bundles import CPU


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tensors this small gain nothing from a second, and two that wait for a core lose much."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    labelled_folders.pairs(folder / "brain-tumour-t1c", patients=24)
    labelled_folders.without_finding(folder / "brain-no-tumour")
    return folder


@pytest.fixture(scope="module", name="small")
def _small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four blocks of small images, where nothing is exported."""
    return tiny_clips.checkpoint(tmp_path_factory.mktemp("small"), depth=4, image_size=56)


@pytest.fixture(scope="module", name="made")
def _made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Slices:
    every = [*cases(data / "brain-tumour-t1c"), *cases(data / "brain-no-tumour")]
    return slices(every, preprocess(56), tmp_path_factory.mktemp("cache"), lambda _: None)


def begun(folder: Path) -> tuple[StagedLocaliser, Tensor]:
    clip = clip_of(Checkpoint.read(folder))
    return clip_decoder.beginning(clip), clip_decoder.prompt_features(clip, folder)


def learnt(folder: Path, made: Slices, checkpoint: Path, setting: clip_decoder.Setting) -> StagedLocaliser:
    localiser, against = begun(folder)
    training = split(made, 4).training
    schedule = setting.schedule(len(training))
    clip_decoder.fit(localiser, against, made, training, schedule, checkpoint, lambda _: None)
    return localiser


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.slow
def test_the_command_makes_a_bundle_that_reads_a_series(data: Path, tmp_path: Path) -> None:
    folder = tiny_clips.checkpoint(tmp_path / "clip")
    arguments = [
        "train",
        "tumour-localiser",
        "--clip",
        str(folder),
        "--data",
        str(data),
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, [*arguments, "--quick", "--threads", "1"])
    assert done.exit_code == 0, done.output
    bundle = load(tmp_path / "out" / "tumour-localiser-clip-0.1.0")
    assert measured(bundle, CPU).agrees
    manifest = bundle.manifest
    assert isinstance(manifest, LocaliserManifest)
    assert (manifest.stages, manifest.decoder) == ((6, 12, 18, 24), "trained")
    assert manifest.preprocess == preprocess(112)
    assert manifest.in_graph is not None
    assert manifest.image_calibration is not None
    assert "decoder.safetensors" in {file.path for file in manifest.source_checkpoint.files}
    assert manifest.training_run is not None
    assert manifest.training_run.iterations == 2
    assert manifest.training_run.command.startswith("export-onnx train tumour-localiser --clip CHECKPOINT --data DATA")
    figures = json.loads((bundle.path / "metrics.json").read_text())
    assert figures["digest"] == bundle.digest
    assert [part["name"] for part in figures["subsets"]] == ["brain-tumour-t1c", "brain-no-tumour", "all"]
    card = (bundle.path / "MODEL_CARD.md").read_text()
    assert bundle.digest in card
    assert "No weights of CLIP" not in card
    assert str(tmp_path) not in card + bundle.read("bundle.json").decode()
    head = synthetic_head(3, lesions=1, spacing_mm=(6.0, 2.0, 2.0))
    found = TumourLocaliser.opened(bundle, Runtime(providers=("cpu",), threads=1)).read(head.image)
    assert found.study_probability is not None


def test_only_the_decoders_move(small: Path, made: Slices, tmp_path: Path) -> None:
    untouched, _ = begun(small)
    localiser = learnt(small, made, tmp_path / "c.pt", clip_decoder.QUICK)
    before, after = untouched.state_dict(), localiser.state_dict()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {name for name in before if name.startswith("decoders.")}
    clip = clip_of(Checkpoint.read(small))
    assert same(clip.vision.state_dict(), localiser.vision.state_dict())


def test_the_optimiser_is_adam_as_published(small: Path, made: Slices, tmp_path: Path) -> None:
    """Every step of the loop is one of Adam: no decay, one rate, no gradient shortened."""
    setting = clip_decoder.Setting(epochs=2, steps=5)
    localiser = learnt(small, made, tmp_path / "c.pt", setting)
    group = torch.load(tmp_path / "c.pt", weights_only=True)["optimizer"]["param_groups"][0]
    assert (tuple(group["betas"]), group["weight_decay"], group["lr"]) == ((0.5, 0.999), 0.0, 0.01)
    by_hand, against = begun(small)
    training = split(made, 4).training
    adam = torch.optim.Adam(by_hand.decoders.parameters(), lr=0.01, betas=(0.5, 0.999))
    losses = []
    for step in range(5):
        image, truth = clip_decoder.batch(made, training, step)
        loss = localisation_loss(by_hand(image, against).stages, truth)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        losses.append(float(loss.detach()))
    for name, value in by_hand.decoders.state_dict().items():
        assert torch.allclose(value, localiser.decoders.state_dict()[name], atol=1e-5), name
    assert losses[-1] < losses[0]


def test_enough_epochs_find_the_discs(data: Path, tmp_path: Path) -> None:
    """Even random towers tell bright patches from others; patients of the validation were not learnt from."""
    folder = tiny_clips.checkpoint(tmp_path / "fine", depth=4, patch_size=8)
    every = [*cases(data / "brain-tumour-t1c"), *cases(data / "brain-no-tumour")]
    made = slices(every, preprocess(112), tmp_path, lambda _: None)
    localiser = learnt(folder, made, tmp_path / "c.pt", clip_decoder.Setting(epochs=20))
    _, against = begun(folder)
    choice, _ = choices(LocaliserMaps(localiser).eval(), against, made, split(made, 4).validation, lambda _: None)
    assert choice.dice > 0.5


def test_an_epoch_shows_each_slice_once_in_an_order_of_its_own(made: Slices) -> None:
    training = split(made, 4).training
    steps = -(-len(training) // 16)
    assert clip_decoder.REAL.schedule(len(training)).iterations == 3 * steps
    epochs = [torch.cat([clip_decoder.batch(made, training, e * steps + s)[0] for s in range(steps)]) for e in (0, 1)]
    assert [len(epoch) for epoch in epochs] == [len(training)] * 2
    assert not torch.equal(*epochs)
    plain = torch.from_numpy(made.image[training]).unsqueeze(1).float() / 255.0
    for epoch in epochs:
        assert torch.allclose(epoch.mean(dim=0), plain.mean(dim=0), atol=1e-6)  # as they are, none twice


def test_a_stopped_run_ends_where_an_unbroken_one_does(
    small: Path, made: Slices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    setting = clip_decoder.Setting(epochs=2, steps=6)
    whole = learnt(small, made, tmp_path / "whole.pt", setting)
    drawn = clip_decoder.batch

    def stops(made: Slices, training: Indices, step: int) -> tuple[Tensor, Tensor]:
        if step == 3:
            raise KeyboardInterrupt
        return drawn(made, training, step)

    monkeypatch.setattr(clip_decoder, "batch", stops)
    with pytest.raises(KeyboardInterrupt):
        learnt(small, made, tmp_path / "broken.pt", setting)
    monkeypatch.setattr(clip_decoder, "batch", drawn)
    assert torch.load(tmp_path / "broken.pt", weights_only=True)["step"] == 2
    again = learnt(small, made, tmp_path / "broken.pt", setting)
    assert same(whole.state_dict(), again.state_dict())


def test_a_folder_that_is_no_clip_is_told_in_one_sentence(data: Path, small: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(data), "--out", str(tmp_path / "out"), "--quick", "--threads", "1"]
    done = CliRunner().invoke(app, ["train", "tumour-localiser", "--clip", str(tmp_path), *arguments])
    assert done.exit_code == 1
    assert "error: " in done.output
    assert "config.json" in done.output
    other = tmp_path / "other"
    shutil.copytree(small, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "architectures": ["SiglipModel"]}))
    done = CliRunner().invoke(app, ["train", "tumour-localiser", "--clip", str(other), *arguments])
    assert done.exit_code == 1
    assert "SiglipModel, this recipe reads CLIPModel" in done.output


def test_no_other_training_takes_a_clip(data: Path, small: Path, tmp_path: Path) -> None:
    arguments = ["--clip", str(small), "--data", str(data), "--out", str(tmp_path), "--quick"]
    done = CliRunner().invoke(app, ["train", "tumour-segmenter", *arguments])
    assert done.exit_code == 2
    assert "tumour-localiser" in done.output
