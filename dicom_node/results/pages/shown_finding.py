"""A finding with the slice that shows it best, as a view to be drawn; knows no page."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dicom_node.plane import Plane
from dicom_node.results.header import text
from dicom_node.results.pages.slice_picture import AMBER, Color, Outline, View, Window
from dicom_node.results.source import Source
from inference.findings import Finding, Findings

BRAIN_HU: Window = (0.0, 80.0)
"""The brain window of CT: centre 40, width 80."""


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """One finding on one slice.

    Attributes
    ----------
    finding, findings
        One of all.
    source
        The planes.
    key
        Index of the plane that shows it.
    pixels
        (row, column), float32, HU for CT: that plane.
    usual
        Black and white for the series as a whole.
    """

    finding: Finding
    findings: Findings
    source: Source
    key: int
    pixels: NDArray[np.float32]
    usual: Window

    @property
    def plane(self) -> Plane:
        """Where the slice lies."""
        return self.source.planes[self.key]

    @property
    def is_ct(self) -> bool:
        """Whether pixels are HU."""
        return text(self.source.datasets[0], "Modality") == "CT"

    @property
    def region(self) -> NDArray[np.bool_] | None:
        """(row, column), bool: the finding on the slice; None without a mask."""
        return None if self.finding.region is None else self.finding.region[self.key]

    @cached_property
    def extent_mm(self) -> tuple[float, float] | None:
        """Height and width of the finding on the slice; None without a mask."""
        if self.region is None:
            return None
        marked = np.argwhere(self.region)
        high, wide = (marked.max(axis=0) + 1 - marked.min(axis=0)) * np.array(self.plane.spacing)
        return float(high), float(wide)

    @property
    def window(self) -> Window:
        """Of CT the brain window, unless the finding would be all black or all white in it; else the usual one."""
        if not self.is_ct:
            return self.usual
        typical = BRAIN_HU[0] if self.region is None else float(np.median(self.pixels[self.region]))
        return BRAIN_HU if BRAIN_HU[0] <= typical <= BRAIN_HU[1] else self.usual

    def view(self, width: int) -> View:
        """The slice with every segment's outline in its colour, the finding's own on top, `width` pixels thick."""
        masks = [(segment.mask[self.key], segment.color) for segment in self.findings.segments]
        outlines = [Outline(mask=mask, color=color) for mask, color in masks if mask.any()]
        if self.region is not None:
            own = color_of(self.finding, self.findings)
            outlines.append(Outline(mask=self.region, color=own, width=width))
        return View(plane=self.pixels, spacing_mm=self.plane.spacing, window=self.window, outlines=tuple(outlines))


def color_of(finding: Finding, findings: Findings) -> Color:
    """Of the segment a finding lies in."""
    return AMBER if finding.segment is None else findings.segments[finding.segment].color
