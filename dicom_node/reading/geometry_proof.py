"""Proof that masks come back to where they were drawn: a phantom through the real path, before anything may serve.

Made-up files are read and laid on the grid; there each algorithm's turning, cutting and resampling is taken with an
identity in place of its weights; what comes back is drawn on the planes, written as a segmentation and read again. In
every one of 48 orientations, in even stacks and in tilted uneven ones, the voxels that went in must come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from dicom_node.errors import DefectError
from dicom_node.reading import phantom
from dicom_node.reading.back_on_planes import on_planes
from dicom_node.reading.part10 import parse
from dicom_node.reading.series import survey
from dicom_node.reading.volume import LoadedSeries, load
from dicom_node.results import mask_comparison, segmentation
from dicom_node.results.envelope import to_file
from dicom_node.results.identity import Identity
from dicom_node.results.rendering import GENERIC_RENDERING
from inference.catalogue import Description
from inference.errors import UnsuitableImageError
from inference.findings import Algorithm, Findings, Mask, Narrative, Segment
from inference.geometry_probe import is_exact, there_and_back
from inference.inputs import Inputs

LEAST_DICE = 0.9
"""Overlap that a way which interpolates must keep; the phantom turned or mirrored within its box has less than 0.8."""

_ALGORITHM = Algorithm(
    name="geometry phantom",
    version="1",
    source="dicom-node",
    digest="0" * 64,
    family=codes.DCM.ArtificialIntelligence,
    clinical_use="research",
    training="none",
)
_IDENTITY = Identity(
    instances_digest="0" * 64,
    algorithm_digest=_ALGORITHM.digest,
    configuration_digest="0" * 64,
    software_version="1",
    provider="identity",
    rendering=GENERIC_RENDERING,
    analysed_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How many series came back: of the node's own path, and of each algorithm by name.

    Orientations that an algorithm declines to read are not among the latter.
    """

    series: int
    by_algorithm: dict[str, int]


def prove(descriptions: Sequence[Description]) -> Proof:
    """Send the phantom through the path of the node and the ways of the algorithms.

    Raises
    ------
    DefectError
        At the first series that does not come back, with its orientation: nothing may serve.
    """
    modalities = {_modality(d) for d in descriptions if isinstance(d.inputs, Inputs)}
    came_back = {description.name: 0 for description in descriptions}
    count = 0
    for modality in sorted(modalities):
        for orientation in phantom.orientations():
            for stack in phantom.STACKS:
                images, name = phantom.series(orientation, stack, modality), f"{orientation}, {stack}"
                loaded = _loaded(images)
                _check_path(images, loaded, name)
                count += 1
                for description in descriptions:
                    if isinstance(description.inputs, Inputs) and _modality(description) == modality:
                        came_back[description.name] += _comes_back(loaded, description, name)
    return Proof(series=count, by_algorithm=came_back)


def _modality(description: Description) -> Literal["MR", "CT"]:
    return "MR" if "MR" in description.inputs.modality else "CT"  # type: ignore[union-attr]


def _loaded(images: list[Dataset]) -> LoadedSeries:
    (series,) = survey([parse(phantom.as_file(image)) for image in images])
    return load(series)


def _check_path(images: list[Dataset], loaded: LoadedSeries, name: str) -> None:
    """From files to the grid, and from a mask there to a segmentation's file: every voxel."""
    findings = on_planes(_findings(loaded.image.volume.array >= 0.5 * phantom.SOLID), loaded.laying)
    data = to_file(segmentation.write(findings, loaded.source, _IDENTITY))
    mask_comparison.compare(data, findings, loaded.source)
    expected = {str(image.SOPInstanceUID): image.pixel_array >= 0.5 * phantom.SOLID for image in images}
    read = _read_again(data)
    for uid in expected.keys() | read.keys():
        if not np.array_equal(read.get(uid, np.zeros_like(expected[uid])), expected[uid]):
            raise DefectError(f"the geometry phantom {name} does not come back as it was: nothing may be drawn")


def _comes_back(loaded: LoadedSeries, description: Description, name: str) -> bool:
    """Through an algorithm's own way, on the grid."""
    manifest = description.draws
    try:
        back = there_and_back(loaded.image, manifest) >= 0.5 * phantom.SOLID
    except UnsuitableImageError:
        return False
    given = loaded.image.volume.array >= 0.5 * phantom.SOLID
    dice = 2.0 * float((back & given).sum()) / float(back.sum() + given.sum())
    least = 1.0 if is_exact(manifest) else LEAST_DICE
    if dice < least:
        raise DefectError(
            f"the geometry phantom {name} comes back from {description.name} with an overlap of {dice:.3f}, "
            f"at least {least:.3f} needed: masks would lie elsewhere than they were drawn"
        )
    return True


def _read_again(data: bytes) -> dict[str, NDArray[np.bool_]]:
    """What the segmentation marks on the images that it refers to, by SOP Instance UID."""
    written = dcmread(BytesIO(data))
    shape = (int(written.NumberOfFrames), int(written.Rows), int(written.Columns))
    bits = np.unpackbits(np.frombuffer(written.PixelData, np.uint8), count=int(np.prod(shape)), bitorder="little")
    images = [f.DerivationImageSequence[0].SourceImageSequence[0] for f in written.PerFrameFunctionalGroupsSequence]
    frames = bits.reshape(shape).astype(np.bool_)
    return {str(image.ReferencedSOPInstanceUID): frame for image, frame in zip(images, frames, strict=True)}


def _findings(mask: Mask) -> Findings:
    segment = Segment(
        label="Geometry phantom",
        category=codes.SCT.MorphologicallyAbnormalStructure,
        type=codes.SCT.Lesion,
        anatomy=None,
        mask=mask,
        color=(255, 0, 0),
    )
    return Findings(algorithm=_ALGORITHM, segments=(segment,), findings=(), narrative=Narrative(sentences=()))
