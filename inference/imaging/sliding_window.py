"""A 3-D graph over a volume larger than its window, a 2-D graph over a stack of slices; knows no provider, no finding.

The order of windows and batches is fixed, and so is the order of the sums: the same volume gives the same values.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from inference.graph import Slices, Whole, Windows

Array = NDArray[np.float32]
Predict = Callable[[Array], Array]
"""A graph: (batch, channel, ...), float32, to (batch, class, ...), float32, of the same extent."""


def predict_volume(volume: Array, tiling: Slices | Windows | Whole, predict: Predict) -> Array:
    """Values of every class for every voxel.

    Parameters
    ----------
    volume
        (slice, row, column), float32, preprocessed.
    tiling
        How the graph takes it.
    predict
        The graph.

    Returns
    -------
    ndarray
        (class, slice, row, column), float32.
    """
    if isinstance(tiling, Slices):
        return by_slices(volume, tiling, predict)
    if isinstance(tiling, Windows):
        return by_windows(volume, tiling, predict)
    values: Array = predict(volume[None, None])[0]
    return values


def by_slices(volume: Array, tiling: Slices, predict: Predict) -> Array:
    """Each slice by itself or amid its neighbours, some at a time; (class, slice, row, column), float32."""
    near = tiling.neighbours
    beyond = ((near, near), (0, 0), (0, 0))
    wide = np.pad(volume, beyond, mode="edge") if tiling.edge == "repeat" else np.pad(volume, beyond)
    parts = []
    for first in range(0, len(volume), tiling.batch):
        last = min(first + tiling.batch, len(volume))
        stack = np.stack([wide[k : k + 2 * near + 1] for k in range(first, last)])
        parts.append(predict(np.repeat(stack, tiling.replicate, axis=1)))
    return np.ascontiguousarray(np.concatenate(parts).swapaxes(0, 1))


def by_windows(volume: Array, tiling: Windows, predict: Predict) -> Array:
    """Overlapping windows, weighted into each other; (class, slice, row, column), float32.

    A volume smaller than the window is enlarged with its own least value, the picture in the middle.
    """
    missing = [max(0, window - length) for window, length in zip(tiling.shape, volume.shape, strict=True)]
    before = [n // 2 for n in missing]
    padding = [(b, n - b) for b, n in zip(before, missing, strict=True)]
    wide = np.pad(volume, padding, constant_values=float(volume.min()))
    total = _summed(wide, tiling, predict)
    inner = tuple(slice(b, b + length) for b, length in zip(before, volume.shape, strict=True))
    return np.ascontiguousarray(total[(slice(None), *inner)])


def starts(length: int, window: int, overlap: float) -> tuple[int, ...]:
    """First voxels of the windows along one axis: evenly spread, the last one ends with the axis.

    For a length of 110, a window of 64 and half of it overlapping: 0, 23, 46.
    """
    step = max(1, int(window * (1.0 - overlap)))
    count = -(-(length - window) // step) + 1
    if count <= 1:
        return (0,)
    even = (length - window) / (count - 1)
    return tuple(round(even * index) for index in range(count))


def window_weights(shape: Sequence[int], kind: str) -> Array:
    """How far each voxel of a window is trusted, float32, above 0, the greatest 1.

    "gaussian" falls off from the middle with a standard deviation of an eighth of the window along each axis (Isensee
    et al., nnU-Net, Nature Methods 2021), and never below a thousandth; "constant" is 1.
    """
    weights = np.ones(shape, dtype=np.float64)
    if kind == "gaussian":
        for axis, length in enumerate(shape):
            away = (np.arange(length) - (length - 1) / 2.0) / (length / 8.0)
            line = np.exp(-0.5 * away**2)
            weights *= np.expand_dims(line, tuple(other for other in range(len(shape)) if other != axis))
    trusted: Array = np.maximum(weights / weights.max(), 1e-3).astype(np.float32)
    return trusted


def _summed(wide: Array, tiling: Windows, predict: Predict) -> Array:
    corners = list(
        product(*(starts(n, window, tiling.overlap) for n, window in zip(wide.shape, tiling.shape, strict=True)))
    )
    weights = window_weights(tiling.shape, tiling.weights)
    total: NDArray[np.float64] | None = None  # many windows cover a voxel, and in float32 each addition would round
    trust = np.zeros(wide.shape, dtype=np.float64)
    for first in range(0, len(corners), tiling.batch):
        boxes = [_box(corner, tiling.shape) for corner in corners[first : first + tiling.batch]]
        values = predict(np.stack([wide[box] for box in boxes])[:, None])
        if total is None:
            total = np.zeros((values.shape[1], *wide.shape), dtype=np.float64)
        for box, value in zip(boxes, values, strict=True):
            total[(slice(None), *box)] += value * weights
            trust[box] += weights
    if total is None:
        raise ValueError("a volume without voxels has no windows")
    total /= trust
    return total.astype(np.float32)


def _box(corner: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in zip(corner, shape, strict=True))
