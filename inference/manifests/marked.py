"""What bundles have in common whose graph gives maps over a series: how it is laid before the graph, what is marked."""

from typing import Self

from pydantic import Field, model_validator

from inference.graph import Tiling
from inference.inputs import Inputs
from inference.manifests.base import Base
from inference.operations import Operation
from inference.outputs import FindingSpec, SegmentSpec


class Marked(Base):
    """Series, preprocessing, tiling, and segments with their findings.

    Raises
    ------
    pydantic.ValidationError
        If segments and findings do not agree.
    """

    inputs: Inputs
    preprocess: tuple[Operation, ...]
    tiling: Tiling
    segments: tuple[SegmentSpec, ...] = Field(min_length=1)
    findings: tuple[FindingSpec, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        numbers = [segment.number for segment in self.segments]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"segments are numbered 1, 2, ... in order, got {numbers}")
        named = [finding.segment for finding in self.findings]
        if len(set(named)) != len(named) or not set(named) <= set(numbers):
            raise ValueError(f"each finding names a segment of its own among {numbers}, got {named}")
        return self
