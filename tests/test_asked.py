"""A site's file of what is asked: names of evidence become references with the digest of the bundle found by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from export_onnx.errors import ExportError
from export_onnx.recipes.asked import read
from inference.catalogue import describe
from inference.errors import BundleError
from inference.manifests.talk import Talk
from tests import tiny_bundles, tiny_talkers
from tests.tiny_talkers import KINDS, OF_FINDINGS


def asks(folder: Path, **changes: Any) -> Path:
    path = folder / "asks.json"
    whole = {"inputs": {"modality": ["MR"]}, "kinds": KINDS, "locate": True, "requests": [OF_FINDINGS], **changes}
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def test_evidence_that_lies_where_bundles_are_written(tmp_path: Path) -> None:
    marker = tiny_bundles.written(tmp_path / "out", name="marker")
    values = read(asks(tmp_path, evidence={"name": "marker", "version": "1.0.0"})).values(tmp_path / "out")
    manifest = tiny_talkers.written(tmp_path / "out", {"!": {"It is.": 1.0}}, **values).manifest
    assert isinstance(manifest, Talk)
    assert manifest.evidence is not None
    assert manifest.evidence.digest == marker.digest
    assert manifest.kinds is not None
    assert (manifest.kinds.id, manifest.locate, manifest.requests[0].about) == ("kind", True, "finding")


def test_evidence_that_ships(tmp_path: Path) -> None:
    path = asks(tmp_path, evidence={"name": "lesion-segmenter", "version": "0.1.0"})
    reference = read(path).values(tmp_path / "not yet")["evidence"]
    assert reference.digest == describe("lesion-segmenter-0.1.0", None).algorithm.digest


def test_evidence_that_is_not_there(tmp_path: Path) -> None:
    asked = read(asks(tmp_path, evidence={"name": "marker", "version": "1.0.0"}))
    with pytest.raises(BundleError, match=r"marker-1\.0\.0"):
        asked.values(tmp_path)
    with pytest.raises(ExportError, match=r"asks\.json: evidence\.version"):
        read(asks(tmp_path, evidence={"name": "marker"}))
