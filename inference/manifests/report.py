"""bundle.json of a `report-classifier` bundle: a graph that tells what a report's text says, as one of some classes."""

from typing import Literal

from pydantic import Field, model_validator

from inference.concept import Concept
from inference.graph import RelativePath
from inference.inputs import TextInputs
from inference.manifests.base import Declared
from inference.manifests.identity import Memory
from inference.strict import Strict

TOKENIZER = "tokenizer/tokenizer.json"
"""Where the tokenizer lies in a bundle: one file, as the `tokenizers` library writes it."""

NEEDED = ("input_ids", "attention_mask")
"""Inputs that the graph has, (text, token), int64."""

FURTHER = ("token_type_ids",)
"""Inputs that it may have besides."""


class ReportClass(Strict):
    """One class that a report may be of.

    Attributes
    ----------
    label
        As labelled data name it, for example "glioma".
    code
        What the finding is called.
    """

    label: str = Field(min_length=1, max_length=64)
    code: Concept


class ReportManifest(Declared):
    """A graph of role `text`, the tokenizer before it, and what its outputs say.

    Attributes
    ----------
    tokenizer
        File that turns text to tokens.
    max_length
        Tokens that the network takes, its own marks at beginning and end included; the rest of a report is not read,
        and the result says so.
    classes
        In the order of the graph's outputs; a report is of exactly one.
    temperature
        The logits are divided by it before they become probabilities; fitted on validation.
    least_probability
        Below it no class is named.

    Raises
    ------
    pydantic.ValidationError
        If classes and graph do not agree, or two classes share a label or a code.
    """

    algorithm: Literal["report-classifier"]
    inputs: TextInputs
    limits: Memory = Memory()
    tokenizer: RelativePath = TOKENIZER
    max_length: int = Field(ge=8, le=8192)
    classes: tuple[ReportClass, ...] = Field(min_length=2)
    temperature: float = Field(default=1.0, gt=0)
    least_probability: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _classes_differ(self) -> "ReportManifest":
        for what, named in (
            ("label", [kind.label for kind in self.classes]),
            ("code", [(kind.code.scheme, kind.code.value) for kind in self.classes]),
        ):
            if len(set(named)) != len(named):
                raise ValueError(f"each class has a {what} of its own")
        return self

    @model_validator(mode="after")
    def _graph_fits(self) -> "ReportManifest":
        roles = [graph.role for graph in self.graphs]
        if roles != ["text"]:
            raise ValueError(f"a report-classifier bundle has one graph of role 'text', got {roles}")
        graph = self.graph("text")
        names = {tensor.name for tensor in graph.inputs}
        if not set(NEEDED) <= names <= {*NEEDED, *FURTHER}:
            raise ValueError(f"{graph.file} takes {', '.join(NEEDED)} and perhaps {', '.join(FURTHER)}, got {names}")
        if any(tensor.dtype != "int64" or tensor.shape != (None, None) for tensor in graph.inputs):
            raise ValueError(f"{graph.file}: inputs are int64 (text, token), both of any number")
        if [tensor.shape for tensor in graph.outputs] != [(None, len(self.classes))]:
            raise ValueError(f"{graph.file}: one output (text, class) with {len(self.classes)} classes")
        if graph.activation != "softmax":
            raise ValueError(f"{graph.file} gives logits of which one class is true: activation is 'softmax'")
        return self
