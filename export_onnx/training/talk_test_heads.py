"""Made-up heads with questions and reports as `dicom-node evaluate` reads them: studies.json and a NIfTI file each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from export_onnx.training import volume_words as words
from export_onnx.training.head_facts import HeadFacts, facts_of
from export_onnx.training.talk_heads import made_up
from inference.evaluation.studies_file import FILE
from inference.imaging.grid import to_image

_KINDS = {
    words.PRESENT: "presence",
    words.COUNT: "count",
    words.KIND: "kind",
    words.SIDE: "side",
    words.SITE: "site",
    words.SIZE: "size",
}
_REPORT_SITES = {"basal ganglia": "deep grey", "thalamus": "deep grey", "brain stem": "brainstem"}


def write(seeds: range, folder: Path, report: Callable[[str], None]) -> None:
    """Write each head that is not there yet, and the list of all."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, seed in enumerate(seeds, start=1):
        entries.append(_entry(seed, folder))
        if number % 20 == 0 or number == len(seeds):
            report(f"test: {number} of {len(seeds)} heads")
    (folder / FILE).write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def _entry(seed: int, folder: Path) -> dict[str, Any]:
    head = made_up(seed)
    facts = facts_of(head)
    volume = folder / f"{seed}.nii.gz"
    if not volume.exists():
        partial = folder / f"{seed}.partial.nii.gz"
        array = head.image.volume.array.astype(np.int16)
        sitk.WriteImage(to_image(array, head.image.volume.affine), str(partial), True)  # noqa: FBT003  # compressed
        partial.replace(volume)
    return {
        "patient": f"synthetic-{seed}",
        "volume": volume.name,
        "modality": "MR",
        "weighting": "T1",
        "location": words.location(facts[0] if facts else None),
        "report": words.report(facts).answer,
        "facts": _facts(facts),
        "questions": [
            {"text": e.question, "options": list(e.options), "answer": e.answer, "kind": _KINDS[e.about]}
            for e in words.closed(facts, np.random.default_rng([seed, 17]))
        ],
    }


def _facts(facts: HeadFacts) -> dict[str, Any]:
    """As the report score compares them; words of sites are its own."""
    present = [
        {
            "finding": "lesion",
            "sides": [lesion.side] if lesion.side else [],
            "sites": [_site(lesion.site)] if lesion.site else [],
            "size_mm": lesion.long_mm,
        }
        for lesion in facts
    ]
    return {"present": present} if present else {"denied": ["lesion"]}


def _site(site: str) -> str:
    return _REPORT_SITES.get(site, site.removesuffix(" lobe"))
