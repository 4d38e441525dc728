"""A bundle gets its figures: in the manifest, in metrics.json and in the card, all from one evaluation."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from export_onnx import package
from inference.bundle import MANIFEST, Bundle
from inference.manifest import Manifest
from inference.manifests.identity import Metric

Card = Callable[[Any, Mapping[str, Any]], str]
"""Manifest and figures to the text of MODEL_CARD.md."""


def finished(bundle: Bundle, figures: Mapping[str, Any], card: Card, out: Path) -> Bundle:
    """Write a bundle anew with its figures.

    Parameters
    ----------
    bundle
        Whole but for its figures.
    figures
        As `inference.evaluation.run.evaluate` gives them for it; those without an interval, of one patient, are left
        out.
    card
        Writes the card.
    out
        Folder of bundles.
    """
    figures = {**figures, "subsets": [_with_interval(part) for part in figures["subsets"]]}
    files = {name: bundle.read(name) for name in bundle.hashes if name != MANIFEST}
    manifest: Manifest = bundle.manifest.model_copy(update={"metrics": _metrics(figures)})
    with tempfile.TemporaryDirectory() as folder:
        digest = package.write(Path(folder), manifest, files, {}).digest
    told = {**figures, "digest": digest}
    notes = {
        "metrics.json": json.dumps(told, indent=2).encode() + b"\n",
        "MODEL_CARD.md": card(manifest, told).encode(),
    }
    return package.write(out, manifest, files, notes)


def _with_interval(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**part, "metrics": {name: told for name, told in part["metrics"].items() if told["ci95"] is not None}}


def _metrics(figures: Mapping[str, Any]) -> tuple[Metric, ...]:
    return tuple(
        Metric(
            name=name,
            value=figure["value"],
            ci95=(figure["ci95"][0], figure["ci95"][1]),
            n=part["n_patients"],
            unit="patients",
            split=part["name"],
        )
        for part in figures["subsets"]
        for name, figure in part["metrics"].items()
    )
