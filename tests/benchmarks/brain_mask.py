"""Time from file to brain mask: brain-extractor beside deepbet, turn by turn over the same scans.

    python -m tests.benchmarks.brain_mask FOLDER --deepbet PYTHON

FOLDER is what `export-onnx heads-with-brain` wrote. Neither side's loading of weights is counted; both use all cores.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import SimpleITK as sitk
from highdicom import Volume

from export_onnx.training.brain_reference import marked
from inference.algorithms import Runtime
from inference.algorithms.segment import Segmenter
from inference.catalogue import open_reader
from inference.image import Image
from inference.imaging.grid import affine_of, to_image

TURNS = 3


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--deepbet", type=Path, required=True)
    given = asked.parse_args()
    scans = sorted(given.folder.glob("*/*_Scan.nii.gz"))
    reader = open_reader("brain-extractor", None, Runtime(providers=("cpu",), threads=0))
    if not isinstance(reader, Segmenter):
        raise TypeError("brain-extractor opened as another kind of reader")
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(scan, Path(folder) / scan.name) for scan in scans]
        ours, theirs = [], []
        for _ in range(TURNS):
            theirs.append([seconds for _, seconds in marked(pairs, given.deepbet)])
            ours.append([_timed(reader, scan, mask) for scan, mask in pairs])
    for index, scan in enumerate(scans):
        mine, other = median(turn[index] for turn in ours), median(turn[index] for turn in theirs)
        name = f"{scan.parent.name}/{scan.name.removesuffix('_Scan.nii.gz')}"
        print(f"{name}: deepbet {other:.2f} s, brain-extractor {mine:.2f} s, {other / mine:.1f} times as fast")  # noqa: T201


def _timed(reader: Segmenter, scan: Path, mask: Path) -> float:
    """Seconds from file to file."""
    began = time.monotonic()
    read = sitk.ReadImage(str(scan), sitk.sitkFloat32)
    volume = Volume(sitk.GetArrayFromImage(read), affine_of(read), coordinate_system="PATIENT")
    found = reader.scores(Image(volume=volume, modality="MR", weighting="T1")).marked
    sitk.WriteImage(to_image(found.astype(np.uint8), volume.affine), str(mask))
    return time.monotonic() - began


if __name__ == "__main__":
    main()
