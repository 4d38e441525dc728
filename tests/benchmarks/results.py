"""Speed of results and volumes, both sides in one run: SEG beside dcmqi, SR beside highdicom, series beside SimpleITK.

    python -m tests.benchmarks.results [--folder FOLDER] [--only seg|sr|volume] [--turns N] [--dcmqi PROGRAM]

A made-up CT study of 300 slices of 512 x 512 is written to FOLDER, which is used again where it has one; without it a
folder is made and removed. Medians of turns that both sides take in alternation; the first is not counted.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from dicom_node.results import objects
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from inference.findings import Findings
from tests import phantoms
from tests.benchmarks import made_study, measurement_report, segmentation, volume

DCMQI = Path(__file__).parent.parent.parent / ".viewers" / "bin" / "itkimage2segimage"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--folder", type=Path)
    asked.add_argument("--only", choices=("seg", "sr", "volume"))
    asked.add_argument("--turns", type=int, default=7)
    asked.add_argument("--dcmqi", type=Path, default=DCMQI)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder: Path = given.folder or Path(made)
        folder.mkdir(exist_ok=True)
        _measure(folder, given.only, given.turns, given.dcmqi)


def _measure(folder: Path, only: str | None, turns: int, dcmqi: Path) -> None:
    of = made_study.volume()
    images = made_study.images(of)
    source = made_study.source(images, of)
    raw = folder / "uncompressed"
    paths = sorted(raw.iterdir()) if raw.exists() else made_study.files(images, raw)
    del images
    findings = made_study.findings(of)
    if only in (None, "seg"):
        for compared in segmentation.compare(findings, source, paths, folder, dcmqi, turns):
            _tell(compared)
        for form, size in segmentation.sizes(findings, source).items():
            limit = f", claimed below {segmentation.LABELMAP_MB}" if form is SegForm.LABELMAP else ""
            _tell(f"{form}: {size:.2f} MB{limit}")
    if only in (None, "sr"):
        _tell(measurement_report.compare(findings, source, folder, turns))
        _tell(f"all objects, written, read back and checked: {_seconds(_all(findings, source), turns):.2f} s")
    if only in (None, "volume"):
        for compared in volume.compare(paths, folder, turns):
            _tell(compared)


def _all(findings: Findings, source: Source) -> Callable[[], object]:
    return lambda: objects.write_all(findings, source, phantoms.identity())


def _seconds(work: Callable[[], object], turns: int) -> float:
    seconds = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def _tell(line: object) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
