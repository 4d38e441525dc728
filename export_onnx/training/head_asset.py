"""Reduces the ICBM 2009a template in nilearn's wheel to the asset of synthetic heads; knows just enough NIfTI-1.

The same wheel gives the same bytes. Attribution and licence of the template stand in NOTICE.
"""

import gzip
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAPS = ("t1", "gm", "wm")
"""T1-weighted mean and the probabilities of grey and of white matter."""

SPACING_MM = 2.0
"""Edge of a voxel of the asset."""

_MEMBER = "nilearn/datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
_LEVELS = 32  # grey values kept: the mean of 152 heads carries no more that a synthetic head would show
_NIFTI_UINT8 = 2


def write(wheel: Path, out: Path) -> None:
    """Write the asset.

    Parameters
    ----------
    wheel
        nilearn 0.14.1, which carries the template.
    out
        File to write: an npz with `t1`, `gm`, `wm`, each (slice, row, column), uint8, LPS with slices ascending to the
        head, and `affine`, (4, 4), float64, index to LPS in mm.

    Raises
    ------
    ValueError
        If a member of the wheel is not the NIfTI-1 file it is known to be.
    """
    maps: dict[str, NDArray[np.uint8]] = {}
    affine = np.eye(4)
    with zipfile.ZipFile(wheel) as members:
        for name in MAPS:
            voxels, origin = _nifti(gzip.decompress(members.read(_MEMBER.format(name))))
            maps[name], affine = _reduced(voxels, origin)
    brain = (maps["t1"] > 0).astype(np.uint8)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, t1=maps["t1"], gm=maps["gm"] * brain, wm=maps["wm"] * brain, affine=affine)


def _nifti(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Voxels (x, y, z) in RAS and the position of the first one, mm; fields by their offset in the NIfTI-1 header."""
    shape = tuple(int(n) for n in np.frombuffer(data, "<i2", 3, offset=42))
    datatype = int(np.frombuffer(data, "<i2", 1, offset=70)[0])
    start = int(np.frombuffer(data, "<f4", 1, offset=108)[0])
    srow = np.frombuffer(data, "<f4", 12, offset=280).reshape(3, 4).astype(np.float64)
    if datatype != _NIFTI_UINT8 or not np.array_equal(srow[:, :3], np.eye(3)):
        raise ValueError(f"expected uint8 voxels of 1 mm in RAS, found type {datatype}, axes {srow[:, :3].tolist()}")
    voxels = np.frombuffer(data, np.uint8, int(np.prod(shape)), offset=start).reshape(shape, order="F")
    return voxels, srow[:, 3]


def _reduced(voxels: NDArray[np.uint8], origin: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Means over 2 x 2 x 2 voxels, quantised, as (slice, row, column) in LPS, with the affine of the new grid."""
    even = voxels[: voxels.shape[0] // 2 * 2, : voxels.shape[1] // 2 * 2, : voxels.shape[2] // 2 * 2].astype(np.float32)
    half = (n // 2 for n in even.shape)
    nx, ny, nz = half
    means = even.reshape(nx, 2, ny, 2, nz, 2).mean(axis=(1, 3, 5))
    step = 256 // _LEVELS
    quantised = np.clip(np.rint(means / step) * step, 0, 255).astype(np.uint8)
    lps = quantised.transpose(2, 1, 0)[:, ::-1, ::-1]  # z up; y and x turned: rows to posterior, columns to left
    first = origin + 0.5  # the new voxel's centre lies between the two old ones
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = SPACING_MM
    affine[:, 3] = [-(first[0] + SPACING_MM * (nx - 1)), -(first[1] + SPACING_MM * (ny - 1)), first[2], 1.0]
    return np.ascontiguousarray(lps), affine
