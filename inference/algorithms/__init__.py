"""One file for each kind of reading; this one names what they share: the Reader and how it is to be run."""

from dataclasses import dataclass
from typing import Protocol

from inference.findings import Algorithm, Findings
from inference.image import Image
from inference.inputs import Inputs


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
