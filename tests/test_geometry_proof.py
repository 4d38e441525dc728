"""The proof before a start: it holds for what ships, and finds each way in which a mask could go astray."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Volume
from numpy.typing import NDArray

from dicom_node.errors import ConfigError, DefectError
from dicom_node.reading import geometry_gate, phantom, volume
from dicom_node.reading.geometry_gate import RECORD, pass_gate
from dicom_node.reading.geometry_proof import Proof, prove
from dicom_node.results import segmentation
from inference.catalogue import Description, describe
from inference.imaging.grid import onto
from inference.imaging.laying import Laying
from inference.imaging.preprocess import prepare
from inference.inputs import Inputs, TextInputs
from tests import phantoms

CLASSICAL = Description(
    name="in code", algorithm=phantoms.algorithm(), inputs=Inputs(modality=("MR",), weighting=()), bundle=None
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five orientations, among them each axis first and each way round."""
    chosen = [((0, 1, 2), (1, 1, 1)), ((1, 2, 0), (1, -1, 1)), ((2, 0, 1), (-1, 1, 1)), ((2, 1, 0), (1, 1, -1))]
    monkeypatch.setattr(phantom, "orientations", lambda: iter(chosen))


def test_the_phantom_has_no_symmetry() -> None:
    solid = phantom.solid() > 0
    own = (tuple(range(3)), (1, 1, 1))
    corners = np.argwhere(solid)
    box = solid[tuple(slice(a, b + 1) for a, b in zip(corners.min(axis=0), corners.max(axis=0), strict=True))]
    for axes, signs in phantom.orientations():
        turned = np.transpose(box, axes)[tuple(slice(None, None, sign) for sign in signs)]
        if (axes, signs) != own and turned.shape == box.shape:
            assert 2 * (turned & box).sum() / (2 * box.sum()) < 0.8


def test_every_orientation_comes_back_through_all_that_ships() -> None:
    names = ("brain-extractor", "brain-lesions", "lesion-segmenter", "tumour-localiser", "tumour-segmenter")
    proof = prove([describe(name, None) for name in names])
    assert proof == Proof(series=96, by_algorithm=dict.fromkeys(names, 96))


def mirrored(function: Callable[..., Any], axis: int) -> Callable[..., Any]:
    """The function with its array mirrored."""
    return lambda *given, **named: np.ascontiguousarray(np.flip(function(*given, **named), axis))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mask_mirrored_on_its_way_back_is_found(monkeypatch: pytest.MonkeyPatch, axis: int) -> None:
    monkeypatch.setattr(Laying, "on_planes", mirrored(Laying.on_planes, axis))
    with pytest.raises(DefectError, match="does not come back as it was"):
        prove([CLASSICAL])


@pytest.mark.usefixtures("few")
def test_a_volume_shifted_by_a_slice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Laying.on_grid

    def shifted(self: Laying, planes: NDArray[Any], beyond: float = 0.0) -> NDArray[Any]:
        return np.roll(original(self, planes, beyond), 1, axis=0)

    monkeypatch.setattr(Laying, "on_grid", shifted)
    with pytest.raises(DefectError, match="does not come back as it was"):
        prove([CLASSICAL])


@pytest.mark.usefixtures("few")
def test_a_segmentation_written_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = segmentation.write

    def moved(*given: Any) -> Any:
        dataset = original(*given)
        frames = dataset.PerFrameFunctionalGroupsSequence
        first, last = frames[0].PlanePositionSequence, frames[-1].PlanePositionSequence
        frames[0].PlanePositionSequence, frames[-1].PlanePositionSequence = last, first
        return dataset

    monkeypatch.setattr(segmentation, "write", moved)
    with pytest.raises(DefectError, match="mm from where its mask was drawn"):
        prove([CLASSICAL])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_bundle_whose_way_mirrors_is_found(monkeypatch: pytest.MonkeyPatch, axis: int) -> None:
    monkeypatch.setattr("inference.geometry_probe.onto", mirrored(onto, axis))
    with pytest.raises(DefectError, match="comes back from tumour-segmenter with an overlap of 0"):
        prove([describe("tumour-segmenter", None)])


@pytest.mark.usefixtures("few")
def test_a_bundle_whose_way_forgets_an_offset_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def displaced(given: Volume, *rest: Any) -> Volume:
        made = prepare(given, *rest)
        affine = made.affine.copy()
        affine[:3, 3] += 12.0
        return Volume(made.array, affine, "PATIENT", frame_of_reference_uid=made.frame_of_reference_uid)

    monkeypatch.setattr("inference.geometry_probe.prepare", displaced)
    with pytest.raises(DefectError, match="comes back from lesion-segmenter"):
        prove([describe("lesion-segmenter", None)])


@pytest.mark.usefixtures("few")
def test_what_was_proved_is_not_proved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pass_gate([CLASSICAL], tmp_path) == {"in code": 8}
    monkeypatch.setattr(geometry_gate, "prove", None)
    assert pass_gate([CLASSICAL], tmp_path) == {"in code": 8}


@pytest.mark.usefixtures("few")
def test_another_program_is_proved_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_gate([CLASSICAL], tmp_path)
    before = json.loads((tmp_path / RECORD).read_text())
    monkeypatch.setattr(geometry_gate, "_program", lambda: "f" * 64)
    pass_gate([CLASSICAL], tmp_path)
    assert set(json.loads((tmp_path / RECORD).read_text())).isdisjoint(before)


@pytest.mark.usefixtures("few")
def test_a_torn_record_is_no_proof(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text("{")
    assert pass_gate([CLASSICAL], tmp_path) == {"in code": 8}


@pytest.mark.usefixtures("few")
def test_a_mismatch_stops_the_start_and_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "Volume", lambda array, *rest, **named: Volume(array[::-1].copy(), *rest, **named))
    with pytest.raises(ConfigError, match="does not come back as it was"):
        pass_gate([CLASSICAL], tmp_path)
    assert not (tmp_path / RECORD).exists()


def test_what_reads_text_needs_no_proof(tmp_path: Path) -> None:
    reader = Description(name="text", algorithm=phantoms.algorithm(), inputs=TextInputs(), bundle=None)
    assert pass_gate([reader], tmp_path) == {"text": 0}
