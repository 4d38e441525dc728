"""A series of files loaded into a volume beside SimpleITK's ImageSeriesReader on the same files.

Ours parses every header, looks at the series, and gives float32 voxels in patient geometry; theirs is told the order
of the files and gives stored integers. The files are in the page cache for both.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless

from dicom_node.reading.part10 import parse, parse_file
from dicom_node.reading.series import survey
from dicom_node.reading.volume import LoadedSeries, load
from tests.benchmarks.turns import Compared, turn_by_turn

LIMITS = {"uncompressed": 0.8, "JPEG-LS": 0.5, "JPEG 2000": 1.0}
"""Part of SimpleITK's time that is claimed."""


def compare(images: list[Path], folder: Path, turns: int) -> Iterator[Compared]:
    """Uncompressed, JPEG-LS, and a third of the slices in JPEG 2000, which takes twenty times as long."""
    yield from _compared("uncompressed", images, turns)
    yield from _compared("JPEG-LS", _compressed(images, folder / "jpeg-ls", JPEGLSLossless), turns)
    some = images[100:200]
    yield from _compared("JPEG 2000", _compressed(some, folder / "jpeg-2000", JPEG2000Lossless), min(turns, 3))


def _compared(name: str, images: list[Path], turns: int) -> Iterator[Compared]:
    kept = [path.read_bytes() for path in images]
    _check_same(images)
    what = f"volume of {len(images)} slices, {name}"
    yield turn_by_turn(what, lambda: _from_files(images), lambda: _series(images), limit=LIMITS[name], turns=turns)
    yield turn_by_turn(
        f"{what}, ours from bytes in memory",
        lambda: _from_bytes(kept),
        lambda: _series(images),
        limit=LIMITS[name],
        turns=turns,
    )


def _from_files(images: Sequence[Path]) -> LoadedSeries:
    return load(survey([parse_file(path) for path in images])[0])


def _from_bytes(kept: Sequence[bytes]) -> LoadedSeries:
    return load(survey([parse(data) for data in kept])[0])


def _series(images: Sequence[Path]) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in images])
    read: sitk.Image = reader.Execute()
    return read


def _check_same(images: Sequence[Path]) -> None:
    ours, theirs = _from_files(images).image.volume.array, sitk.GetArrayFromImage(_series(images))
    if not np.array_equal(ours, theirs):
        raise ValueError("the volumes differ")


def _compressed(images: Sequence[Path], folder: Path, syntax: UID) -> list[Path]:
    """The images in another transfer syntax, made once."""
    folder.mkdir(exist_ok=True)
    paths = [folder / path.name for path in images]
    for path, compressed in zip(images, paths, strict=True):
        if not compressed.exists():
            dataset = pydicom.dcmread(path)
            dataset.compress(syntax, generate_instance_uid=False)
            dataset.save_as(compressed)
    return paths
