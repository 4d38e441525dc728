"""What is measured of a finding, coded, and its size in words: the one place that does either."""

from collections.abc import Iterable

import numpy as np
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.findings import Finding, Measurement
from inference.image import Image
from inference.imaging.axes import axes, largest_slice
from inference.imaging.components import Component


def measured(part: Component, image: Image) -> tuple[Measurement, ...]:
    """Volume, and the long and the short axis on the acquired plane on which the part is largest.

    On that plane the part is what any slice of the grid that shows the plane has of it, as it is drawn there. Without
    axes where no plane shows any of the part.

    Parameters
    ----------
    part
        On the grid of the image.
    image
        Tells how large a voxel is, and how the planes lie on the grid.
    """
    volume = Measurement(code=codes.SCT.Volume, value=volume_mm3(part, image), unit=codes.UCUM.CubicMillimeter)
    shown = part.indices if image.laying is None else image.laying.indices_on_planes(part.indices)
    if not len(shown):
        return (volume,)
    key = largest_slice(np.bincount(shown[:, 0]))
    pixels = shown[shown[:, 0] == key, 1:]
    corner = pixels.min(axis=0)
    plane = np.zeros(pixels.max(axis=0) - corner + 1, dtype=np.bool_)
    plane[tuple((pixels - corner).T)] = True
    _, rows, columns = image.volume.spacing
    found = axes(plane, (rows, columns))
    return (
        volume,
        Measurement(code=codes.SCT.LongAxis, value=found.long.length_mm, unit=codes.UCUM.Millimeter),
        Measurement(code=codes.SCT.ShortAxis, value=found.short.length_mm, unit=codes.UCUM.Millimeter),
    )


def probability_of(
    kind: Code, label: str, probability: float, by_slice: Iterable[tuple[int, float]] = ()
) -> Measurement:
    """How probable a kind is that is not what the finding is called, in percent.

    Parameters
    ----------
    kind
        What it is the probability of.
    label
        Short name of the kind in its bundle, unique there.
    probability
        In [0, 1].
    by_slice
        (slice index, probability) of single slices.
    """
    return Measurement(
        code=Code(f"{label}-probability", "99DICOMNODE", f"Probability of {kind.meaning}"[:64]),
        value=100.0 * probability,
        unit=codes.UCUM.Percent,
        by_slice=tuple((k, 100.0 * p) for k, p in by_slice),
    )


def volume_mm3(part: Component, image: Image) -> float:
    """Volume of a part on the grid of the image, mm3."""
    return image.volume_mm3(np.bincount(part.indices[:, 0], minlength=part.shape[0]))


def size_in_words(finding: Finding) -> str:
    """What `measured` says, for a sentence: "1.23 mL, longest axis 21 mm, perpendicular to it 15 mm"."""
    volume, long, short = (finding.measured(c) for c in (codes.SCT.Volume, codes.SCT.LongAxis, codes.SCT.ShortAxis))
    said = [] if volume is None else [millilitres(volume)]
    said += [] if long is None else [f"longest axis {long:.0f} mm"]
    said += [] if short is None else [f"perpendicular to it {short:.0f} mm"]
    return ", ".join(said)


def millilitres(mm3: float) -> str:
    """A volume for a sentence: two decimals below 10 mL, else one."""
    return f"{mm3 / 1000.0:.2f} mL" if mm3 < 9995.0 else f"{mm3 / 1000.0:.1f} mL"
