"""One file for each kind of reading; this one names what they share: the Reader and how it is to be run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.findings import Algorithm, Findings, Mask
from inference.image import Image
from inference.inputs import Inputs, TextInputs
from inference.report_text import ReportText


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How a reader is to be run on this machine.

    Attributes
    ----------
    providers
        Execution providers in order of preference: "tensorrt", "cuda", "cpu".
    threads
        Threads of one session; 0: all cores.
    """

    providers: tuple[str, ...] = ("cpu",)
    threads: int = 0


class Reader(Protocol):
    """One algorithm, ready to read: weights loaded, provider chosen and checked."""

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""

    @property
    def inputs(self) -> Inputs:
        """Which series it reads."""

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it; "SimpleITK" for an algorithm without weights."""

    def read(self, image: Image) -> Findings:
        """Read one volume.

        Raises
        ------
        UnsuitableImageError
            If the image is not what the algorithm was made for; with numbers.
        """


@runtime_checkable
class TextReader(Protocol):
    """One algorithm that reads the text of a report, ready to read."""

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""

    @property
    def inputs(self) -> TextInputs:
        """Which text it reads."""

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it."""

    def read_text(self, report: ReportText) -> Findings:
        """Read one report.

        Raises
        ------
        UnsuitableTextError
            If the text is not what the algorithm was made for; with numbers, without the text.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What a reader thinks of a volume before it is put into findings: what its figures are computed from.

    Attributes
    ----------
    probability
        (slice, row, column), float32 in [0, 1], on the grid of the volume: calibrated, of what is sought.
    marked
        (slice, row, column), bool: what the reader would put into its segment.
    slices
        (slice,), float32: how sure it is that a slice shows what is sought; an order, not a probability.
    classes
        Probability of each class by its label, given that the volume shows what is sought; empty where the bundle tells
        none.
    """

    probability: NDArray[np.float32]
    marked: Mask
    slices: NDArray[np.float32]
    classes: Mapping[str, float]


@runtime_checkable
class Scorer(Protocol):
    """A reader whose figures can be taken."""

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""

    @property
    def provider(self) -> str:
        """Execution provider in use."""

    @property
    def sought(self) -> Code:
        """What the scores are of: a lesion, or an organ."""

    def scores(self, image: Image) -> Scores:
        """Score one volume; raises as `Reader.read`."""
