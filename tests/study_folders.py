"""Made-up volumes with questions and reports as `studies.json` lists them: a bright box on one side is a glioma."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

SHAPE = (6, 20, 16)
"""(slice, row, column); columns to the patient's left."""

SPACING = (2.0, 1.0, 1.0)
SIDES = ["left", "right", "both", "none"]


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """A study of a patient of its own: of four, one shows nothing, the others a glioma, on the left where even."""
    side = "left" if number % 2 == 0 else "right"
    sick = number % 4 != 3
    whole = {
        "patient": f"p{number}",
        "fold": number % 4 + 1,
        "volume": f"p{number}/volume.nii.gz",
        "modality": "MR",
        "weighting": "T1",
        "mask": f"p{number}/mask.nii.gz",
        "report": f"A 12 mm glioma on the {side}. No haemorrhage." if sick else "No glioma. No haemorrhage.",
        "questions": [
            {"text": "Which side?", "options": SIDES, "answer": side if sick else "none", "kind": "location"},
            {"text": "Is there a glioma?", "answer": "yes" if sick else "no", "kind": "abnormality"},
            {"text": "What is shown?", "answer": f"a {side} glioma" if sick else "nothing"},
        ],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def volume(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and mask of a study of `entry`, (slice, row, column)."""
    array = np.random.default_rng(number).normal(100.0, 5.0, SHAPE).astype(np.float32)
    mask = np.zeros(SHAPE, dtype=np.uint8)
    if number % 4 != 3:
        first = 10 if number % 2 == 0 else 2
        mask[2:4, 8:12, first : first + 4] = 1
    return array + 100.0 * mask, mask


def written(folder: Path, entries: list[dict[str, Any]]) -> Path:
    """The folder, with volume and mask of each entry that names files of its own; `entry` numbers them by patient."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in entries:
        for kind, array in zip(("volume", "mask"), volume(int(one["patient"][1:])), strict=True):
            if str(one.get(kind, "")).endswith(".nii.gz"):
                saved(folder / one[kind], array)
    (folder / "studies.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def saved(path: Path, array: np.ndarray) -> None:
    """As NIfTI, slices along the head, columns to the left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING[::-1])
    sitk.WriteImage(image, path)
