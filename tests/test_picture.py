from pathlib import Path

import numpy as np
from PIL import Image

from dicom_node.operation.picture import Scene, draw
from dicom_node.results.pages.slice_picture import AMBER


def test_the_outline_lies_around_the_mask_in_millimetres(tmp_path: Path) -> None:
    plane = np.full((100, 50), 100, np.float32)
    plane[0, 0], plane[-1, -1] = 0, 200
    mask = np.zeros((100, 50), np.bool_)
    mask[20:40, 5:15] = True
    scene = Scene(plane=plane, mask=mask, spacing_mm=(1.0, 2.0), title="t", caption="", footer="f")
    draw(scene, tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png").convert("RGB"), dtype=int)
    left = picture[56 : 56 + 560, 20 : 20 + 560]  # the whole slice: 100 mm by 100 mm on 560 pixels
    marked = np.argwhere(np.abs(left - np.array(AMBER)).sum(axis=-1) < 60)
    assert len(marked) > 100
    top, first = marked.min(axis=0) / 5.6
    bottom, last = marked.max(axis=0) / 5.6
    assert np.allclose((top, bottom), (20, 40), atol=1.5)
    assert np.allclose((first, last), (10, 30), atol=2.5)


def test_an_empty_mask_draws_no_outline(tmp_path: Path) -> None:
    plane = np.random.default_rng(0).normal(100, 10, (64, 64)).astype(np.float32)
    scene = Scene(plane=plane, mask=np.zeros((64, 64), np.bool_), spacing_mm=(1, 1), title="t", caption="", footer="f")
    draw(scene, tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png").convert("RGB"), dtype=int)
    assert not (np.abs(picture[56:616] - np.array(AMBER)).sum(axis=-1) < 30).any()
