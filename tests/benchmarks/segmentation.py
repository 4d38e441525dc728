"""A SEG built and saved beside dcmqi's itkimage2segimage: three segments on 300 slices of 512 x 512, the same masks.

Theirs starts as a process, reads the 300 images and three NRRD files, and writes one file; it has no other door. Ours
is timed twice: as a node has it, from masks and headers in memory to a file, and from the same files to a file.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.sr.coding import Code

from dicom_node.reading.part10 import parse_file
from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.segmentation_form import SegForm
from dicom_node.results.source import Source
from inference.findings import Findings, Segment
from inference.imaging.grid import to_image
from tests import phantoms
from tests.benchmarks.turns import Compared, turn_by_turn

LABELMAP_MB = 0.5
"""Largest label map of these masks."""


def compare(
    findings: Findings, source: Source, images: list[Path], folder: Path, dcmqi: Path, turns: int
) -> Iterator[Compared]:
    """From memory and from files; both sides' files hold the same voxels."""
    masks = _masks(findings, source, folder)
    metadata = folder / "metadata.json"
    metadata.write_text(json.dumps(_metadata(findings)), encoding="utf-8")
    ours, theirs = folder / "ours.dcm", folder / "theirs.dcm"

    def dcmqi_writes() -> None:
        told = {
            "--inputImageList": ",".join(map(str, masks)),
            "--inputDICOMDirectory": str(images[0].parent),
            "--inputMetadata": str(metadata),
            "--outputDICOM": str(theirs),
        }
        subprocess.run([dcmqi, *(word for pair in told.items() for word in pair)], check=True, capture_output=True)

    def from_memory() -> None:
        ours.write_bytes(to_file(segmentation.write(findings, source, phantoms.identity())))

    def from_files() -> None:
        headers = tuple(parse_file(path).header for path in images)
        read = [_read(path) for path in masks]
        drawn = _with_masks(findings, read)
        lying = Source(datasets=headers, frame_numbers=(), planes=source.planes)
        ours.write_bytes(to_file(segmentation.write(drawn, lying, phantoms.identity())))

    limit = 1 / 3
    yield turn_by_turn("SEG, headers and masks in memory", from_memory, dcmqi_writes, limit=limit, turns=turns)
    yield turn_by_turn("SEG, from the same files", from_files, dcmqi_writes, limit=limit, turns=turns)
    for written in (ours, theirs):
        mask_comparison.compare(written.read_bytes(), findings, source)


def sizes(findings: Findings, source: Source) -> dict[SegForm, float]:
    """MB of each form."""
    return {
        form: len(to_file(segmentation.write(findings, source, phantoms.identity(), form))) / 1e6 for form in SegForm
    }


def _masks(findings: Findings, source: Source, folder: Path) -> list[Path]:
    affine = _affine(source)
    paths = []
    for number, segment in enumerate(findings.segments, start=1):
        paths.append(folder / f"{number}.nrrd")
        sitk.WriteImage(to_image(segment.mask.astype(np.uint8) * number, affine), str(paths[-1]))
    return paths


def _read(path: Path) -> np.ndarray:
    image = sitk.ReadImage(str(path))  # named, because the view lives no longer than it
    return np.asarray(sitk.GetArrayViewFromImage(image) != 0)


def _affine(source: Source) -> np.ndarray:
    along_row, down_column, _ = source.planes[0].axes
    first, last = (np.array(source.planes[k].position) for k in (0, -1))
    affine = np.eye(4)
    affine[:3, 0] = (last - first) / (len(source.planes) - 1)
    affine[:3, 1], affine[:3, 2] = down_column * source.planes[0].spacing[0], along_row * source.planes[0].spacing[1]
    affine[:3, 3] = first
    return affine


def _with_masks(findings: Findings, masks: list[np.ndarray]) -> Findings:
    segments = [_with_mask(segment, mask) for segment, mask in zip(findings.segments, masks, strict=True)]
    return Findings(algorithm=findings.algorithm, segments=tuple(segments), findings=(), narrative=findings.narrative)


def _with_mask(segment: Segment, mask: np.ndarray) -> Segment:
    return Segment(
        label=segment.label,
        category=segment.category,
        type=segment.type,
        anatomy=segment.anatomy,
        mask=mask,
        color=segment.color,
    )


def _metadata(findings: Findings) -> dict[str, object]:
    """What dcmqi is told; one list of one segment for each file."""
    return {
        "ContentCreatorName": "none",
        "SeriesDescription": "segmentation",
        "SeriesNumber": "300",
        "InstanceNumber": "1",
        "ContentLabel": "SEGMENTATION",
        "ContentDescription": "made up",
        "ClinicalTrialSeriesID": "1",
        "ClinicalTrialTimePointID": "1",
        "segmentAttributes": [
            [
                {
                    "labelID": number,
                    "SegmentLabel": segment.label,
                    "SegmentDescription": segment.label,
                    "SegmentAlgorithmType": "AUTOMATIC",
                    "SegmentAlgorithmName": findings.algorithm.name,
                    "SegmentedPropertyCategoryCodeSequence": _code(segment.category),
                    "SegmentedPropertyTypeCodeSequence": _code(segment.type),
                    "recommendedDisplayRGBValue": list(segment.color),
                }
            ]
            for number, segment in enumerate(findings.segments, start=1)
        ],
    }


def _code(code: Code) -> dict[str, str]:
    return {
        "CodeValue": code.value,
        "CodingSchemeDesignator": code.scheme_designator,
        "CodeMeaning": code.meaning,
    }
