"""Names lead to one verified bundle, the highest version, and a refusal says which key would accept it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.catalogue import CLASSICAL, describe, names, open_reader, refusal
from inference.errors import BundleError
from inference.inputs import Inputs
from tests import tiny_bundles
from tests.tiny_bundles import CPU

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's folder: two versions of one bundle, and things that are none."""
    for version in ("1.9.0", "1.10.0"):
        tiny_bundles.written(tmp_path, version=version)
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.txt").write_text("ours")
    return tmp_path


def test_every_name_is_listed_once(site: Path) -> None:
    assert names(None) == tuple(sorted(names(None)))
    assert CLASSICAL in names(None)
    assert set(names(site)) == {*names(None), "tiny"}


def test_a_name_means_the_highest_version_and_a_full_name_that_one(site: Path) -> None:
    assert describe("tiny", site).algorithm.version == "1.10.0"
    assert describe("tiny-1.9.0", site).algorithm.version == "1.9.0"
    described = describe("tiny", site)
    assert described.bundle is not None
    assert described.algorithm.digest == described.bundle.digest
    assert isinstance(described.inputs, Inputs)
    assert described.inputs.modality == ("MR",)


@pytest.mark.parametrize("name", ["nothing", "tiny-2.0.0", "tiny-1", "../tiny-1.9.0", "notes", ""])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(site: Path, name: str) -> None:
    with pytest.raises(BundleError, match="known: brain-extractor, brain-lesions"):
        describe(name, site)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="folder of bundles is not there"):
        names(tmp_path / "missing")


def test_a_changed_bundle_is_not_described(site: Path) -> None:
    (site / "tiny-1.10.0" / "graphs" / "segment.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"tiny-1\.10\.0/graphs/segment\.onnx"):
        describe("tiny", site)


def test_the_same_bundle_in_both_folders_must_be_decided_by_a_person(
    site: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path_factory.mktemp("shipped")
    shutil.copytree(site / "tiny-1.10.0", shipped / "tiny-1.10.0")
    monkeypatch.setattr("inference.catalogue.shipped_bundles_dir", shipped)
    with pytest.raises(BundleError, match=r"tiny-1\.10\.0 lies in .* and in .*: remove one"):
        describe("tiny", site)
    assert describe("tiny", shipped).algorithm.version == "1.10.0"  # one folder named twice is one folder


def test_a_bundle_opens_as_a_reader(site: Path) -> None:
    reader = open_reader("tiny", site, CPU)
    assert (reader.algorithm.version, reader.provider) == ("1.10.0", "CPUExecutionProvider")


def test_describing_loads_no_onnxruntime(site: Path) -> None:
    script = (
        "import sys, json; from pathlib import Path; from inference.catalogue import names, describe, refusal\n"
        "site = Path(sys.argv[1])\n"
        "found = [describe(name, site).algorithm.name for name in names(site)]\n"
        "print(json.dumps([found, sorted(m for m in ('onnxruntime', 'torch', 'onnx') if m in sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(site)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found, loaded = json.loads(done.stdout)
    assert "tiny" in found
    assert loaded == []


@pytest.mark.parametrize(
    ("training", "clinical_use", "allow_synthetic", "allow_research", "key"),
    [
        ("synthetic-findings", "research", False, False, "allow_synthetic = true"),
        ("synthetic-findings", "research", False, True, "allow_synthetic = true"),
        ("synthetic-findings", "research", True, False, None),
        ("synthetic-appearance", "research", False, False, None),
        ("real", "research", False, False, None),
        ("real", "cleared", False, False, None),
        ("real", "forbidden", False, False, "allow_research = true"),
        ("real", "forbidden", True, False, "allow_research = true"),
        ("real", "forbidden", False, True, None),
        ("synthetic-findings", "forbidden", True, False, "allow_research = true"),
        ("synthetic-findings", "forbidden", True, True, None),
    ],
)
def test_a_refusal_names_the_key_that_would_accept(
    tmp_path: Path,
    training: str,
    clinical_use: str,
    allow_synthetic: bool,  # noqa: FBT001
    allow_research: bool,  # noqa: FBT001
    key: str | None,
) -> None:
    licence = {"name": "X", "clinical_use": clinical_use}
    bundle = tiny_bundles.written(tmp_path, training=training, licence=licence)
    said = refusal(bundle, allow_synthetic=allow_synthetic, allow_research=allow_research)
    assert (said is None) == (key is None)
    if said is not None and key is not None:
        assert key in said
        assert "tiny 1.0.0" in said
