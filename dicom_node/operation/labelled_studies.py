"""A folder of DICOM series with segmentations of them as labelled cases: read as the node reads a study.

Nothing but a pseudonym of Patient ID, and of Series Instance UID, leaves it: both are hashes, cut short.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from highdicom.seg import Segmentation, segread
from numpy.typing import NDArray

from dicom_node.errors import UnsuitableError
from dicom_node.operation.folder import StudyFiles, studies_in
from dicom_node.plane import Plane
from dicom_node.reading.frames import CLASSIC, MULTI_FRAME
from dicom_node.reading.header_values import items, text
from dicom_node.reading.part10 import parse_file
from dicom_node.reading.selection import reasons_against
from dicom_node.reading.series import ImageSeries, survey
from dicom_node.reading.volume import LoadedSeries, load
from dicom_node.study import Header
from dicom_node.unreadable import UNREADABLE
from inference.errors import DataError, UnsuitableImageError
from inference.evaluation.cases import Labelled
from inference.evaluation.folders import NiftiCase
from inference.evaluation.studies import Study
from inference.findings import Mask
from inference.inputs import Inputs

SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
"""Segmentation and Label Map Segmentation Storage (PS3.4 B.5)."""

PLANE_TOLERANCE = 0.1
"""Voxels by which a frame of a segmentation may lie off the plane it was drawn on: headers round."""

_DIGITS = 12
_PREFIX_END = 132  # preamble and "DICM", PS3.10 7.1


@dataclass(frozen=True, kw_only=True)
class SegmentedSeries:
    """One image series and the segmentations that refer to it; a `Case`.

    Attributes
    ----------
    image_files, segmentation_files
        Its instances, and those whose segments are the truth.
    segment
        Segment Label (0062,0005) of the segments that count; None: all of them together.
    inputs
        What a series must be for the bundle to read it; another is an abstention, as in the node. None: any.
    """

    name: str
    patient: str
    image_files: tuple[Path, ...]
    segmentation_files: tuple[Path, ...]
    segment: str | None
    inputs: Inputs | None
    label: str | None = None
    fold: int | None = None

    def load(self) -> Labelled:
        """Read images and segmentations.

        Raises
        ------
        UnsuitableImageError
            If no volume can be made of the series, or the node would not read it.
        DataError
            If a segmentation cannot be read, or does not lie on the planes of its series.
        """
        try:
            found = survey([parse_file(path) for path in self.image_files])
            if len(found) != 1:
                raise DataError(f"{self.name}: {len(found)} series of images, not one")
            _admit(found[0], self.inputs)
            loaded = load(found[0])
        except UnsuitableError as error:
            raise UnsuitableImageError(f"{self.name}: {error}") from error
        except OSError as error:
            raise DataError(f"{self.name}: one of its images cannot be read ({error.strerror})") from error
        truth = np.zeros(loaded.source.shape, dtype=np.bool_)
        for path in self.segmentation_files:
            self._draw(truth, path, loaded)
        return Labelled(image=loaded.image, truth=loaded.laying.on_grid(truth))

    def _draw(self, truth: Mask, path: Path, loaded: LoadedSeries) -> None:
        try:
            drawn = segread(path)
            wanted = drawn.get_segment_numbers(segment_label=self.segment)
            if not wanted:
                raise DataError(f"{self.name}: its segmentation has no segment {self.segment!r}")
            _draw(truth, drawn, wanted, loaded, self.name)
        except (*UNREADABLE, OSError) as error:
            raise DataError(f"{self.name}: its segmentation cannot be read ({type(error).__name__})") from error


def holds_dicom(folder: Path) -> bool:
    """Whether a file below the folder begins as PS3.10 says."""
    return any(_begins_as_dicom(path) for path in folder.rglob("*") if path.is_file())


def segmented_series(folder: Path, *, segment: str | None, inputs: Inputs | None) -> Sequence[SegmentedSeries]:
    """Every series below a folder that a segmentation refers to, in order of name; parameters as `SegmentedSeries`.

    Raises
    ------
    DataError
        If there is none.
    """
    found = [
        case for study in studies_in([folder]).studies for case in _of_study(study, segment=segment, inputs=inputs)
    ]
    if not found:
        raise DataError(f"{folder.name}: DICOM, but no CT or MR series with a segmentation that refers to it")
    return sorted(found, key=lambda case: case.name)


def labelled(study: Study, inputs: Inputs | None) -> Labelled:
    """Volume of a study and its mask, where it has one.

    Parameters
    ----------
    inputs
        As of `SegmentedSeries`; of NIfTI the modality is all that is known.

    Raises
    ------
    UnsuitableImageError, DataError
        As `SegmentedSeries.load`.
    """
    if not study.volume.is_dir():
        modality = study.modality or "MR"
        if inputs and modality not in inputs.modality:
            raise UnsuitableImageError(f"{study.name}: {modality}, the bundle reads {inputs.words}")
        return NiftiCase(
            name=study.name,
            patient=study.patient,
            label=None,
            fold=study.fold,
            image_file=study.volume,
            mask_file=study.mask,
            modality=modality,
            weighting=study.weighting,
        ).load()
    series = SegmentedSeries(
        name=study.name,
        patient=study.patient,
        image_files=tuple(sorted(path for path in study.volume.rglob("*") if path.is_file())),
        segmentation_files=() if study.mask is None else (study.mask,),
        segment=None,
        inputs=inputs,
    ).load()
    return series if study.mask is not None else replace(series, truth=None)


def _begins_as_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_PREFIX_END)[-4:] == b"DICM"
    except OSError:
        return False


def _of_study(study: StudyFiles, *, segment: str | None, inputs: Inputs | None) -> list[SegmentedSeries]:
    by_series: dict[str, list[tuple[Path, Header]]] = {}
    segmentations: dict[str, list[Path]] = {}
    for path, header in zip(study.files, study.headers, strict=True):
        if header.sop_class_uid in SEGMENTATIONS:
            for uid in _referenced_series(path):
                segmentations.setdefault(uid, []).append(path)
        elif str(header.sop_class_uid) in CLASSIC | MULTI_FRAME:
            by_series.setdefault(header.series_instance_uid, []).append((path, header))
    cases = []
    for uid in sorted(set(by_series) & set(segmentations)):
        patient = _patient(by_series[uid][0][1])
        cases.append(
            SegmentedSeries(
                name=f"{patient}/{_pseudonym('series', uid)}",
                patient=patient,
                image_files=tuple(path for path, _ in by_series[uid]),
                segmentation_files=tuple(segmentations[uid]),
                segment=segment,
                inputs=inputs,
            )
        )
    return cases


def _referenced_series(path: Path) -> set[str]:
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["ReferencedSeriesSequence"])
    except (*UNREADABLE, OSError) as error:
        raise DataError(f"a segmentation cannot be read ({type(error).__name__})") from error
    return {text(item, "SeriesInstanceUID") for item in items(header, "ReferencedSeriesSequence")}


def _patient(header: Header) -> str:
    """A patient without an ID is known by the study alone."""
    if not header.patient_id:
        return _pseudonym("study", header.study_instance_uid)
    return _pseudonym("patient", f"{header.issuer_of_patient_id}\x1f{header.patient_id}")


def _pseudonym(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\x1f{value}".encode()).hexdigest()[:_DIGITS]


def _admit(series: ImageSeries, inputs: Inputs | None) -> None:
    reasons = reasons_against(series.candidate, inputs) if inputs else ()
    if reasons:
        raise UnsuitableError("; ".join(reasons))


def _draw(truth: Mask, drawn: Segmentation, wanted: Sequence[int], loaded: LoadedSeries, name: str) -> None:
    """Add the wanted segments to the truth, each frame on the plane it lies on by its position."""
    planes = loaded.source.planes
    if drawn.FrameOfReferenceUID != loaded.source.frame_of_reference_uid:
        raise DataError(f"{name}: its segmentation lies in another frame of reference")
    if (drawn.Rows, drawn.Columns) != truth.shape[1:]:
        size, expected = f"{drawn.Columns} x {drawn.Rows}", f"{truth.shape[2]} x {truth.shape[1]}"
        raise DataError(f"{name}: its segmentation has {size} pixels, its images {expected}")
    shared = drawn.SharedFunctionalGroupsSequence[0]
    corners = np.array([_plane_corners(plane) for plane in planes])
    for number, frame in enumerate(drawn.PerFrameFunctionalGroupsSequence, start=1):
        groups = (frame, shared)
        away = np.linalg.norm(corners - _corners(groups, drawn.Rows, drawn.Columns), axis=2).max(axis=1)
        nearest = int(away.argmin())
        if away[nearest] > PLANE_TOLERANCE * min(planes[nearest].spacing):
            raise DataError(f"{name}: frame {number} of its segmentation lies on no plane of its images")
        truth[nearest] |= _voxels(drawn, number, groups, wanted)


def _corners(groups: tuple[pydicom.Dataset, ...], rows: int, columns: int) -> NDArray[np.float64]:
    """First voxel, last of the first row and last of the first column of a frame, (3, 3), LPS, mm (PS3.3 C.7.6.2.1)."""
    first = np.array(_group(groups, "PlanePositionSequence").ImagePositionPatient, dtype=np.float64)
    cosines = np.array(_group(groups, "PlaneOrientationSequence").ImageOrientationPatient, dtype=np.float64)
    between_rows, between_columns = map(float, _group(groups, "PixelMeasuresSequence").PixelSpacing)
    along, down = cosines[:3] * between_columns * (columns - 1), cosines[3:] * between_rows * (rows - 1)
    return np.stack([first, first + along, first + down])


def _plane_corners(plane: Plane) -> NDArray[np.float64]:
    """The same of a plane of the source."""
    first, (along_row, down_column, _) = np.array(plane.position), plane.axes
    (between_rows, between_columns), (rows, columns) = plane.spacing, plane.matrix
    along, down = along_row * between_columns * (columns - 1), down_column * between_rows * (rows - 1)
    return np.stack([first, first + along, first + down])


def _voxels(
    drawn: Segmentation, number: int, groups: tuple[pydicom.Dataset, ...], wanted: Sequence[int]
) -> NDArray[np.bool_]:
    stored: NDArray[np.generic] = drawn.get_stored_frame(number)
    if drawn.SegmentationType == "LABELMAP":
        return np.isin(stored, wanted)
    if int(_group(groups, "SegmentIdentificationSequence").ReferencedSegmentNumber) not in wanted:
        return np.zeros(stored.shape, dtype=np.bool_)
    half = 0.5 * float(drawn.get("MaximumFractionalValue", 1))  # of a BINARY one every voxel is 0 or 1
    return np.asarray(stored, dtype=np.float64) >= half


def _group(groups: tuple[pydicom.Dataset, ...], sequence: str) -> pydicom.Dataset:
    """Item of a functional group, from the frame's own or the shared ones (PS3.3 C.7.6.16.2)."""
    group: pydicom.Dataset = next(group for group in groups if sequence in group)[sequence][0]
    return group
