"""Slices with four-option questions as `dicom-node evaluate` reads them: train.json, and the pictures of the kept fold.

Questions about the other folds stand there too, without their pictures: they say what is answered most often.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export_onnx.training import slice_words as words
from export_onnx.training.slices import Slices
from inference.evaluation.folders import NiftiCase, PictureCase
from inference.evaluation.questions import FILE, IMAGES

_ASKED = {words.KIND: "KIND", words.PLACE: "PLACE", words.SIZE: "SIZE"}


def write(cases: Sequence[PictureCase | NiftiCase], made: Slices, fold: int, folder: Path) -> None:
    """Write the list, and copy the pictures of a fold.

    Parameters
    ----------
    cases
        Slices, in the order of `made`.
    made
        Their masks and labels, on the grid that the questions are about.
    """
    pictures = folder / IMAGES
    pictures.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for index, case in enumerate(cases):
        name = f"{case.image_file.parent.name}-{case.image_file.name}"
        label = str(made.label[index])
        kind = words.KINDS[_kind(label)] if label else ""
        facts = words.slice_facts(kind, made.truth[index] > 127) if label else None
        entries += [
            {
                "image_name": name,
                "patient": case.patient,
                "fold": int(made.fold[index]),
                "question": exchange.question,
                "answer": exchange.answer,
                "answer_type": "CLOSED",
                "question_type": _ASKED[exchange.about],
                "options": list(exchange.options),
            }
            for exchange in words.closed(facts)
            if exchange.about in _ASKED
        ]
        if made.fold[index] == fold and not (pictures / name).exists():
            shutil.copyfile(case.image_file, pictures / name)
    (folder / FILE).write_text(json.dumps(entries, indent=0) + "\n", encoding="utf-8")


def _kind(label: str) -> int:
    """Index of the kind that a label of the data names."""
    return int(np.flatnonzero([kind.startswith(label) for kind in words.KINDS])[0])
