"""Frames of an instance with place, rescaling and what tells them apart; classic attributes or functional groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, EnhancedMRImageStorage, MRImageStorage

from dicom_node.errors import UnsuitableError
from dicom_node.plane import Plane
from dicom_node.reading.header_values import items, number, numbers, text, whole

CLASSIC = frozenset({CTImageStorage, MRImageStorage})
"""One image an instance (PS3.3 A.3, A.4)."""

MULTI_FRAME = frozenset({EnhancedCTImageStorage, EnhancedMRImageStorage})
"""Many frames an instance, described by functional groups (PS3.3 A.36, A.38)."""

CT = frozenset({CTImageStorage, EnhancedCTImageStorage})
"""Classes whose values are Hounsfield units after rescaling; Modality (0008,0060) is not trusted for it."""

_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")

_TRAITS = {
    "Echo Time (ms)": ("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
    "Inversion Time (ms)": ("MRModifierSequence", "InversionTimes", "InversionTime"),
    "b-value (s/mm2)": ("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue"),
    "time point": ("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier"),
    "stack": ("FrameContentSequence", "StackID", "StackID"),
    "trigger time (ms)": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime"),
    "acquisition": ("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"),
}
"""What tells images at one place apart: sequence and keyword in functional groups, keyword of classic images."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One image or frame.

    Attributes
    ----------
    plane
        Where it lies.
    number
        1-based number of the frame of a multi-frame object, None of a classic image.
    slope, intercept
        Stored value to output unit: value * slope + intercept (PS3.3 C.11.1.1.2).
    traits
        (name, value) of what may tell it from another image at the same place.
    """

    plane: Plane
    number: int | None
    slope: float
    intercept: float
    traits: tuple[tuple[str, str], ...]


def frames(header: Dataset) -> tuple[Frame, ...]:
    """All frames of one instance, in stored order.

    Raises
    ------
    UnsuitableError
        If place, size or rescaling is absent or broken.
    """
    if text(header, "SOPClassUID") in MULTI_FRAME:
        return tuple(_multi_frame(header))
    return (_classic(header),)


def frame_count(header: Dataset) -> int:
    """Frames an instance says it has, at least 1."""
    return max(1, int(number(header, "NumberOfFrames") or 1))


def _classic(header: Dataset) -> Frame:
    slope, intercept = _rescale(header, header)
    return Frame(
        plane=Plane(
            position=_triple(_needed(header, "ImagePositionPatient", 3)),
            orientation=_six(_needed(header, "ImageOrientationPatient", 6)),
            spacing=_spacing(header),
            matrix=_matrix(header),
            thickness=number(header, "SpacingBetweenSlices") or number(header, "SliceThickness"),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        ),
        number=None,
        slope=slope,
        intercept=intercept,
        traits=_traits(lambda _, __, keyword: text(header, keyword)),
    )


def _multi_frame(header: Dataset) -> Iterator[Frame]:
    shared = next(iter(items(header, _GROUPS[0])), Dataset())
    per_frame = items(header, _GROUPS[1])
    count = whole(header, "NumberOfFrames")
    if len(per_frame) != count:
        raise UnsuitableError(f"{len(per_frame)} functional groups for {count} frames")
    matrix, reference = _matrix(header), text(header, "FrameOfReferenceUID")
    for index, own in enumerate(per_frame, start=1):
        groups = _Groups(own=own, shared=shared)
        measures = groups.of("PixelMeasuresSequence")
        slope, intercept = _rescale(header, groups.of("PixelValueTransformationSequence"))
        yield Frame(
            plane=Plane(
                position=_triple(_needed(groups.of("PlanePositionSequence"), "ImagePositionPatient", 3)),
                orientation=_six(_needed(groups.of("PlaneOrientationSequence"), "ImageOrientationPatient", 6)),
                spacing=_spacing(measures),
                matrix=matrix,
                thickness=number(measures, "SpacingBetweenSlices") or number(measures, "SliceThickness"),
                frame_of_reference_uid=reference,
            ),
            number=index,
            slope=slope,
            intercept=intercept,
            traits=_traits(lambda sequence, keyword, _, groups=groups: text(groups.of(sequence), keyword)),  # type: ignore[misc]
        )


@dataclass(frozen=True, kw_only=True)
class _Groups:
    """Functional groups of one frame: its own, else the shared one (PS3.3 C.7.6.16.1.1)."""

    own: Dataset
    shared: Dataset

    def of(self, sequence: str) -> Dataset:
        found = items(self.own, sequence) or items(self.shared, sequence)
        return found[0] if found else Dataset()


def _traits(value: Callable[[str, str, str], str]) -> tuple[tuple[str, str], ...]:
    found = ((name, value(*keys)) for name, keys in _TRAITS.items())
    return tuple((name, shown) for name, shown in found if shown)


def _rescale(header: Dataset, group: Dataset) -> tuple[float, float]:
    slope, intercept = numbers(group, "RescaleSlope", 1), numbers(group, "RescaleIntercept", 1)
    hounsfield = text(header, "SOPClassUID") in CT
    if hounsfield and (slope is None or intercept is None):
        raise UnsuitableError("CT without Rescale Slope and Intercept: Hounsfield units unknown")
    if hounsfield and text(group, "RescaleType") not in ("", "HU"):
        raise UnsuitableError("CT whose Rescale Type is not HU")
    if slope is not None and slope[0] == 0:
        raise UnsuitableError("Rescale Slope is 0")
    return slope[0] if slope else 1.0, intercept[0] if intercept else 0.0


def _needed(header: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    found = numbers(header, keyword, count)
    if found is None:
        raise UnsuitableError(f"{keyword} is absent")
    return found


def _spacing(header: Dataset) -> tuple[float, float]:
    rows, columns = _needed(header, "PixelSpacing", 2)
    if rows <= 0 or columns <= 0:
        raise UnsuitableError("Pixel Spacing is not positive")
    return rows, columns


def _matrix(header: Dataset) -> tuple[int, int]:
    rows, columns = whole(header, "Rows"), whole(header, "Columns")
    if rows == 0 or columns == 0:
        raise UnsuitableError(f"matrix of {rows} x {columns}")
    return rows, columns


def _triple(values: tuple[float, ...]) -> tuple[float, float, float]:
    return values[0], values[1], values[2]


def _six(values: tuple[float, ...]) -> tuple[float, float, float, float, float, float]:
    return values[0], values[1], values[2], values[3], values[4], values[5]
