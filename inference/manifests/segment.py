"""bundle.json of a `segment` bundle: any 2-D, 2.5-D or 3-D graph that gives maps of probabilities over a series."""

from typing import Literal

from pydantic import model_validator

from inference.graph import Slices, Tiling
from inference.manifests.marked import Marked


class SegmentManifest(Marked):
    """A graph of role `segment`, how a series is laid before it, and what its channels say.

    Raises
    ------
    pydantic.ValidationError
        If segments, findings and graph do not agree.
    """

    algorithm: Literal["segment"]

    @model_validator(mode="after")
    def _graph_fits(self) -> "SegmentManifest":
        roles = [graph.role for graph in self.graphs]
        if roles != ["segment"]:
            raise ValueError(f"a segment bundle has one graph of role 'segment', got {roles}")
        graph = self.graph("segment")
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise ValueError(f"{graph.file} has one input and one output, or this reading cannot feed it")
        rank, channels = _expected(self.tiling)
        taken, given = graph.inputs[0].shape, graph.outputs[0].shape
        if len(taken) != rank or len(given) != rank or taken[1] not in (None, channels):
            raise ValueError(f"{graph.file}: {self.tiling.kind} take {rank} axes with {channels} channels, got {taken}")
        told = [kind.channel for finding in self.findings for kind in finding.classes]
        highest = max([segment.channel for segment in self.segments] + told)
        if given[1] is not None and highest >= given[1]:
            raise ValueError(f"{graph.file} has {given[1]} output channels, the manifest names channel {highest}")
        return self


def _expected(tiling: Tiling) -> tuple[int, int]:
    """Number of axes, and of channels, that the graph's input has under this tiling."""
    if isinstance(tiling, Slices):
        return 4, tiling.replicate * (2 * tiling.neighbours + 1)
    return 5, 1
