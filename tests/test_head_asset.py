"""The template is reduced without turning the patient round; the wheel here is made up, its files are as nilearn's."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from export_onnx.training.head_asset import MAPS, write

ORIGIN = (-10.0, -20.0, -30.0)


def _nifti(voxels: NDArray[np.uint8], *, datatype: int = 2, step: float = 1.0) -> bytes:
    """NIfTI-1 of voxels (x, y, z) in RAS, 1 mm."""
    header = bytearray(352)
    header[40:56] = np.array([3, *voxels.shape, 1, 1, 1, 1], dtype="<i2").tobytes()
    header[70:72] = np.array([datatype], dtype="<i2").tobytes()
    header[108:112] = np.array([352.0], dtype="<f4").tobytes()
    rows = np.column_stack([np.eye(3) * step, ORIGIN]).astype("<f4")
    header[280:328] = rows.tobytes()
    return gzip.compress(bytes(header) + voxels.tobytes(order="F"))


def _wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(f"nilearn/datasets/data/mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz", data)
    return path


def test_a_spot_at_the_right_front_top_stays_there(tmp_path: Path) -> None:
    voxels = np.zeros((21, 11, 8), dtype=np.uint8)
    voxels[18:20, 8:10, 6:8] = 200  # RAS: high x is right, high y is front, high z is top
    out = tmp_path / "assets" / "head.npz"
    write(_wheel(tmp_path / "wheel.zip", dict.fromkeys(MAPS, _nifti(voxels))), out)
    with np.load(out, allow_pickle=False) as asset:
        assert asset["t1"].shape == (4, 5, 10)  # half as many, the odd last one left out
        ((k, j, i),) = np.argwhere(asset["t1"] > 100)
        position = asset["affine"] @ [k, j, i, 1.0]
        assert asset["t1"][k, j, i] == 200
        np.testing.assert_array_equal(asset["gm"], asset["t1"])
    # the middle of the spot, (18.5, 8.5, 6.5) + origin, in RAS; x and y turn their sign in LPS
    np.testing.assert_allclose(position[:3], [-(18.5 - 10.0), -(8.5 - 20.0), 6.5 - 30.0])


def test_grey_and_white_matter_end_with_the_brain(tmp_path: Path) -> None:
    brain, everywhere = np.zeros((4, 4, 4), dtype=np.uint8), np.full((4, 4, 4), 128, dtype=np.uint8)
    brain[:2] = 160
    files = {"t1": _nifti(brain), "gm": _nifti(everywhere), "wm": _nifti(everywhere)}
    write(_wheel(tmp_path / "wheel.zip", files), tmp_path / "head.npz")
    with np.load(tmp_path / "head.npz", allow_pickle=False) as asset:
        np.testing.assert_array_equal(asset["gm"] > 0, asset["t1"] > 0)


def test_the_same_wheel_gives_the_same_bytes(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (12, 12, 12), dtype=np.uint8)
    wheel = _wheel(tmp_path / "wheel.zip", dict.fromkeys(MAPS, _nifti(voxels)))
    for name in ("one.npz", "two.npz"):
        write(wheel, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize("changes", [{"datatype": 16}, {"step": 2.0}])
def test_another_kind_of_file_is_refused(tmp_path: Path, changes: dict[str, float]) -> None:
    voxels = np.zeros((4, 4, 4), dtype=np.uint8)
    odd = _nifti(voxels, **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected uint8 voxels of 1 mm in RAS"):
        write(_wheel(tmp_path / "wheel.zip", dict.fromkeys(MAPS, odd)), tmp_path / "head.npz")
