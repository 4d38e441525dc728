"""Real heads with the brain masks of deepbet, another program: a folder that `evaluate` reads; learns nothing.

deepbet brings a torch of its own, so that it runs with another interpreter. README of the workshop: it asks for
deepbet 1.0.2 without its dependencies (a window toolkit is among them), torch, nibabel, tqdm, pandas, fill-voids,
fastremap and connected-components-3d.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import SimpleITK as sitk

from export_onnx.errors import ExportError

_PATIENT_ID = "0010|0020"
_LEAST_SLICES = 15

_SCRIPT = """
import sys, time, types
from unittest.mock import MagicMock
sys.modules["customtkinter"] = MagicMock()  # of its window, which stays shut
from deepbet.bet import BrainExtraction
extraction = BrainExtraction(no_gpu=True)
for line in sys.stdin:
    scan, mask = line.rstrip("\\n").split("\\t")
    began = time.monotonic()
    _, _, volume = extraction.run(scan, mask_path=mask)
    print(volume, time.monotonic() - began, flush=True)
"""

Report = Callable[[str], None]


def write(dicom: Path, out: Path, interpreter: Path, report: Report) -> int:
    """Write scan and mask of every MR series.

    Parameters
    ----------
    dicom
        A folder with a folder for each series of one volume.
    out
        Gets a folder for each patient, numbered in order, with `SERIES_Scan.nii.gz` and `SERIES_Mask.nii.gz`.
    interpreter
        Python of the environment that has deepbet.
    report
        Told of each series.

    Returns
    -------
    int
        Number of series.

    Raises
    ------
    ExportError
        If deepbet does not run there, or no folder holds a series.
    """
    patients: dict[str, int] = {}
    pairs = []
    for name, series, patient in _series(dicom):
        number = patients.setdefault(patient, len(patients) + 1)
        folder = out / f"patient-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        scan, mask = folder / f"{name}_Scan.nii.gz", folder / f"{name}_Mask.nii.gz"
        sitk.WriteImage(sitk.Cast(series, sitk.sitkFloat32), str(scan))
        pairs.append((scan, mask))
    if not pairs:
        raise ExportError(f"{dicom.name} has no folder with an MR series of {_LEAST_SLICES} slices or more")
    for (scan, _), (volume_ml, seconds) in zip(pairs, marked(pairs, interpreter), strict=True):
        name = scan.name.removesuffix("_Scan.nii.gz")
        report(f"{scan.parent.name}/{name}: {volume_ml:.0f} mL in {seconds:.1f} s")
    return len(pairs)


def marked(pairs: Sequence[tuple[Path, Path]], interpreter: Path) -> list[tuple[float, float]]:
    """Let deepbet mark the brain of each scan.

    Parameters
    ----------
    pairs
        NIfTI of a scan, and of the mask to write on its voxels.
    interpreter
        As in `write`.

    Returns
    -------
    list of (float, float)
        mL of each brain, and the seconds from file to file, loading of deepbet's weights not among them.

    Raises
    ------
    ExportError
        If deepbet does not run there.
    """
    given = "".join(f"{scan}\t{mask}\n" for scan, mask in pairs)
    ran = subprocess.run(  # noqa: S603  # the interpreter is what the person names
        [str(interpreter), "-c", _SCRIPT], input=given, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise ExportError(f"deepbet did not run: {' '.join(ran.stderr.strip().splitlines()[-1:])}")
    for scan, mask in pairs:
        _regrid(mask, scan)
    told = [line.split() for line in ran.stdout.splitlines()]
    return [(float(volume), float(seconds)) for volume, seconds in told]


def _series(dicom: Path) -> Iterator[tuple[str, sitk.Image, str]]:
    """Name, image and patient of each folder's series."""
    for folder in sorted(path for path in dicom.iterdir() if path.is_dir()):
        reader = sitk.ImageSeriesReader()
        files = reader.GetGDCMSeriesFileNames(str(folder))
        if len(files) < _LEAST_SLICES:
            continue
        first = sitk.ImageFileReader()
        first.SetFileName(files[0])
        first.ReadImageInformation()
        if first.GetMetaData("0008|0060").strip() != "MR":
            continue
        reader.SetFileNames(files)
        yield folder.name, reader.Execute(), first.GetMetaData(_PATIENT_ID)


def _regrid(mask: Path, scan: Path) -> None:
    """deepbet turns the axes; the mask goes back to the scan's voxels."""
    grid = sitk.ReadImage(str(scan))
    turned = sitk.Resample(sitk.ReadImage(str(mask)), grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    sitk.WriteImage(sitk.Cast(turned, sitk.sitkUInt8), str(mask))
