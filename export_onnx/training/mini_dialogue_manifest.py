"""What bundle.json of mini-image-dialogue says: series, preprocessing, what is asked; no figures."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training import slice_words as words
from export_onnx.training.record import LEARNING, exporter
from export_onnx.training.tumour_manifest import CODES, INPUTS, NEOPLASM, preprocess
from inference.concept import Concept
from inference.manifests.identity import Licence, SourceCheckpoint, TrainingRun
from inference.manifests.talk import Chat, Option, Question, Request

NAME, VERSION = "mini-image-dialogue", "0.1.0"

SIZE = 128
"""Rows and columns of a picture."""

LICENCE = Licence(
    name="Apache-2.0",
    url="https://www.apache.org/licenses/LICENSE-2.0",
    clinical_use="research",
    restrictions=(
        "Learnt from Cheng's brain tumor dataset (CC BY 4.0) and from VQA-RAD (CC0): name them. Not for diagnosis."
    ),
)


def values(chat: Chat, checkpoint: SourceCheckpoint, run: TrainingRun) -> Mapping[str, Any]:
    """Keys of bundle.json but for graphs, limits and parity."""
    of_kind = [
        _yes_or_no(words.is_kind(kind), kind.replace(" ", "-"), code)
        for kind, code in zip(words.KINDS, CODES, strict=True)
    ]
    return {
        "schema_version": 1,
        "name": NAME,
        "version": VERSION,
        "title": "Questions about slices of contrast T1-weighted MR of the head: tumour or not, which kind",
        "algorithm": "image-dialogue",
        "source": "dicom-node",
        "family": LEARNING,
        "licence": LICENCE,
        "training": "real",
        "source_checkpoint": checkpoint,
        "training_run": run,
        "exporter": exporter(),
        "inputs": INPUTS,
        "preprocess": preprocess(SIZE),
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "slices": 5,
        "chat": chat,
        "questions": (_yes_or_no(words.PRESENT, "tumour", NEOPLASM), *of_kind),
        "requests": (Request(id="picture", text=words.REPORT, max_tokens=64),),
        "max_seconds": 60.0,
    }


def _yes_or_no(text: str, name: str, code: Concept) -> Question:
    options = (Option(text="yes", present=True), Option(text="no", present=False))
    return Question(id=name, text=text, options=options, code=code)
