"""Programs of others that check our objects; a test skips by the program's name where it is not installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest


def program(name: str) -> str:
    """Path of a peer's program; skips the test where it is missing, or fails it where DICOM_NODE_REQUIRE_PEERS is 1."""
    found = shutil.which(
        name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin"
    )  # pynetdicom shadows DCMTK's names in a venv
    return found or _missing(name)


def viewer(name: str) -> Path:
    """A file or folder of what `tests/viewers/install` puts into .viewers; skips or fails as `program`."""
    found = Path(os.environ.get("DICOM_NODE_VIEWERS", Path(__file__).parent.parent / ".viewers")) / name
    return found if found.exists() else _missing(f".viewers/{name}")


def plugin(name: str) -> Path:
    """A plug-in of Orthanc; skips or fails as `program`."""
    found = Path("/usr/share/orthanc/plugins") / name
    return found if found.exists() else _missing(name)


def deepbet() -> Path:
    """Python of an environment that has deepbet 1.0.2; skips or fails as `program`."""
    found = Path(os.environ.get("DICOM_NODE_DEEPBET", Path(__file__).parent.parent / ".deepbet" / "bin" / "python"))
    return found if found.is_file() else _missing("deepbet")


def _missing(name: str) -> NoReturn:
    if os.environ.get("DICOM_NODE_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed, and DICOM_NODE_REQUIRE_PEERS=1 asks for it")
    pytest.skip(f"{name} is not installed")


def dciodvfy(path: Path) -> list[str]:
    """The lines that dicom3tools' validator calls errors."""
    run = subprocess.run([program("dciodvfy"), path], capture_output=True, text=True, errors="replace", check=False)
    return [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]


def dsrdump(path: Path) -> str:
    """The content tree as DCMTK prints it, with long texts in full; fails where DCMTK cannot parse it."""
    run = subprocess.run(
        [program("dsrdump"), "+Pl", "+U8", path], capture_output=True, text=True, errors="replace", check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def segimage2itkimage(path: Path, folder: Path) -> tuple[dict[int, Path], list[str]]:
    """A segmentation as dcmqi reads it: one NRRD file below `folder` for each segment with voxels, and its warnings."""
    folder.mkdir(parents=True, exist_ok=True)
    said = _said(
        viewer("bin/segimage2itkimage"), "--inputDICOM", path, "--outputDirectory", folder, "--prefix", "segment"
    )
    segments = {int(found.stem.partition("-")[2]): found for found in sorted(folder.glob("segment-*.nrrd"))}
    return segments, _warnings(said)


def tid1500reader(path: Path, folder: Path) -> dict[str, Any]:
    """A measurement report as dcmqi reads it; fails where it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "report.json"
    _said(viewer("bin/tid1500reader"), "--inputDICOM", path, "--outputMetadata", told)
    found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    return found


def dcmjs(*paths: Path) -> list[dict[str, Any]]:
    """What dcmjs reads in segmentations and reports: segments, groups and texts, as viewers/dcmjs.cjs tells them."""
    script, modules = Path(__file__).parent / "viewers" / "dcmjs.cjs", viewer("node_modules")
    environment = {**os.environ, "NODE_PATH": str(modules)}
    run = subprocess.run(
        [viewer("bin/node"), script, *paths], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    told: list[dict[str, Any]] = json.loads(run.stdout)
    return told


def dcm2niix(source: Path, folder: Path) -> Path:
    """The one NIfTI file that dcm2niix makes of a folder, or of one file, of images."""
    folder.mkdir(parents=True, exist_ok=True)
    single = ["-s", "y"] if source.is_file() else []
    _said(program("dcm2niix"), *single, "-b", "n", "-z", "n", "-f", "image", "-o", folder, source)
    (made,) = folder.glob("*.nii")
    return made


def _said(*command: str | Path) -> str:
    """Both outputs of a program that must succeed."""
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def _warnings(said: str) -> list[str]:
    """DCMTK's warnings and errors; not that it cannot check characters of UTF-8."""
    lines = [line for line in said.splitlines() if line.startswith(("W:", "E:", "F:", "ERROR:"))]
    return [line for line in lines if "VR checker does not support this Specific Character Set" not in line]
