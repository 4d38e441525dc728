"""Named operations on intensities, as a bundle's `preprocess` lists them; knows no geometry and no file.

Each takes an array of any shape, float32, and gives one of the same shape, float32; none writes into what it was given.
Where an operation is to be done for each slice, the caller calls it with one slice at a time.
"""

import numpy as np
from numpy.typing import NDArray

Intensities = NDArray[np.float32]


def window_percentile(array: Intensities, lower: float, upper: float, *, foreground: bool) -> Intensities:
    """Window from one percentile to another: [0, 1] with both ends saturated.

    Parameters
    ----------
    array
        float32, any unit.
    lower, upper
        Percentiles, 0 <= lower < upper <= 100.
    foreground
        Take the percentiles over `foreground_mask` alone, so that the amount of air does not move the window.

    Returns
    -------
    ndarray
        float32 in [0, 1]; zeros where both percentiles have the same value.

    Raises
    ------
    ValueError
        If the percentiles are not in order or out of range.
    """
    if not 0.0 <= lower < upper <= 100.0:
        raise ValueError(f"percentiles must satisfy 0 <= lower < upper <= 100, got {lower} and {upper}")
    low, high = np.percentile(_sample(array, foreground=foreground), [lower, upper])
    return _ramp(array, float(low), float(high))


def window(array: Intensities, center: float, width: float) -> Intensities:
    """Window around a center: [0, 1] with both ends saturated.  # PS3.3 C.11.2.1.3.2 (LINEAR_EXACT)

    Parameters
    ----------
    array
        float32, in the unit of `center` and `width` (HU for CT).
    center, width
        Window Center and Window Width; the width is above 0.

    Raises
    ------
    ValueError
        If the width is not above 0.
    """
    if width <= 0.0:
        raise ValueError(f"window width must be above 0, got {width}")
    return _ramp(array, center - width / 2.0, center + width / 2.0)


def clip(array: Intensities, lower: float, upper: float) -> Intensities:
    """Values held within [lower, upper], in their own unit.

    Raises
    ------
    ValueError
        If `lower` is not below `upper`.
    """
    if not lower < upper:
        raise ValueError(f"clip needs lower < upper, got {lower} and {upper}")
    clipped: Intensities = np.clip(array, np.float32(lower), np.float32(upper))
    return clipped


def minmax(array: Intensities) -> Intensities:
    """Least value to 0, greatest to 1; zeros for an array of one value."""
    return _ramp(array, float(array.min()), float(array.max()))


def zscore(array: Intensities, *, foreground: bool) -> Intensities:
    """Mean 0 and standard deviation 1; zeros for an array of one value, or so near to it that float32 overflows.

    Parameters
    ----------
    array
        float32, any unit.
    foreground
        Take mean and standard deviation over `foreground_mask` alone; every voxel is changed all the same.
    """
    sample = _sample(array, foreground=foreground).astype(np.float64)
    mean, deviation = float(sample.mean()), float(sample.std())
    farthest = max(float(array.max()) - mean, mean - float(array.min()))
    if not deviation > farthest / float(np.finfo(np.float32).max):
        return np.zeros_like(array, dtype=np.float32)
    return (array - np.float32(mean)) / np.float32(deviation)


def foreground_mask(array: Intensities) -> NDArray[np.bool_]:
    """Voxels brighter than the mean of all: the head against air, also where noise keeps the air above 0.

    Returns
    -------
    ndarray
        bool, shape of `array`; all True for an array of one value, so that it is never empty.
    """
    brighter: NDArray[np.bool_] = array > array.mean(dtype=np.float64)
    return brighter if brighter.any() else np.ones(array.shape, dtype=np.bool_)


def _sample(array: Intensities, *, foreground: bool) -> Intensities:
    return array[foreground_mask(array)] if foreground else array


def _ramp(array: Intensities, low: float, high: float) -> Intensities:
    span = np.float32(high) - np.float32(low)
    if not span > 0.0:
        return np.zeros_like(array, dtype=np.float32)
    within = np.clip(array, np.float32(low), np.float32(high))  # before it is divided: a narrow span would overflow
    ramp: Intensities = np.clip((within - np.float32(low)) / span, np.float32(0.0), np.float32(1.0))
    return ramp
