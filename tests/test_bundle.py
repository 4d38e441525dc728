"""A bundle is what SHA256SUMS says, or it does not load."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_onnx import package
from inference.bundle import load
from inference.errors import BundleError
from inference.graph import plain_path
from inference.manifest import from_values
from tests import tiny_bundles

COVERED = ("bundle.json", "graphs/segment.onnx", "parity/segment-inputs.npz", "parity/segment-expected.npz")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundles.written(tmp_path, notes={"MODEL_CARD.md": b"# Tiny\n"}).path


def test_a_whole_bundle_loads_with_the_digest_of_its_sums(bundle: Path) -> None:
    loaded = load(bundle)
    assert loaded.digest == hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest()
    assert loaded.algorithm.digest == loaded.digest
    assert (loaded.algorithm.name, loaded.algorithm.version) == ("tiny", "1.0.0")
    assert set(loaded.hashes) == {
        "bundle.json",
        "graphs/segment.onnx",
        "parity/segment-inputs.npz",
        "parity/segment-expected.npz",
    }


def test_sha256sum_agrees(bundle: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("sha256sum is not installed")
    done = subprocess.run([program, "--check", "--strict", "SHA256SUMS"], cwd=bundle, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_written_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (tiny_bundles.written(tmp_path / name) for name in ("one", "two"))
    assert one.digest == two.digest
    for name in one.hashes:
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


@pytest.mark.parametrize("name", COVERED)
def test_a_changed_byte_is_refused_by_name(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(bytes(data))
    with pytest.raises(BundleError, match=f"{name}: sha256 is {hashlib.sha256(data).hexdigest()}"):
        load(bundle)


def test_a_missing_file_is_refused_by_name(bundle: Path) -> None:
    (bundle / "graphs/segment.onnx").unlink()
    with pytest.raises(BundleError, match=r"graphs/segment\.onnx: missing"):
        load(bundle)


@pytest.mark.parametrize("name", ["graphs/other.onnx", "weights.pkl", "parity/.hidden", "sub/folder/file"])
def test_an_unlisted_file_is_refused_by_name(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=rf"{name}: not in SHA256SUMS"):
        load(bundle)


def test_what_is_learnt_later_changes_nothing(bundle: Path) -> None:
    before = load(bundle).digest
    (bundle / "MODEL_CARD.md").write_text("another card")
    (bundle / "metrics.json").write_text("{}")
    assert load(bundle).digest == before


def test_a_link_is_refused_whether_to_a_file_or_a_folder(bundle: Path, tmp_path: Path) -> None:
    graph = bundle / "graphs/segment.onnx"
    outside = tmp_path / "outside.onnx"
    outside.write_bytes(graph.read_bytes())
    graph.unlink()
    graph.symlink_to(outside)
    with pytest.raises(BundleError, match=r"graphs/segment\.onnx: a link"):
        load(bundle)
    shutil.rmtree(bundle / "graphs")
    (tmp_path / "elsewhere").mkdir()
    (bundle / "graphs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="graphs: a link"):
        load(bundle)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "graphs/../../outside", "./bundle.json", "graphs//x", "graphs\\x", ".."]
)
def test_names_that_lead_outside_are_refused(bundle: Path, name: str) -> None:
    (bundle.parent / "outside").write_bytes(b"x")
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(f"{hashlib.sha256(b'x').hexdigest()}  {name}\n")
    with pytest.raises(BundleError, match="line 5"):
        load(bundle)


@pytest.mark.parametrize("line", ["", "no hash", "0" * 64 + " one blank", "0" * 63 + "  x"])
def test_a_broken_line_of_the_sums_is_refused_by_number(bundle: Path, line: str) -> None:
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(line + "\nrest\n")
    with pytest.raises(BundleError, match="line 5"):
        load(bundle)


def test_a_line_twice_is_refused(bundle: Path) -> None:
    sums = bundle / "SHA256SUMS"
    sums.write_text(sums.read_text() + sums.read_text().splitlines()[0] + "\n")
    with pytest.raises(BundleError, match=r"line 5: bundle\.json"):
        load(bundle)


def test_a_folder_of_another_name_is_refused(bundle: Path) -> None:
    moved = bundle.rename(bundle.with_name("tiny-2.0.0"))
    with pytest.raises(BundleError, match=r"tiny-2\.0\.0: bundle\.json names it tiny-1\.0\.0"):
        load(moved)


def test_no_folder_and_no_sums_are_refused(tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        load(tmp_path / "nothing-1.0.0")
    (bundle / "SHA256SUMS").unlink()
    with pytest.raises(BundleError, match="SHA256SUMS: cannot be read"):
        load(bundle)


def test_an_unknown_key_of_the_manifest_is_named(bundle: Path) -> None:
    _rewrite(bundle, {"remote_code": True})
    with pytest.raises(BundleError, match=r"bundle\.json: remote_code: Extra inputs"):
        load(bundle)


def test_a_graph_outside_the_sums_is_refused(bundle: Path) -> None:
    _rewrite(
        bundle, {"graphs": tiny_bundles.graph_of([None, 1, None, None], [None, 1, None, None], file="MODEL_CARD.md")}
    )
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md: named by"):
        load(bundle)


def test_bytes_that_changed_after_loading_are_not_handed_out(bundle: Path) -> None:
    loaded = load(bundle)
    assert loaded.read("graphs/segment.onnx") == (bundle / "graphs/segment.onnx").read_bytes()
    (bundle / "graphs/segment.onnx").write_bytes(b"other")
    with pytest.raises(BundleError, match="sha256 is"):
        loaded.read("graphs/segment.onnx")
    with pytest.raises(BundleError, match="not in SHA256SUMS"):
        loaded.read("MODEL_CARD.md")


def test_a_note_may_not_pose_as_a_covered_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"graphs/x\.onnx"):
        package.write(tmp_path, from_values(tiny_bundles.manifest()), {}, {"graphs/x.onnx": b""})


@given(st.text(max_size=40))
def test_a_plain_path_never_leaves_its_folder(name: str) -> None:
    try:
        plain_path(name)
    except ValueError:
        return
    base = Path("/bundle")
    assert (base / name).resolve().is_relative_to(base)
    assert (base / name).resolve() != base


def _rewrite(bundle: Path, changes: dict[str, object]) -> None:
    """Another manifest, its sum put right: only the content is wrong."""
    manifest = bundle / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))
    lines = (bundle / "SHA256SUMS").read_text().splitlines()
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    lines = [f"{digest}  bundle.json" if line.endswith("  bundle.json") else line for line in lines]
    (bundle / "SHA256SUMS").write_text("\n".join(lines) + "\n")
