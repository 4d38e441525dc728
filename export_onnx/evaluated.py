"""Figures of a bundle as the node's own command gives them: run as a user runs it, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export_onnx.errors import ExportError


def evaluated(bundle: Path, data: Sequence[Path], *options: str) -> dict[str, Any]:
    """What `dicom-node evaluate BUNDLE DATA... --json` prints.

    Raises
    ------
    ExportError
        If the command fails; what it said stands above on stderr.
    """
    command = [sys.executable, "-m", "dicom_node", "evaluate", str(bundle), *map(str, data), *options, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603  # our own interpreter and module
    if done.returncode != 0:
        raise ExportError(f"dicom-node evaluate ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
