"""What every bundle.json has, whatever the bundle reads."""

from typing import Literal

from pydantic import Field, model_validator

from inference.concept import Concept
from inference.graph import Graph, Role
from inference.manifests.identity import (
    Exporter,
    Licence,
    Limits,
    Metric,
    Name,
    Parity,
    Regulatory,
    SourceCheckpoint,
    TrainingRun,
    Version,
)
from inference.strict import Strict


class Declared(Strict):
    """Identity, terms, provenance, graphs and figures.

    Raises
    ------
    pydantic.ValidationError
        If two graphs have one role.
    """

    schema_version: Literal[1]
    name: Name
    version: Version
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    family: Concept
    licence: Licence
    regulatory: Regulatory | None = None
    training: Literal["real", "synthetic-appearance", "synthetic-findings"]
    source_checkpoint: SourceCheckpoint
    training_run: TrainingRun | None = None
    exporter: Exporter
    graphs: tuple[Graph, ...] = Field(min_length=1)
    parity: Parity
    metrics: tuple[Metric, ...] = ()

    @model_validator(mode="after")
    def _one_graph_a_role(self) -> "Declared":
        roles = [graph.role for graph in self.graphs]
        if len(set(roles)) != len(roles):
            raise ValueError(f"each graph has a role of its own, got {', '.join(roles)}")
        return self

    def graph(self, role: Role) -> Graph:
        """The graph of a role; KeyError where the bundle has none."""
        return {graph.role: graph for graph in self.graphs}[role]

    def has(self, role: Role) -> bool:
        """Whether the bundle has a graph of a role."""
        return any(graph.role == role for graph in self.graphs)


class Base(Declared):
    """The same of a bundle that reads volumes, with what one may cost."""

    limits: Limits
