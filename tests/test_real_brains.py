"""Real heads: the brain as the node finds it against deepbet's, and as large in every position."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from highdicom import Volume
from numpy.typing import NDArray
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

from export_onnx.__main__ import app
from inference.algorithms.brain_lesions import BrainLesions
from inference.catalogue import open_reader
from inference.findings import Mask
from inference.image import Image
from inference.imaging.grid import affine_of, onto
from tests import peers
from tests.real_heads import DATA, real
from tests.tiny_bundles import CPU

LEAST_DICE = {"skyra": 0.955, "prisma-hfs": 0.96, "prisma-hfp": 0.96, "prisma-hfdr": 0.96, "prisma-hfdl": 0.935}
"""Of a series; deepbet leaves out a part of what hfdl shows, which the images cut off."""


@cache
def brain(name: str) -> Mask:
    """As `brain-lesions` finds it."""
    reader = open_reader("brain-lesions", None, CPU)
    assert isinstance(reader, BrainLesions)
    return reader.scores(real(name)).marked


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """deepbet's masks beside the scans."""
    interpreter = peers.deepbet()
    if not DATA.is_dir():
        pytest.skip("shared/data/dicom is not here")
    folder = tmp_path_factory.mktemp("heads-with-brain")
    done = CliRunner().invoke(app, ["heads-with-brain", str(DATA), str(folder), "--deepbet", str(interpreter)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("name", LEAST_DICE)
def test_the_mask_is_that_of_another_program(reference: Path, name: str) -> None:
    (file,) = reference.glob(f"*/mr-t1-siemens-{name}_Mask.nii.gz")
    drawn = sitk.ReadImage(str(file))
    values = sitk.GetArrayFromImage(sitk.Cast(drawn, sitk.sitkFloat32))
    image: Image = real(name)
    other = _on(values, affine_of(drawn), image) > 0.5
    mask = brain(name)
    dice = 2.0 * (mask & other).sum() / (mask.sum() + other.sum())
    assert dice >= LEAST_DICE[name]


@pytest.mark.slow
def test_the_brain_of_one_head_is_as_large_in_every_position_that_shows_it_whole() -> None:
    volumes = [
        float(brain(f"prisma-{position}").sum() * np.prod(real(f"prisma-{position}").volume.spacing)) / 1000.0
        for position in ("hfs", "hfp", "hfdr")  # hfdl cuts a part of the brain off
    ]
    assert (max(volumes) - min(volumes)) / min(volumes) <= 0.05


def _on(values: NDArray[np.float32], affine: NDArray[np.float64], image: Image) -> NDArray[np.float32]:
    grid = Volume(values, affine, coordinate_system="PATIENT")
    return onto(values, grid.get_geometry(), image.volume.get_geometry())
