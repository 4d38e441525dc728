from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from rich.console import Console

from dicom_node.operation.came_back import agreement
from dicom_node.operation.demo import run
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.synthetic.head import synthetic_head
from tests import peers


@pytest.mark.slow
def test_the_demo_ends_with_objects_and_a_picture(tmp_path: Path) -> None:
    console = Console(record=True, width=160)
    assert run(tmp_path, console)
    text = console.export_text()
    assert "agrees with what was planted" in text
    assert {p.name for p in tmp_path.iterdir()} == {
        "seg.dcm",
        "sr.dcm",
        "narrative.dcm",
        "answer.dcm",
        "finding.png",
    }
    for name in ("seg", "sr", "narrative", "answer"):
        assert str(pydicom.dcmread(tmp_path / f"{name}.dcm").SOPInstanceUID) in text
    picture = np.asarray(Image.open(tmp_path / "finding.png"))
    assert picture.std() > 20


@pytest.mark.slow
@pytest.mark.peer
def test_the_demos_objects_are_valid(tmp_path: Path) -> None:
    peers.program("dciodvfy")
    assert run(tmp_path, Console(quiet=True))
    for path in tmp_path.glob("*.dcm"):
        assert peers.dciodvfy(path) == []


def test_what_does_not_come_back_does_not_agree() -> None:
    head = synthetic_head(3, lesions=1)
    sources = series_from_volume(head.image.volume, labels=Labels(seed="demo test"))
    verdict = agreement(head, sources, [])
    assert not verdict.agrees
    assert not verdict.mask.any()
