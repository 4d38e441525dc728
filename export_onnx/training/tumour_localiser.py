"""How tumour-localiser was made: stages of a vision transformer learn to lie beside texts, from the segmenter's slices.

BrainMRI-GPT's architecture without its CLIP: image and text towers learn together and from these data alone. The stem
of the vision transformer is the way down of tumour-segmenter's network, which learnt from the same patients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export_onnx.models.localiser import LocaliserMaps, Sizes, Towers
from export_onnx.models.tumour_net import TumourNet
from export_onnx.models.vision_transformer import VisionSizes
from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.training import loop, tumour_segmenter
from export_onnx.training.choice import Choice, chosen
from export_onnx.training.localiser_bundle import Learnt, packaged
from export_onnx.training.localiser_fit import FROM_NOTHING, Fitting, Tokens, loss, text_features
from export_onnx.training.localiser_texts import captions, every_caption, tokenizer_of, tokens
from export_onnx.training.platt import platt
from export_onnx.training.shipped import Order
from export_onnx.training.slices import Indices, Slices, Split, slices, split
from export_onnx.training.tumour_fit import Drawn
from export_onnx.training.tumour_manifest import KINDS, preprocess, training_run
from inference import operations as ops
from inference.bundle import Bundle
from inference.evaluation.folders import cases
from inference.outputs import Calibration

Report = Callable[[str], None]

_TEXTS = (*PROMPTS.normal, *PROMPTS.abnormal, *every_caption(KINDS))
TOKENIZER = tokenizer_of(_TEXTS)
"""The words of prompts and captions."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in; `trunk` is how the stem learns before."""

    trunk: tumour_segmenter.Setting
    patch: int
    width: int
    heads: int
    joint: int
    fold: int
    fitting: Fitting
    schedule: loop.Schedule

    @property
    def sizes(self) -> Sizes:
        """Of both towers."""
        halvings = self.patch.bit_length() - 1
        levels = zip(self.trunk.widths[:halvings], self.trunk.depths[:halvings], strict=True)
        vision = VisionSizes(
            image=self.trunk.size,
            patch=self.patch,
            width=self.width,
            heads=self.heads,
            stem="trunk",
            levels=tuple(levels),
        )
        return Sizes(vision=vision, joint=self.joint, fold=self.fold)


REAL = Setting(
    trunk=tumour_segmenter.REAL,
    patch=16,
    width=128,
    heads=2,
    joint=64,
    fold=4,
    fitting=FROM_NOTHING,
    schedule=FROM_NOTHING.schedule(2, 1_600, average=0.998, bfloat16=True),
)
QUICK = Setting(
    trunk=tumour_segmenter.QUICK,
    patch=16,
    width=32,
    heads=2,
    joint=16,
    fold=4,
    fitting=FROM_NOTHING,
    schedule=FROM_NOTHING.schedule(2, 10, average=0.9),
)


def run(order: Order) -> Bundle:
    """As `export-onnx train tumour-localiser` asks: first the stem as tumour-segmenter learns, if it has not yet."""
    setting = QUICK if order.quick else REAL
    made, divided = labelled(order, preprocess(setting.trunk.size))
    trunk = tumour_segmenter.fit(made, divided, setting.trunk, order.out / "trunk-checkpoint.pt", order.report)
    checkpoint = order.out / "localiser-checkpoint.pt"
    towers = fit(made, divided, setting, trunk, checkpoint, order.report)
    maps, choice, of_image = choose(towers, made, divided, order.report)
    learnt = Learnt(
        towers=towers,
        maps=maps,
        tokenizer=TOKENIZER,
        choice=choice,
        of_image=of_image,
        size=setting.trunk.size,
        stages=setting.sizes.vision.stages,
        run=training_run(towers, setting.schedule, order.command, tumour_segmenter.said(made, divided, order.fold)),
    )
    took = f"The stem: {loop.took(order.out / 'trunk-checkpoint.pt')} The whole: {loop.took(checkpoint)}"
    return packaged(learnt, order.data, order.fold, order.out, took)


