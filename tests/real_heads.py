"""The real heads beside the project, as the node loads them; a test skips by name where they are not."""

from functools import cache
from pathlib import Path

import pytest

from dicom_node.reading.part10 import parse
from dicom_node.reading.series import survey
from dicom_node.reading.volume import load
from inference.image import Image

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"


@cache
def real(name: str) -> Image:
    """A T1 series: "skyra", or "prisma-" and the patient's position."""
    folder = DATA / f"mr-t1-siemens-{name}"
    if not folder.is_dir():
        pytest.skip(f"shared/data/dicom/mr-t1-siemens-{name} is not here")
    return load(survey([parse(p.read_bytes()) for p in sorted(folder.rglob("*.dcm"))])[0]).image
