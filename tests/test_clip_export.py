"""A CLIP checkpoint as it lies on disk becomes a localiser that computes what transformers computes."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from typer.testing import CliRunner

from export_onnx.__main__ import app
from export_onnx.checkpoint import Checkpoint
from export_onnx.errors import CheckpointError
from export_onnx.models.localiser import LocaliserMaps, StageDecoder
from export_onnx.recipes import clip as recipe
from export_onnx.recipes.clip_tokenizer import tokenizer_of
from export_onnx.recipes.clip_weights import MEAN, STD, clip_of, localiser_of, stages_of
from inference.bundle import Bundle, load
from inference.language.prompts import Prompts
from inference.language.tokenizer import ReportTokenizer
from inference.manifests.localiser import FEATURES, PROMPTS, LocaliserManifest
from inference.parity import measured
from tests import tiny_clips
from tests.tiny_bundles import CPU
from tests.tiny_clips import transformers

OTHER = {"normal": ["a normal brain"], "abnormal": ["a brain with a tumour", "a mass"]}


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clips.checkpoint(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module", name="small")
def _small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four blocks: an export takes as long as there are blocks."""
    return tiny_clips.checkpoint(tmp_path_factory.mktemp("small"), depth=4)


@pytest.fixture(scope="module", name="bundle")
def _bundle(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return recipe.export(small, tmp_path_factory.mktemp("bundles"), tiny_clips.DECLARATION, recipe.ClipOptions())


def manifest_of(bundle: Bundle) -> LocaliserManifest:
    assert isinstance(bundle.manifest, LocaliserManifest)
    return bundle.manifest


def test_stages_are_the_hidden_states_of_transformers(folder: Path) -> None:
    """6, 12, 18 and 24 of 24 blocks, with quick_gelu and the first token left out."""
    clip = clip_of(Checkpoint.read(folder))
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    image = torch.rand(2, 1, 112, 112)
    pixels = (image.expand(-1, 3, -1, -1) - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    with torch.inference_mode():
        stages, whole = clip.vision(image)
        seen = model.vision_model(pixel_values=pixels, output_hidden_states=True)
        joint = model.visual_projection(seen.pooler_output)
    assert clip.vision.stages == (6, 12, 18, 24)
    for number, stage in zip(clip.vision.stages, stages, strict=True):
        assert torch.allclose(stage, seen.hidden_states[number][:, 1:], atol=1e-5)
        assert not torch.allclose(stage, seen.hidden_states[number - 1][:, 1:], atol=1e-3)
    assert torch.allclose(whole, joint, atol=1e-5)


def test_positions_are_resized_as_transformers_does_it(folder: Path) -> None:
    clip = clip_of(Checkpoint.read(folder), image_size=168)
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    image = torch.rand(1, 1, 168, 168)
    pixels = (image.expand(-1, 3, -1, -1) - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    with torch.inference_mode():
        stages, _ = clip.vision(image)
        seen = model.vision_model(pixel_values=pixels, interpolate_pos_encoding=True, output_hidden_states=True)
    assert stages[-1].shape[1] == 144
    assert torch.allclose(stages[0], seen.hidden_states[6][:, 1:], atol=1e-5)


def test_texts_have_the_features_of_transformers(folder: Path) -> None:
    clip = clip_of(Checkpoint.read(folder))
    data, files = tokenizer_of(folder, clip.vocabulary, clip.positions)
    assert files == ("vocab.json", "merges.txt")
    text = "An MRI slice of a brain with a tumour"
    ids = ReportTokenizer(data, "tokenizer.json", 77).encode(text).input_ids
    theirs = transformers.CLIPTokenizer.from_pretrained(folder)(
        text, return_tensors="pt", padding="max_length", max_length=77
    )
    assert theirs["input_ids"][0, : ids.shape[1]].tolist() == ids[0].tolist()
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        found = clip.text(torch.from_numpy(ids))
        expected = model.text_projection(model.text_model(**theirs).pooler_output)
    assert torch.allclose(found, functional.normalize(expected, dim=1), atol=1e-5)


def test_zero_shot_is_written_out_by_hand(folder: Path) -> None:
    """Cosines of each stage's patches, projected as CLIP does, times 100, enlarged corner on corner, softmax, mean."""
    clip = clip_of(Checkpoint.read(folder))
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    image, texts = torch.rand(2, 1, 112, 112), functional.normalize(torch.randn(2, 48), dim=1)
    with torch.inference_mode():
        maps, scores = LocaliserMaps(localiser_of(clip, None)).eval()(image, texts)
        stages, whole = clip.vision(image)
        shares = []
        for tokens in stages:
            features = model.visual_projection(model.vision_model.post_layernorm(tokens))
            logits = 100.0 * functional.normalize(features, dim=2) @ texts.T
            logits = logits.transpose(1, 2).reshape(2, 2, 8, 8)
            large = functional.interpolate(logits, size=(112, 112), mode="bilinear", align_corners=True)
            shares.append(torch.softmax(large, dim=1)[:, 1:])
        score = torch.softmax(clip.scale * functional.normalize(whole, dim=1) @ texts.T, dim=1)[:, 1]
    assert torch.allclose(maps, torch.stack(shares).mean(dim=0), atol=1e-4)
    assert torch.allclose(scores, score, atol=1e-5)


def test_the_bundle_computes_what_torch_computes_and_says_what_it_is(bundle: Bundle) -> None:
    report = measured(bundle, CPU)
    assert report.agrees
    assert set(report.max_abs) == {"anomaly_map", "abnormal_prob", "text_features"}
    manifest = manifest_of(bundle)
    assert (manifest.decoder, manifest.stages, manifest.joint) == ("zero-shot", (1, 2, 3, 4), 48)
    assert manifest.in_graph is not None
    assert manifest.in_graph.mean == MEAN
    assert "Zero-shot" in (bundle.path / "MODEL_CARD.md").read_text()
    texts = json.loads(bundle.read(PROMPTS))
    assert (len(set(texts["normal"])), len(set(texts["abnormal"]))) == (20, 20)


@pytest.mark.slow
def test_a_clip_of_24_blocks_computes_what_torch_computes(folder: Path, tmp_path: Path) -> None:
    bundle = recipe.export(folder, tmp_path, tiny_clips.DECLARATION, recipe.ClipOptions())
    assert manifest_of(bundle).stages == (6, 12, 18, 24)
    assert measured(bundle, CPU).agrees


def test_the_same_checkpoint_and_date_give_the_same_bytes(small: Path, bundle: Bundle, tmp_path: Path) -> None:
    assert recipe.export(small, tmp_path, tiny_clips.DECLARATION, recipe.ClipOptions()).digest == bundle.digest


def test_features_are_normalised_before_and_after_the_mean(small: Path, tmp_path: Path) -> None:
    clip = clip_of(Checkpoint.read(small))
    options = recipe.ClipOptions(prompts=Prompts.model_validate(OTHER))
    bundle = recipe.export(small, tmp_path, tiny_clips.DECLARATION, options)
    features = np.load(bundle.path / FEATURES)
    data, _ = tokenizer_of(small, clip.vocabulary, clip.positions)
    tokenizer = ReportTokenizer(data, "tokenizer.json", 77)
    with torch.inference_mode():
        each = [clip.text(torch.from_numpy(tokenizer.encode(text).input_ids))[0] for text in OTHER["abnormal"]]
    expected = functional.normalize(torch.stack(each).mean(dim=0), dim=0)
    assert np.allclose(features[1], expected, atol=1e-5)


def test_a_trained_decoder_goes_in_and_is_hashed(small: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    decoders = [StageDecoder(64, 48, hidden=32, fold=2) for _ in range(4)]
    state = {f"decoders.{n}.{k}": v for n, decoder in enumerate(decoders) for k, v in decoder.state_dict().items()}
    save_file(state, tmp_path / "decoder.safetensors")
    options = recipe.ClipOptions(decoder=tmp_path / "decoder.safetensors")
    bundle = recipe.export(small, tmp_path, tiny_clips.DECLARATION, options)
    manifest = manifest_of(bundle)
    assert manifest.decoder == "trained"
    assert "decoder.safetensors" in [file.path for file in manifest.source_checkpoint.files]
    state.pop("decoders.3.2.bias")
    save_file({**state, "decoders.4.0.weight": torch.zeros(1)}, tmp_path / "decoder.safetensors")
    with pytest.raises(CheckpointError, match=r"decoders\.3\.2\.bias.*decoders\.4\.0\.weight"):
        recipe.export(small, tmp_path, tiny_clips.DECLARATION, options)


def test_keys_that_are_missing_or_too_many_are_all_named(tmp_path: Path) -> None:
    folder = tiny_clips.checkpoint(tmp_path, depth=4)
    state = load_file(folder / "model.safetensors")
    state["vision_model.embeddings.position_ids"] = torch.arange(65)[None]  # of old releases, harmless
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    clip_of(Checkpoint.read(folder))
    state.pop("vision_model.pre_layrnorm.bias")
    state["vision_model.pre_layernorm.bias"] = torch.zeros(64)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 missing .*pre_layrnorm\.bias.*1 unexpected .*pre_layernorm\.bias"):
        clip_of(Checkpoint.read(folder))


def test_a_bin_of_tensors_is_read_and_one_of_anything_else_is_not(tmp_path: Path) -> None:
    folder = tiny_clips.checkpoint(tmp_path / "tensors", depth=4, safe=False)
    assert clip_of(Checkpoint.read(folder)).vision.stages == (1, 2, 3, 4)
    torch.save({"weights": Path("x")}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="more than tensors"):
        Checkpoint.read(folder)


def test_another_architecture_and_another_activation_are_refused(tmp_path: Path) -> None:
    folder = tiny_clips.checkpoint(tmp_path, depth=4)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_act"] = "swish"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"hidden_act 'swish', known: gelu, quick_gelu"):
        clip_of(Checkpoint.read(folder))
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["SiglipModel"]}))
    with pytest.raises(CheckpointError, match="SiglipModel, this recipe reads CLIPModel"):
        clip_of(Checkpoint.read(folder))


def test_gelu_is_not_quick_gelu(tmp_path: Path) -> None:
    folder = tiny_clips.checkpoint(tmp_path, depth=4, hidden_act="gelu")
    clip = clip_of(Checkpoint.read(folder))
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    image = torch.rand(1, 1, 112, 112)
    pixels = (image.expand(-1, 3, -1, -1) - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    with torch.inference_mode():
        stages, _ = clip.vision(image)
        seen = model.vision_model(pixel_values=pixels, output_hidden_states=True)
    assert torch.allclose(stages[-1], seen.hidden_states[4][:, 1:], atol=1e-5)


@pytest.mark.parametrize(
    ("depth", "stages"), [(24, (6, 12, 18, 24)), (12, (3, 6, 9, 12)), (32, (8, 16, 24, 32)), (10, (2, 5, 8, 10))]
)
def test_stages_of_every_depth(depth: int, stages: tuple[int, ...]) -> None:
    assert stages_of(depth, "a checkpoint") == stages


def test_the_command_line_writes_a_bundle_and_tells_a_fault_in_one_sentence(small: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.json").write_text(json.dumps(OTHER))
    arguments = ["clip", str(small), str(tmp_path), "--name", "tiny", "--source", "tests", "--licence", "MIT"]
    done = CliRunner().invoke(app, [*arguments, "--prompts", str(tmp_path / "prompts.json"), "--image-size", "56"])
    assert done.exit_code == 0, done.output
    assert manifest_of(load(tmp_path / "tiny-1.0.0")).graph("vision").inputs[0].shape == (None, 1, 56, 56)
    (tmp_path / "prompts.json").write_text('{"normal": []}')
    done = CliRunner().invoke(app, [*arguments, "--prompts", str(tmp_path / "prompts.json")])
    assert done.exit_code == 1
    assert "prompts.json: normal" in done.output