def labelled(order: Order, operations: Sequence[ops.Operation]) -> tuple[Slices, Split]:
    """The slices that are learnt from, prepared as `operations` say, and how they are divided."""
    with_tumour = cases(order.data / tumour_segmenter.WITH_TUMOUR)
    without = cases(order.data / tumour_segmenter.WITHOUT_TUMOUR)
    made = slices([*with_tumour, *without], operations, order.out / "prepared", order.report)
    return made, split(made, order.fold)


def fit(made: Slices, divided: Split, setting: Setting, trunk: TumourNet, checkpoint: Path, report: Report) -> Towers:
    """Train both towers; a run that was stopped goes on from its checkpoint."""
    torch.manual_seed(setting.schedule.seed)
    prompts = _prompts()
    towers = Towers(setting.sizes)
    everything = tokens(TOKENIZER, _TEXTS)
    towers.text.centre(everything.input_ids, everything.attention_mask)
    _begin_with(towers, trunk)
    drawn = Drawn(made, divided.training, KINDS, setting.schedule.seed, setting.fitting.batch)

    def step_loss(learning: nn.Module, step: int) -> Tensor:
        batch = drawn.at(step)
        labels = ["" if kind < 0 else KINDS[kind] for kind in batch.kind.tolist()]
        told = captions(TOKENIZER, batch.truth, labels)
        return loss(_towers(learning), batch.image, batch.truth, prompts, setting.fitting, told)

    def told(step: int, value: float) -> None:
        if step % 50 == 0 or step == setting.schedule.iterations:
            report(f"step {step} of {setting.schedule.iterations}, loss {value:.3f}")

    return _towers(loop.train(towers, setting.schedule, step_loss, checkpoint, told))


def choose(towers: Towers, made: Slices, divided: Split, report: Report) -> tuple[LocaliserMaps, Choice, Calibration]:
    """Threshold and least peak of the map, and Platt's scaling of the score of a slice: all on validation."""
    maps = LocaliserMaps(towers.localiser, mirrored=True).eval()
    with torch.inference_mode():
        against = text_features(towers, *_prompts())
    return maps, *choices(maps, against, made, divided.validation, report)


def choices(
    maps: LocaliserMaps, against: Tensor, made: Slices, validation: Indices, report: Report
) -> tuple[Choice, Calibration]:
    """The same for maps against the features of texts (2, joint), on the device of the latter."""
    with torch.inference_mode():
        found = [
            maps(torch.from_numpy(made.image[part]).unsqueeze(1).to(against.device).float() / 255.0, against)
            for part in np.array_split(validation, max(1, len(validation) // 32))
        ]
    probability = torch.cat([one for one, _ in found])[:, 0].cpu().numpy()
    score = torch.cat([one for _, one in found]).cpu().numpy()
    choice = chosen(probability, made.truth[validation] > 127, 1.0)
    of_image = platt(score, made.label[validation] != "")
    report(f"validation: {choice}, score of a slice {of_image}")
    return choice, of_image


def _prompts() -> tuple[Tokens, Tokens]:
    return tokens(TOKENIZER, PROMPTS.normal), tokens(TOKENIZER, PROMPTS.abnormal)


def _begin_with(towers: Towers, trunk: TumourNet) -> None:
    """The stem takes the trunk's weights; what the trunk has beyond it is left."""
    vision = towers.localiser.vision
    stem = vision.get_submodule("stem")
    known = {name: value for name, value in trunk.state_dict().items() if name in stem.state_dict()}
    missing, unexpected = stem.load_state_dict(known, strict=False)
    if unexpected or set(missing) != {"given.weight", "given.bias"}:
        raise ValueError(f"the trunk is not that of the stem: {missing}, {unexpected}")


def _towers(module: nn.Module) -> Towers:
    if not isinstance(module, Towers):
        raise TypeError("not the towers")
    return module
