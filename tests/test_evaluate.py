"""`dicom-node evaluate` as a researcher calls it, with a bundle that says of a picture what the picture holds."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture
from rich.console import Console
from typer.testing import CliRunner, Result

from dicom_node import __main__ as command_line
from dicom_node.__main__ import app
from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError, NodeError
from dicom_node.operation.evaluate import Data, evaluate_bundle
from dicom_node.operation.show_evaluation import show_evaluation
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.results import segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.source import Source
from inference.errors import DataError
from tests import phantoms, tiny_bundles, tiny_lesions

SHARE = [{"op": "window", "center": 127.5, "width": 255.0}]
"""Grey values 0 to 255 to 0 to 1, which the bundle gives back as probability."""

QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    import structlog

    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that marks what is bright, and one that marks only what is very bright."""
    folder = tmp_path_factory.mktemp("bundles")
    spec = tiny_bundles.manifest()["segments"][0]
    tiny_bundles.written(folder, preprocess=SHARE)
    tiny_bundles.written(folder, name="strict", preprocess=SHARE, segments=[{**spec, "threshold": 0.95}])
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of three patients in two folds, and three without finding in a folder beside them."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for sample in range(6):
        picture, mask = drawn(sample)
        save(folder / "pairs" / "glioma" / f"{sample}_mri.jpg", picture)
        save(folder / "pairs" / "glioma" / f"{sample}_mask.jpg", mask)
        rows.append({"sample": str(sample), "patient": f"P{sample // 2}", "tumour": "glioma", "fold": str(sample // 4)})
        if sample < 3:
            save(folder / "plain" / f"{sample}.png", drawn(sample + 10)[0] // 4)
    with (folder / "pairs" / "index.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def drawn(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A bright square on noise, and its mask."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(20, 60, size=(32, 40), dtype=np.uint8)
    mask = np.zeros((32, 40), np.uint8)
    row, column = rng.integers(4, 18, size=2)
    picture[row : row + 8, column : column + 10] = 225
    mask[row : row + 8, column : column + 10] = 255
    return picture, mask


def save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(array).save(path, quality=95) if path.suffix == ".jpg" else Picture.fromarray(array).save(path)


def settings(bundles: Path) -> InferenceTable:
    return InferenceTable(bundles_dir=str(bundles), threads=1)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def by_name(told: dict[str, Any]) -> dict[str, Any]:
    return {subset["name"]: subset for subset in told["subsets"]}


def test_json_is_one_object_and_the_file_holds_the_same(bundles: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "metrics.json"
    done = call(bundles / "tiny-1.0.0", data / "pairs", data / "plain", "--json", "--out", out)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == json.loads(out.read_text(encoding="utf-8"))
    assert told["bundle"] == "tiny-1.0.0"
    assert [(s["name"], s["n_cases"]) for s in told["subsets"]] == [("pairs", 6), ("plain", 3), ("all", 9)]
    pairs, plain, both = (s["metrics"] for s in told["subsets"])
    assert pairs["pixel_dice"]["value"] > 0.95
    assert pairs["case_dice"]["ci95"][0] <= pairs["case_dice"]["value"] <= pairs["case_dice"]["ci95"][1]
    assert plain["case_dice"]["value"] == 1.0
    assert both["image_auroc"]["value"] == 1.0
    assert told["subsets"][2]["baselines"]["image_auroc_by_source"] == 1.0


def test_a_fold_leaves_out_the_others_and_keeps_what_has_none(bundles: Path, data: Path, tmp_path: Path) -> None:
    told = evaluate_bundle("tiny", Data(folders=[data / "pairs"], fold=1), settings(bundles), QUIET)
    assert by_name(told)["pairs"]["n_cases"] == 2
    study(tmp_path / "dicom")
    both = Data(folders=[data / "pairs", tmp_path / "dicom"], fold=0, segment="Lesion")
    told = evaluate_bundle("tiny", both, settings(bundles), QUIET)
    assert [(s["name"], s["n_cases"]) for s in told["subsets"]] == [("pairs", 4), ("dicom", 1), ("all", 5)]
    with pytest.raises(DataError, match="none of its 6 cases is of fold 9"):
        evaluate_bundle("tiny", Data(folders=[data / "pairs"], fold=9), settings(bundles), QUIET)


def study(folder: Path) -> None:
    """A series that is bright where its segment "Lesion" lies."""
    found = phantoms.two_lesions()
    volume = phantoms.volume()
    bright = volume.with_array(np.where(found.segments[1].mask, 240.0, 10.0).astype(np.float32))
    images = series_from_volume(bright, labels=Labels(seed="seg", patient_id="SECRET-7"))
    folder.mkdir()
    for number, dataset in enumerate(images):
        dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    source = Source(datasets=tuple(images), frame_numbers=(), planes=phantoms.planes_of(volume))
    (folder / "seg.dcm").write_bytes(to_file(segmentation.write(found, source, phantoms.identity())))


def test_dicom_with_segmentations_goes_the_way_of_the_node(bundles: Path, tmp_path: Path) -> None:
    study(tmp_path / "dicom")
    done = call(bundles / "tiny-1.0.0", tmp_path / "dicom", "--segment", "Lesion", "--json")
    assert done.exit_code == 0, done.output
    assert "SECRET" not in done.output
    figures = by_name(json.loads(done.stdout))["dicom"]["metrics"]
    assert figures["pixel_dice"]["value"] == 1.0
    assert figures["lesion_sensitivity"]["value"] == 1.0
    assert figures["image_auroc"]["value"] == 1.0


def test_two_bundles_are_compared(bundles: Path, data: Path) -> None:
    told = evaluate_bundle("tiny", Data(folders=[data / "pairs"]), settings(bundles), QUIET, against="strict")
    assert told["against"]["bundle"] == "strict-1.0.0"
    test = by_name(told["against"])["pairs"]["differences"]["case_dice"]
    assert test["n"] == 3
    assert test["mean"] > 0.9
    assert test["p"] < 0.01
    console = Console(record=True, width=120)
    show_evaluation(console, told)
    shown = console.export_text()
    assert "case_dice: the first bundle's minus this one's is +" in shown
    assert "over 3 patients" in shown
    with pytest.raises(DataError, match="2 patients or more"):
        evaluate_bundle("tiny", Data(folders=[data / "pairs"], fold=1), settings(bundles), QUIET, against="strict")


def test_words_for_people(bundles: Path, data: Path) -> None:
    done = call(bundles / "tiny-1.0.0", data / "pairs", data / "plain")
    assert done.exit_code == 0
    assert "pairs: 6 cases of 3 patients" in done.stdout
    assert "pixel_accuracy_all_negative" in done.stdout
    assert "several sources" in done.stdout


def test_what_the_bundle_was_not_made_for_is_a_no(data: Path, tmp_path: Path) -> None:
    small = tiny_bundles.written(tmp_path, limits={"max_voxels": 10}).path
    done = call(small, data / "plain", "--json")
    assert done.exit_code == 1
    assert by_name(json.loads(done.stdout))["plain"]["n_abstained"] == 3


def test_wrong_use_and_wrong_data_are_told_apart(
    bundles: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def code(*arguments: str | Path) -> int | str | None:
        monkeypatch.setattr("sys.argv", ["dicom-node", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        return caught.value.code

    tiny = bundles / "tiny-1.0.0"
    assert code("no-such-bundle", data / "plain") == 2
    assert "no algorithm or bundle is called 'no-such-bundle'" in capsys.readouterr().err
    assert code(tiny_lesions.written(tmp_path / "lesions").path, data / "plain") == 2
    assert "draws nothing into images" in capsys.readouterr().err
    assert code(tiny, data / "nowhere") == 2
    assert code(tiny, data / "plain", "--out", tmp_path / "no" / "m.json") == 2
    capsys.readouterr()
    picture, _ = drawn(1)
    save(tmp_path / "glioma" / "1_mri.jpg", picture)
    save(tmp_path / "glioma" / "1_mask.jpg", picture[:, :30])
    (tmp_path / "index.csv").write_text("sample,patient,tumour,fold\n1,P,glioma,1\n", encoding="utf-8")
    assert code(tiny, tmp_path) == 1
    assert "glioma/1: the mask has 30 x 32 pixels, its image 40 x 32" in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal(bundles: Path, data: Path) -> None:
    screen = StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    evaluate_bundle("tiny", Data(folders=[data / "plain"]), settings(bundles), terminal)
    assert "tiny-1.0.0" in screen.getvalue()


def test_a_file_that_cannot_be_written_is_said_after_the_figures(bundles: Path, data: Path, tmp_path: Path) -> None:
    done = call(bundles / "tiny-1.0.0", data / "plain", "--json", "--out", tmp_path)
    assert json.loads(done.stdout)["bundle"] == "tiny-1.0.0"
    assert isinstance(done.exception, NodeError)


def test_folders_of_one_name_are_told_apart(bundles: Path, data: Path, tmp_path: Path) -> None:
    save(tmp_path / "plain" / "0.png", drawn(3)[0] // 4)
    told = evaluate_bundle("tiny", Data(folders=[data / "plain", tmp_path / "plain"]), settings(bundles), QUIET)
    assert [s["name"] for s in told["subsets"]] == [str(data / "plain"), str(tmp_path / "plain"), "all"]


def test_a_changed_bundle_is_refused(data: Path, tmp_path: Path) -> None:
    changed = tiny_bundles.written(tmp_path).path
    (changed / "graphs" / "segment.onnx").write_bytes(b"other")
    with pytest.raises(ConfigError, match=r"segment\.onnx"):
        evaluate_bundle(str(changed), Data(folders=[data / "plain"]), InferenceTable(), QUIET)
