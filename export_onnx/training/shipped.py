"""What `export-onnx train` can make: the name of each, and the module that makes it; imports none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from inference.bundle import Bundle

MODULES = {
    "brain-extractor": "export_onnx.training.brain_extractor",
    "ccm-or-aih": "export_onnx.training.ccm_or_aih",
    "lesion-segmenter": "export_onnx.training.lesion_segmenter",
    "mini-image-dialogue": "export_onnx.training.mini_image_dialogue",
    "mini-volume-report": "export_onnx.training.mini_volume_report",
    "report-classifier": "export_onnx.training.report_classifier",
    "tumour-segmenter": "export_onnx.training.tumour_segmenter",
    "tumour-localiser": "export_onnx.training.tumour_localiser",
}
"""Each has `run`, a `Trainer`."""

WITH_CLIP = {"tumour-localiser": "export_onnx.training.clip_decoder"}
"""What trains in place of the one above where the order names a CLIP."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the command line asks of a training.

    Attributes
    ----------
    data, out
        Folder of the data, and folder for checkpoint, weights and bundle.
    quick
        A few steps on a few cases.
    fold
        Fold of the data that is left out to test, where the data have folds.
    command
        What the card says repeats it.
    report
        Told what is being done.
    repeats, epochs
        Trainings from other seeds, and how often each sees the data, where a training is repeated.
    mae
        Share of patches hidden in masked pretraining, where a training has it, 0 for none; None: as its setting says.
    clip
        Folder of a CLIPModel of Hugging Face, for a training in `WITH_CLIP`; None: the training starts from nothing.
    """

    data: Path
    out: Path
    quick: bool
    fold: int
    command: str
    report: Callable[[str], None]
    repeats: int = 15
    epochs: int = 10
    mae: float | None = None
    clip: Path | None = None


Trainer = Callable[[Order], Bundle]


def trainer(name: str, *, with_clip: bool = False) -> Trainer:
    """The training of a name in `MODULES`, or of one in `WITH_CLIP`."""
    return cast("Trainer", import_module((WITH_CLIP if with_clip else MODULES)[name]).run)
