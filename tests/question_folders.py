"""A made-up folder of questions about pictures in VQA-RAD's layout: a picture's brightness is the answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def entry(image: str, question: str, answer: str, kind: str = "PRES", **more: Any) -> dict[str, Any]:
    closed = answer.lower() in ("yes", "no") or "options" in more
    return {
        "image_name": image,
        "question": question,
        "answer": answer,
        "answer_type": "CLOSED" if closed else "OPEN",
        "question_type": kind,
        **more,
    }


def written(folder: Path, entries: list[dict[str, Any]], bright: set[str]) -> Path:
    """The folder, with a picture of 6 x 4 pixels of every name in the entries."""
    (folder / "images").mkdir(parents=True)
    for name in {one["image_name"] for one in entries}:
        grey = 200 if name in bright else 20
        Image.fromarray(np.full((4, 6), grey, np.uint8)).save(folder / "images" / name)
    (folder / "train.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def of_brightness(folder: Path, pictures: int = 40) -> Path:
    """Each picture asked whether it is bright, on which side, and what it shows; half are bright."""
    entries, bright = [], set()
    for number in range(pictures):
        name, lit = f"p{number:02d}.png", number % 2 == 0
        bright |= {name} if lit else set()
        entries += [
            entry(name, "Is it bright?", "Yes" if lit else "No"),
            entry(name, "Which side?", "left" if lit else "right", "POS", options=["left", "right", "both", "neither"]),
            entry(name, "What is shown?", "the bright disc" if lit else "the dark disc", "ABN, PRES"),
        ]
    return written(folder, entries, bright)
