"""Tumour bundles on real data of patients they never saw: a series as DICOM ends in a SEG and a coded finding;
the figures of the card are what `evaluate` gives.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest
from highdicom import Volume

from dicom_node.operation.came_back import mask_on
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.algorithms import Runtime
from inference.algorithms.segment import Segmenter
from inference.catalogue import describe
from inference.evaluation.folders import cases
from inference.evaluation.run import evaluate
from inference.findings import Mask
from tests import peers

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
SAMPLE = Path(__file__).parent / "tumour_segmenter_sample.json"
KINDS = {"393564001", "302820008", "254956000"}


def folder(name: str) -> Path:
    if not (DATA / name).is_dir():
        pytest.skip(f"shared/data/{name} is not here")
    return DATA / name


def process(source: Path, out: Path, algorithm: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "dicom_node", "process", str(source), "--out", str(out), "--algorithm", algorithm]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    (study,) = json.loads(done.stdout)["studies"]
    (reading,) = study["algorithms"]
    return dict(reading)


def series(target: Path, agent: str | None = "Gadobutrol") -> tuple[Path, Mask, Volume]:
    """A volume of another hospital as DICOM with 5 mm slices: its files say 1 mm, which no brain has."""
    case = cases(folder("brain-tumour-progression"))[2]
    made = case.load()
    volume = made.image.volume
    affine = volume.affine.copy()
    affine[:3, 0] *= 5.0
    assert made.truth is not None
    apart = type(volume)(volume.array, affine, coordinate_system="PATIENT")
    target.mkdir(parents=True)
    labels = Labels(seed="tumour", series_description="AX T1")
    for number, dataset in enumerate(series_from_volume(apart, labels=labels)):
        if agent:
            dataset.ContrastBolusAgent = agent
        dataset.save_as(target / f"{number:03d}.dcm", enforce_file_format=True)
    return target, made.truth, apart


@pytest.mark.parametrize("algorithm", ["tumour-segmenter", "tumour-localiser"])
def test_a_series_ends_in_a_seg_of_the_tumour_and_a_coded_finding(tmp_path: Path, algorithm: str) -> None:
    source, truth, _ = series(tmp_path / "series")
    reading = process(source, tmp_path / "out", algorithm)
    assert reading["outcome"] == "result"
    seg = next(made for made in reading["objects"] if made["kind"] == "SEG")
    sources = [pydicom.dcmread(path) for path in sorted(source.iterdir())]
    mask = mask_on(pydicom.dcmread(seg["path"]), sources)
    # these masks hold the enhancing rim alone, the training's the whole mass: most of the one lies in the other
    assert (mask & truth).sum() > 0.6 * truth.sum()
    assert (mask & truth).sum() > 0.15 * mask.sum()
    largest = reading["findings"][0]
    assert 0.0 < largest["probability"] <= 1.0
    if algorithm == "tumour-segmenter":
        assert largest["code"]["value"] in KINDS
    for made in reading["objects"]:
        assert not peers.dciodvfy(Path(made["path"]))


def test_a_series_without_contrast_agent_is_not_read(tmp_path: Path) -> None:
    source, _, _ = series(tmp_path / "series", agent=None)
    reading = process(source, tmp_path / "out", "tumour-segmenter")
    assert reading["outcome"] == "abstained"
    assert "no contrast agent" in reading["reason"]


def test_a_sample_of_the_card_comes_out_again() -> None:
    """Forty slices of the fold that was kept, the same for ever: what `evaluate` said of them is what it says."""
    said = json.loads(SAMPLE.read_text(encoding="utf-8"))
    found = sample()
    assert found["digest"] == said["digest"], "made by another bundle: run tests/test_real_tumours.py"
    for name, figure in said["subsets"][0]["metrics"].items():
        assert found["subsets"][0]["metrics"][name]["value"] == pytest.approx(figure["value"], abs=2e-3), name


def sample() -> dict[str, Any]:
    """Figures of every sixteenth slice of fold 4, forty of them."""
    bundle = describe("tumour-segmenter", None).bundle
    assert bundle is not None
    kept = [case for case in cases(folder("brain-tumour-t1c")) if case.fold == 4][::16][:40]
    reader = Segmenter.opened(bundle, Runtime(providers=("cpu",), threads=0))
    return evaluate(reader, [("sample", kept)], lambda *_: None)


if __name__ == "__main__":
    SAMPLE.write_text(json.dumps(sample(), indent=2) + "\n", encoding="utf-8")
