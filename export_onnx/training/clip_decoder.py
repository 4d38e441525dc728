"""BrainMRI-GPT's recipe as published: both towers of a CLIP stay as they are, a decoder for each stage learns.

No augmentation, no mirrored slices, and no loss of the score of a slice, which stays CLIP's own. Towers are computed
anew in each of the few epochs: their patches of all slices would take gigabytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from export_onnx.checkpoint import Checkpoint
from export_onnx.errors import CheckpointError
from export_onnx.finished import finished
from export_onnx.localiser_bundle import preprocess
from export_onnx.models.localiser import LocaliserMaps, StageDecoder, StagedLocaliser
from export_onnx.recipes import clip as recipe
from export_onnx.recipes.clip_prompts import PROMPTS
from export_onnx.recipes.clip_tokenizer import tokenizer_of
from export_onnx.recipes.clip_weights import Clip, clip_of, localiser_of
from export_onnx.recipes.declaration import Declaration
from export_onnx.training import loop
from export_onnx.training.localiser_fit import PUBLISHED, localisation_loss
from export_onnx.training.record import MADE_AT
from export_onnx.training.shipped import Order
from export_onnx.training.slices import Indices, Slices
from export_onnx.training.tumour_card import decoder_card
from export_onnx.training.tumour_localiser import choices, labelled
from export_onnx.training.tumour_manifest import INPUTS, training_run
from export_onnx.training.tumour_segmenter import said, tested
from inference.algorithms import Runtime
from inference.algorithms.tumour_localiser import TumourLocaliser
from inference.bundle import Bundle
from inference.language.prompts import text_features
from inference.language.tokenizer import ReportTokenizer
from inference.manifests.identity import Licence

Report = Callable[[str], None]

SEED = 1

DECLARATION = Declaration(
    name="tumour-localiser-clip",
    version="0.1.0",
    title="What looks like tumour on contrast T1-weighted MR: stages of a CLIP against texts, decoders learnt",
    source="CLIP checkpoint, decoders of dicom-node",
    licence=Licence(
        name="Apache-2.0 AND LicenseRef-CLIP-checkpoint",
        clinical_use="research",
        restrictions="The towers keep the terms of their checkpoint. The decoders learnt from Cheng's brain tumor "
        "dataset (CC BY 4.0): name it. Not for diagnosis.",
    ),
    training="real",
    made_at=MADE_AT,
)
"""What bundle.json says; the licence of a checkpoint stands in none of its files that are read."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the quick run and the real one differ in.

    Attributes
    ----------
    epochs
        How often each slice is seen.
    steps
        After which it ends all the same; None: after the epochs.
    """

    epochs: int
    steps: int | None = None

    def schedule(self, count: int) -> loop.Schedule:
        """Of the published optimiser, for `count` slices to learn from."""
        iterations = self.epochs * _steps(count)
        return PUBLISHED.schedule(SEED, min(iterations, self.steps or iterations))


REAL = Setting(epochs=3)
QUICK = Setting(epochs=1, steps=2)


def run(order: Order) -> Bundle:
    """As `export-onnx train tumour-localiser --clip CHECKPOINT` asks.

    Raises
    ------
    CheckpointError
        If the folder is none of a CLIP, as `recipes.clip.export` says.
    """
    if order.clip is None:
        raise ValueError("the order names no CLIP")
    clip = clip_of(Checkpoint.read(order.clip))
    localiser, against = beginning(clip), prompt_features(clip, order.clip)
    made, divided = labelled(order, preprocess(clip.image))
    schedule = (QUICK if order.quick else REAL).schedule(len(divided.training))
    checkpoint = order.out / "decoder-checkpoint.pt"
    fit(localiser, against, made, divided.training, schedule, checkpoint, order.report)
    maps = LocaliserMaps(localiser).eval()
    choice, of_image = choices(maps, against.to(loop.device()), made, divided.validation, order.report)
    options = recipe.ClipOptions(
        decoder=_written(localiser.decoders, order.out / "decoder.safetensors"),
        threshold=choice.threshold,
        min_peak=choice.least_peak,
        inputs=INPUTS,
        image_calibration=of_image,
        run=training_run(localiser.decoders, schedule, order.command, said(made, divided, order.fold)),
    )
    bundle = recipe.export(order.clip, order.out, DECLARATION, options)
    figures = tested(TumourLocaliser.opened(bundle, Runtime(providers=("cpu",), threads=0)), order.data, order.fold)
    took = loop.took(checkpoint)
    return finished(
        bundle,
        figures,
        lambda manifest, told: decoder_card(manifest, told, fold=order.fold, size=clip.image, took=took),
        order.out,
    )


def beginning(clip: Clip) -> StagedLocaliser:
    """The vision tower, which does not learn, with a decoder for each stage that has learnt nothing yet."""
    localiser = localiser_of(clip, None).requires_grad_(requires_grad=False)
    torch.manual_seed(SEED)
    width = clip.vision.visual_projection.in_features
    localiser.decoders = nn.ModuleList(StageDecoder(width, clip.joint) for _ in clip.vision.stages)
    return localiser


def prompt_features(clip: Clip, folder: Path) -> Tensor:
    """(2, joint), float32, of length 1: the ensembles of the texts of normal and of abnormal, which stay as they are.

    Raises
    ------
    CheckpointError
        If the folder has no tokenizer that can be read, or a text is longer than the tower takes.
    """
    data, files = tokenizer_of(folder, clip.vocabulary, clip.positions)
    tokenizer = ReportTokenizer(data, files[0], clip.positions)

    def embed(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        encoded = tokenizer.encode(text)
        if encoded.cut:
            raise CheckpointError(f"{folder.name}: takes {clip.positions} tokens, a prompt has {encoded.whole}")
        features: Tensor = clip.text(torch.from_numpy(encoded.input_ids))
        return features[0].numpy()

    with torch.inference_mode():
        found = text_features(PROMPTS, embed)
    return torch.from_numpy(found)


def fit(
    localiser: StagedLocaliser,
    against: Tensor,
    made: Slices,
    training: Indices,
    schedule: loop.Schedule,
    checkpoint: Path,
    report: Report,
) -> None:
    """Train the decoders in place, on the GPU if there is one; a run that was stopped goes on from its checkpoint.

    Parameters
    ----------
    localiser
        As `beginning` gives it.
    against
        (2, joint): features of the texts.
    made, training
        The slices, and which of them are learnt from.
    """
    where = loop.device()
    localiser.to(where)
    against = against.to(where)

    def step_loss(_: nn.Module, step: int) -> Tensor:
        image, truth = batch(made, training, step)
        logits = localiser(image.to(where), against)  # whose decoders are what the loop moves
        return localisation_loss(logits.stages, truth.to(where), PUBLISHED.gamma)

    def told(step: int, value: float) -> None:
        if step % 50 == 0 or step == schedule.iterations:
            report(f"step {step} of {schedule.iterations}, loss {value:.3f}")

    trained = loop.train(localiser.decoders, schedule, step_loss, checkpoint, told)
    localiser.decoders.load_state_dict(trained.state_dict())
    localiser.eval()


def batch(made: Slices, training: Indices, step: int) -> tuple[Tensor, Tensor]:
    """Images and truths of a step, (batch, 1, row, column), float32 in [0, 1].

    In an epoch each slice comes once, in an order of the epoch's own; what is left makes a smaller last batch.
    """
    epoch, part = divmod(step, _steps(len(training)))
    shuffled = np.random.default_rng([SEED, epoch]).permutation(training)
    chosen = shuffled[part * PUBLISHED.batch : (part + 1) * PUBLISHED.batch]
    image, truth = (
        torch.from_numpy(values[chosen]).unsqueeze(1).float() / 255.0 for values in (made.image, made.truth)
    )
    return image, truth


def _steps(count: int) -> int:
    """In an epoch of `count` slices."""
    return -(-count // PUBLISHED.batch)


def _written(decoders: nn.ModuleList, path: Path) -> Path:
    """As `clip_weights.localiser_of` reads them."""
    state = {f"decoders.{name}": value.cpu().contiguous() for name, value in decoders.state_dict().items()}
    save_file(state, path)
    return path
