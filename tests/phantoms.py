"""Made-up volumes, sources and findings whose every voxel is known: any orientation, single-frame and multi-frame."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian

from dicom_node.plane import Plane
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.results.identity import Identity
from dicom_node.results.profiles import GENERIC
from dicom_node.results.rendering import GENERIC_RENDERING, Rendering, choose
from dicom_node.results.source import Source
from inference.findings import Algorithm, Finding, Findings, Mask, Measurement, Narrative, Segment, Sentence

SPACING_MM = (3.0, 0.9, 1.1)
"""Slice, row, column: three different values, so that no two axes can be taken for each other."""

DIGEST = "5a" * 32
"""A digest of a made-up bundle."""

ORIENTATIONS: dict[str, NDArray[np.float64]] = {
    # columns: direction of slice, row, column axis in LPS
    "axial": np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float),
    "axial, towards the feet": np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], dtype=float),
    "coronal": np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]], dtype=float),
    "sagittal": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=float),
}
OBLIQUE = np.linalg.qr(np.array([[0.1, 0.2, 0.97], [0.05, 0.97, -0.2], [0.99, -0.1, 0.1]]))[0]
"""An orientation of no main plane."""


def volume(
    direction: NDArray[np.float64] = ORIENTATIONS["axial"],
    shape: tuple[int, int, int] = (8, 20, 18),
    spacing_mm: tuple[float, float, float] = SPACING_MM,
) -> Volume:
    """A ramp that differs along every axis: (slice, row, column), float32, LPS."""
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(spacing_mm)
    affine[:3, 3] = (-81.5, 34.25, 12.125)
    array = np.add.outer(np.add.outer(np.arange(shape[0]) * 100, np.arange(shape[1]) * 5), np.arange(shape[2])).astype(
        np.float32
    )
    return Volume(array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid="2.25.1234")


def single_frame(of: Volume, labels: Labels | None = None, modality: Literal["MR", "CT"] = "MR") -> Source:
    """The volume as a classic series, headers without pixels."""
    datasets = series_from_volume(of, modality=modality, labels=labels)
    for dataset in datasets:
        del dataset.PixelData
    return Source(datasets=tuple(datasets), frame_numbers=(), planes=planes_of(of))


def multi_frame(of: Volume, *, order: Sequence[int] | None = None, shared_orientation: bool = True) -> Source:
    """The volume as one Enhanced MR object without pixels, whose frames are stored in an order of their own.

    Parameters
    ----------
    order
        Slice index that each stored frame shows; a frame may be -1: it belongs to another contrast and was not read.
    shared_orientation
        Whether orientation and pixel measures stand in the shared functional groups or, as some scanners write them,
        in each frame's.
    """
    stored = list(order) if order is not None else list(range(of.shape[0]))
    images = series_from_volume(of)
    header = _enhanced(images[0], len(stored))
    header.SharedFunctionalGroupsSequence = [_geometry(images[0]) if shared_orientation else Dataset()]
    header.PerFrameFunctionalGroupsSequence = [
        _frame(images[max(k, 0)], shared_orientation=shared_orientation) for k in stored
    ]
    numbers = tuple(stored.index(k) + 1 for k in range(of.shape[0]))
    return Source(datasets=(header,), frame_numbers=numbers, planes=planes_of(of))


def planes_of(of: Volume) -> tuple[Plane, ...]:
    """The slices of a volume as planes."""
    steps = of.affine[:3, :3] / np.array(of.spacing)
    return tuple(
        Plane(
            position=tuple((of.affine[:3] @ [k, 0, 0, 1]).tolist()),
            orientation=(*steps[:, 2].tolist(), *steps[:, 1].tolist()),
            spacing=(float(of.spacing[1]), float(of.spacing[2])),
            matrix=(int(of.shape[1]), int(of.shape[2])),
            thickness=float(of.spacing[0]),
            frame_of_reference_uid=str(of.frame_of_reference_uid),
        )
        for k in range(of.shape[0])
    )


def _enhanced(image: Dataset, frames: int) -> Dataset:
    header = Dataset()
    for element in image:
        if element.keyword not in {
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "PixelSpacing",
            "SliceThickness",
            "PixelData",
        }:
            header.add(element)
    header.SOPClassUID, header.NumberOfFrames = EnhancedMRImageStorage, frames
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return header


def _geometry(image: Dataset) -> Dataset:
    orientation, measures, group = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = image.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = image.PixelSpacing, image.SliceThickness
    group.PlaneOrientationSequence, group.PixelMeasuresSequence = [orientation], [measures]
    return group


def _frame(image: Dataset, *, shared_orientation: bool) -> Dataset:
    frame = Dataset() if shared_orientation else _geometry(image)
    position = Dataset()
    position.ImagePositionPatient = image.ImagePositionPatient
    frame.PlanePositionSequence = [position]
    return frame


def algorithm(clinical_use: Literal["cleared", "research", "forbidden"] = "research") -> Algorithm:
    """A made-up algorithm."""
    return Algorithm(
        name="lesion-segmenter",
        version="0.1.0",
        source="Example Institute",
        digest=DIGEST,
        family=codes.DCM.ArtificialIntelligence,
        clinical_use=clinical_use,
        training="synthetic-findings",
    )


WITH_PICTURES = choose(GENERIC, secondary_capture=True)
"""The generic rendering with a summary as pictures."""


def identity(instances: str = "ab", version: int = 1, rendering: Rendering = GENERIC_RENDERING) -> Identity:
    """A made-up identity; `instances` stands for the instances read."""
    return Identity(
        instances_digest=instances * 32,
        algorithm_digest=DIGEST,
        configuration_digest="c0" * 32,
        software_version="0.1.0",
        provider="CPUExecutionProvider",
        rendering=rendering,
        analysed_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        version=version,
    )


def segment(mask: Mask, label: str = "Lesion", color: tuple[int, int, int] = (230, 40, 40)) -> Segment:
    """A segment of lesions in the brain."""
    return Segment(
        label=label,
        category=Code("49755003", "SCT", "Morphologically Abnormal Structure"),
        type=Code("52988006", "SCT", "Lesion"),
        anatomy=codes.SCT.Brain,
        mask=mask,
        color=color,
    )


def finding(region: Mask | None, label: str = "lesion 1", index: int = 0) -> Finding:
    """A lesion in the left half of the brain, measured."""
    return Finding(
        label=label,
        code=Code("52988006", "SCT", "Lesion"),
        site=codes.SCT.Brain,
        laterality=codes.SCT.Left,
        probability=0.9312,
        segment=None if region is None else index,
        region=region,
        measurements=(Measurement(code=codes.SCT.Volume, value=12.345678, unit=Code("mL", "UCUM", "mL")),),
    )


def box(shape: tuple[int, ...], *ranges: tuple[int, int]) -> Mask:
    """A mask that is true in a box of index ranges."""
    mask = np.zeros(shape, dtype=np.bool_)
    mask[tuple(slice(*r) for r in ranges)] = True
    return mask


def two_lesions(shape: tuple[int, int, int] = (8, 20, 18)) -> Findings:
    """Brain and lesions as two segments that overlap; two findings in the second segment and one without a mask."""
    brain = box(shape, (1, 7), (2, 18), (2, 16))
    first, second = box(shape, (2, 5), (4, 9), (3, 7)), box(shape, (4, 6), (12, 15), (9, 14))
    second[4, 12, 9] = False
    return Findings(
        algorithm=algorithm(),
        segments=(
            Segment(
                label="Brain",
                category=Code("91723000", "SCT", "Anatomical Structure"),
                type=codes.SCT.Brain,
                anatomy=None,
                mask=brain,
                color=(220, 200, 170),
            ),
            segment(first | second),
        ),
        findings=(
            finding(first, "lesion 1", 1),
            finding(second, "lesion 2", 1),
            Finding(
                label="haemorrhage",
                code=Code("50960005", "SCT", "Hemorrhage"),
                laterality=codes.SCT.Right,
                probability=0.2,
                slice_probabilities=((2, 0.1), (3, 0.2), (5, 0.2)),
            ),
        ),
        narrative=Narrative(
            sentences=(
                Sentence(text="Two lesions are seen."),
                Sentence(text="A lesion of 12.3 mL lies in the left half of the brain.", finding="lesion 1"),
            )
        ),
        study_probability=0.97,
    )


def one_lesion(mask: Mask) -> Findings:
    """One segment that shows one finding and nothing else."""
    return Findings(
        algorithm=algorithm(),
        segments=(segment(mask),),
        findings=(finding(mask),),
        narrative=Narrative(sentences=(Sentence(text="A lesion is seen.", finding="lesion 1"),)),
    )


def nothing(shape: tuple[int, int, int] = (8, 20, 18)) -> Findings:
    """A reading that found nothing: its segment is empty."""
    return Findings(
        algorithm=algorithm(),
        segments=(segment(np.zeros(shape, dtype=np.bool_)),),
        findings=(),
        narrative=Narrative(sentences=(Sentence(text="No lesion is seen."),)),
    )
