"""What bundle.json of mini-image-dialogue says: series, preprocessing, what is asked; no figures."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training import slice_words as words
from export_onnx.training.record import LEARNING, exporter
from export_onnx.training.talk_card import Words
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


def card_words(fold: int) -> Words:
    """What the card says of this bundle alone; `fold` was kept to test."""
    return Words(
        made=(
            "LLaVA's contract on small pictures: a slice in, features of its parts out, a decoder of Llama's kind "
            "behind them, with a tokenizer of its own. Learnt from nothing; no weights of CLIP or Llama are in it."
        ),
        reads=f"contrast T1-weighted MR of the head, five slices of a series, each at {SIZE} x {SIZE}",
        gives="probability of tumour and of each kind, and a text about the middle slice as a draft",
        explained=(
            f"Patients and pictures that were not learnt from: fold {fold}. `tumour-questions` are "
            "questions of four options about slices of patients: which kind of tumour or none, in which part of the "
            "picture, how much of it. `vqa-rad` are questions that people asked about radiological pictures."
        ),
        command=f"dicom-node evaluate mini-image-dialogue OUT/tumour-questions DATA/vqa-rad --fold {fold} --json",
        units="patients, of `vqa-rad` over pictures, since nobody knows whose they are",
        limits=(
            (
                "Slices without tumour came from another source than those with one: that a slice shows none is told "
                "in part by where it comes from."
            ),
            (
                "An eighth of the test's slices was looked at while an earlier network did not learn, to see that this "
                "one does: the figures of `tumour-questions` may be a little too good."
            ),
            "Places are those of the picture, not of the patient; the guard takes no side from its words.",
            "It knows no words but those of its training: another question gets an answer that means nothing.",
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
