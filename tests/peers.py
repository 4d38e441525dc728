"""Programs of others that check our objects; a test skips by the program's name where it is not installed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

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
