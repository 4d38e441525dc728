"""Carries out a bundle's declared preprocessing; knows no graph.

Every step yields a Volume that knows where its voxels lie, so `grid.onto` finds the way back by itself.
"""

from collections.abc import Callable, Sequence

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference import operations as ops
from inference.errors import UnsuitableImageError
from inference.imaging import intensity
from inference.imaging.grid import regridded

Array = NDArray[np.float32]


def prepare(volume: Volume, operations: Sequence[ops.Operation], modality: ops.Modality = "MR") -> Volume:
    """Do the operations in order.

    Parameters
    ----------
    volume
        (slice, row, column), float32, LPS, mm.
    operations
        As the manifest lists them.
    modality
        Of the image; operations for another one are skipped.

    Returns
    -------
    Volume
        (slice, row, column), float32, on the grid of the network.

    Raises
    ------
    UnsuitableImageError
        If the slices are cut along another axis than the bundle reads and it does not reformat.
    """
    for operation in operations:
        if operation.modality in (None, modality):
            volume = _STEPS[operation.op](volume, operation)
    return volume


def _orient(volume: Volume, step: ops.Orient) -> Volume:
    has = "".join(letter.value for letter in volume.get_closest_patient_orientation())
    if not step.reformat and not _same_axis(has[0], step.code[0]):
        raise UnsuitableImageError(f"slices run along {has[0]}, the bundle reads slices along {step.code[0]}")
    return volume.to_patient_orientation(step.code)


def _display(volume: Volume, _: ops.Display) -> Volume:
    along = volume.get_closest_patient_orientation()[0].value
    return volume.to_patient_orientation(_DISPLAYED[along])


def _same_axis(first: str, second: str) -> bool:
    return any(first in axis and second in axis for axis in ("LR", "AP", "HF"))


def _resample(volume: Volume, step: ops.Resample) -> Volume:
    spacing = [new or old for new, old in zip(step.spacing_mm, volume.spacing, strict=True)]
    shape = [
        max(1, round(n * old / new)) for n, old, new in zip(volume.spatial_shape, volume.spacing, spacing, strict=True)
    ]
    return regridded(volume, spacing, shape, antialias=step.antialias)


def _resize(volume: Volume, step: ops.Resize) -> Volume:
    shape = [new or old for new, old in zip(step.shape, volume.spatial_shape, strict=True)]
    spacing = [old * n / new for n, old, new in zip(volume.spatial_shape, volume.spacing, shape, strict=True)]
    return regridded(volume, spacing, shape, antialias=step.antialias)


def _pad_square(volume: Volume, step: ops.PadSquare) -> Volume:
    side = max(volume.spatial_shape[1:])
    return _padded(volume, (volume.spatial_shape[0], side, side), step.value)


def _pad_multiple(volume: Volume, step: ops.PadMultiple) -> Volume:
    return _padded(volume, [-(-n // of) * of for n, of in zip(volume.spatial_shape, step.of, strict=True)], step.value)


def _padded(volume: Volume, shape: Sequence[int], value: float) -> Volume:
    missing = [to - n for n, to in zip(volume.spatial_shape, shape, strict=True)]
    return volume.pad([[n // 2, n - n // 2] for n in missing], constant_value=value)


def _crop_foreground(volume: Volume, step: ops.CropForeground) -> Volume:
    inside = np.argwhere(intensity.foreground_mask(volume.array))
    margin = np.ceil(step.margin_mm / np.array(volume.spacing)).astype(int)
    first = np.maximum(inside.min(axis=0) - margin, 0)
    last = np.minimum(inside.max(axis=0) + margin, np.array(volume.spatial_shape) - 1)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return Volume(
        volume.array[box],
        volume.affine @ _shift(first),
        coordinate_system="PATIENT",
        frame_of_reference_uid=volume.frame_of_reference_uid,
    )


def _shift(first: NDArray[np.int_]) -> NDArray[np.float64]:
    shift = np.eye(4)
    shift[:3, 3] = first
    return shift


def _scoped(volume: Volume, scope: ops.Scope, function: Callable[[Array], Array]) -> Volume:
    if scope == "volume":
        return volume.with_array(function(volume.array))
    return volume.with_array(np.stack([function(plane) for plane in volume.array]))


def _window_percentile(volume: Volume, step: ops.WindowPercentile) -> Volume:
    return _scoped(
        volume,
        step.scope,
        lambda a: intensity.window_percentile(a, step.lower, step.upper, foreground=step.foreground),
    )


_DISPLAYED = {"H": "HPL", "F": "HPL", "A": "PFL", "P": "PFL", "L": "LFP", "R": "LFP"}

_STEPS: dict[str, Callable[..., Volume]] = {
    "orient": _orient,
    "display": _display,
    "resample": _resample,
    "resize": _resize,
    "pad_square": _pad_square,
    "pad_multiple": _pad_multiple,
    "crop_foreground": _crop_foreground,
    "window": lambda volume, step: volume.with_array(intensity.window(volume.array, step.center, step.width)),
    "window_percentile": _window_percentile,
    "clip": lambda volume, step: volume.with_array(intensity.clip(volume.array, step.lower, step.upper)),
    "minmax": lambda volume, step: _scoped(volume, step.scope, intensity.minmax),
    "zscore": lambda volume, step: _scoped(
        volume, step.scope, lambda a: intensity.zscore(a, foreground=step.foreground)
    ),
    "normalize": lambda volume, step: volume.with_array(
        ((volume.array - np.float32(step.mean)) / np.float32(step.std)).astype(np.float32)
    ),
}
