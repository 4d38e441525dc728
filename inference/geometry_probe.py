"""What comes back of an image whose bundle's graph gives back what it is given: the way there and back, nothing else.

Turned, mirrored or shifted masks are the fault of the way, never of the weights; this runs the way alone.
"""

import numpy as np
from numpy.typing import NDArray

from inference.graph import Slices
from inference.image import Image
from inference.imaging.grid import onto
from inference.imaging.preprocess import prepare
from inference.imaging.sliding_window import predict_volume
from inference.manifest import Manifest
from inference.manifests.marked import Marked

Array = NDArray[np.float32]

_IN_PLACE = frozenset({"window", "window_percentile", "clip", "minmax", "zscore", "normalize"})
"""Operations that change values and move nothing."""

_INTERPOLATED = frozenset({"resample", "resize"})


def there_and_back(image: Image, manifest: Manifest | None) -> Array:
    """The image on its own grid, after the bundle's turning, cutting, resampling and tiling, and the way back.

    Parameters
    ----------
    image
        Any series.
    manifest
        Of a bundle; one that gives no maps, or None for an algorithm in code, sees the grid of the image itself.

    Raises
    ------
    UnsuitableImageError
        If the bundle does not read slices cut this way.
    """
    if not isinstance(manifest, Marked):
        return image.volume.array
    moves = [step for step in manifest.preprocess if step.op not in _IN_PLACE]
    volume = prepare(image.volume, moves, image.modality)
    middle = manifest.tiling.neighbours if isinstance(manifest.tiling, Slices) else 0
    replicate = manifest.tiling.replicate if isinstance(manifest.tiling, Slices) else 1

    def identity(batch: Array) -> Array:
        channel = middle * replicate
        return np.ascontiguousarray(batch[:, channel : channel + 1])

    (values,) = predict_volume(volume.array, manifest.tiling, identity)
    return onto(values, volume.get_geometry(), image.volume.get_geometry())


def is_exact(manifest: Manifest | None) -> bool:
    """Whether the way interpolates nothing, so that every voxel must come back."""
    return not (isinstance(manifest, Marked) and any(step.op in _INTERPOLATED for step in manifest.preprocess))
