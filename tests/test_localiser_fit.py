"""The localiser that learns from nothing: shapes, the published loss, and that a few steps make it smaller."""

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("tokenizers", reason="tokenizers is not installed")

import torch
from torch.nn import functional

from export_onnx.models.localiser import LocaliserMaps, Sizes, Towers, abnormal_map
from export_onnx.models.text_tower import ensemble
from export_onnx.models.vision_transformer import VisionSizes
from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.training import localiser_fit as fit
from export_onnx.training import localiser_texts as texts

SMALL = Sizes(vision=VisionSizes(image=64, width=32, heads=2, patch=16), joint=16, fold=2, vocabulary=200)


@pytest.fixture(name="towers")
def _towers() -> Towers:
    torch.manual_seed(0)
    return Towers(SMALL)


@pytest.mark.parametrize(("patch", "stem", "fold"), [(8, "convolutions", 1), (16, "patches", 4)])
def test_each_stage_gives_two_logits_on_its_grid(patch: int, stem: str, fold: int) -> None:
    vision = VisionSizes(image=64, width=32, heads=2, patch=patch, stem=stem)
    towers = Towers(Sizes(vision=vision, joint=16, fold=fold)).eval()
    against = functional.normalize(torch.randn(2, 16), dim=1)
    logits = towers.localiser(torch.rand(3, 1, 64, 64), against)
    edge = 64 // patch * fold
    assert [tuple(stage.shape) for stage in logits.stages] == [(3, 2, edge, edge)] * 4
    assert logits.image.shape == (3,)
    assert torch.allclose(logits.features.norm(dim=1), torch.ones(3))
    maps, whole = LocaliserMaps(towers.localiser, mirrored=True)(torch.rand(3, 1, 64, 64), against)
    assert maps.shape == (3, 1, 64, 64)
    assert whole.shape == (3,)
    assert bool(((maps >= 0.0) & (maps <= 1.0)).all())


def test_a_patch_in_parts_is_unfolded_where_the_patch_lies() -> None:
    towers = Towers(SMALL)
    decoded = torch.zeros(1, 16, 4, 16)
    decoded[0, 5, 1, 0] = 1.0  # patch of row 1 and column 1, its upper right part
    against = torch.zeros(2, 16)
    against[0, 1] = against[1, 0] = 1.0
    logits = towers.localiser._stage(decoded.flatten(2), against, torch.tensor(1.0), torch.tensor(0.0))
    assert torch.nonzero(logits[0, 1]).tolist() == [[2, 3]]


def test_the_map_is_the_mean_of_the_softmax_of_the_enlarged_logits() -> None:
    stages = [torch.randn(2, 2, 4, 4) for _ in range(4)]
    large = [functional.interpolate(s, size=(9, 9), mode="bilinear", align_corners=True) for s in stages]
    expected = torch.stack([torch.softmax(s, dim=1)[:, 1:] for s in large]).mean(dim=0)
    assert torch.allclose(abnormal_map(stages, (9, 9)), expected, atol=1e-6)


def test_focal_and_dice_are_the_published_ones_on_plain_masks() -> None:
    logits, truth = torch.randn(2, 2, 8, 8), (torch.rand(2, 1, 8, 8) > 0.7).float()
    shares = torch.softmax(logits, dim=1)
    of_truth = torch.where(truth[:, 0] > 0, shares[:, 1], shares[:, 0])
    focal = (-((1.0 - of_truth) ** 2) * of_truth.log()).mean()
    assert torch.allclose(fit.focal(logits[:, 1:] - logits[:, :1], truth), focal, atol=1e-6)
    overlap = (shares[:, 1:] * truth).flatten(1).sum(dim=1)
    each = shares[:, 1:].flatten(1).sum(dim=1) + truth.flatten(1).sum(dim=1)
    assert torch.allclose(fit.dice(shares[:, 1:], truth), 1.0 - ((2 * overlap + 1) / (each + 1)).mean())


def test_contrast_is_least_where_images_lie_at_their_own_texts() -> None:
    words = torch.eye(3)
    near = fit.contrast_loss(words[[0, 1, 1]], words, [0, 1, 1], torch.tensor(10.0))
    far = fit.contrast_loss(words[[1, 0, 0]], words, [0, 1, 1], torch.tensor(10.0))
    assert float(near) < 0.4 < 5.0 < float(far)  # two images share a text, and the third text has no image


def test_an_ensemble_has_length_one_before_and_after_the_mean() -> None:
    found = ensemble(torch.tensor([[10.0, 0.0], [0.0, 0.1]]))
    assert torch.allclose(found, torch.tensor([0.5, 0.5]).sqrt())


def test_captions_say_size_and_place_and_are_counted_once() -> None:
    tokenizer = texts.tokenizer_of(texts.every_caption(["glioma"]))
    truth = torch.zeros(3, 1, 30, 30)
    truth[:2, 0, 2:5, 22:28] = 1.0
    told, which = texts.captions(tokenizer, truth, ["glioma", "glioma", ""])
    assert which == [0, 0, 1]
    assert (
        texts.caption(truth[0, 0], "glioma")
        == "a brain slice with a medium glioma in the upper right part of the picture"
    )
    assert tokenizer.token_to_id("[UNK]") not in told.input_ids
    assert told.attention_mask.sum(dim=1).tolist() == [15, 5]


def test_some_steps_make_the_loss_smaller_and_move_both_towers(towers: Towers) -> None:
    tokenizer = texts.tokenizer_of([*PROMPTS.normal, *PROMPTS.abnormal, *texts.every_caption(["glioma"])])
    prompts = (texts.tokens(tokenizer, PROMPTS.normal), texts.tokens(tokenizer, PROMPTS.abnormal))
    assert tokenizer.get_vocab_size() <= 200
    every = texts.tokens(tokenizer, [*PROMPTS.normal, *PROMPTS.abnormal])
    towers.text.centre(every.input_ids, every.attention_mask)
    start = fit.text_features(towers, *prompts).detach()
    assert float(start[0] @ start[1]) < 0.0  # texts that point the same way tell nothing apart
    image = torch.rand(4, 1, 64, 64) * 0.2
    truth = torch.zeros(4, 1, 64, 64)
    image[:2, :, 16:32, 32:48], truth[:2, :, 16:32, 32:48] = 0.9, 1.0
    told = texts.captions(tokenizer, truth, ["glioma", "glioma", "", ""])
    optimizer = torch.optim.AdamW(towers.parameters(), lr=3e-3)
    before = towers.text.token.weight.detach().clone()
    losses = []
    for _ in range(40):
        step = fit.loss(towers, image, truth, prompts, fit.FROM_NOTHING, told)
        optimizer.zero_grad()
        step.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(step.detach()))
    assert losses[-1] < 0.25 * losses[0]
    assert not torch.equal(before, towers.text.token.weight)


def test_the_published_schedule_is_adam_without_decay() -> None:
    schedule = fit.PUBLISHED.schedule(seed=1, iterations=10)
    assert (schedule.betas, schedule.weight_decay, schedule.learning_rate) == ((0.5, 0.999), 0.0, 1e-2)
