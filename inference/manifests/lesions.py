"""bundle.json of a `brain-lesions` bundle: tells what candidate lesions are, slice by slice and for the patient."""

from typing import Literal

from pydantic import Field, model_validator

from inference.concept import Concept
from inference.fusion import Fusion
from inference.inputs import Inputs
from inference.manifests.base import Base
from inference.manifests.identity import BundleReference
from inference.strict import Strict


class CropSpec(Strict):
    """What the graph sees of a slice of a candidate: `crop[batch, slice, row, column]`.

    Attributes
    ----------
    side
        Rows and columns.
    neighbours
        Slices on each side that go in as further channels, the slice itself in the middle.
    spacing_mm
        Along (slice, row, column).
    upper
        Brightness, in medians of the brain, that becomes 1; what is brighter is cut off.
    """

    side: int = Field(ge=8, le=512)
    neighbours: int = Field(ge=0, le=4)
    spacing_mm: tuple[float, float, float]
    upper: float = Field(gt=0)


class SizeSpec(Strict):
    """How large the candidate is, as the graph takes it: `size[batch, 1]`, in [0, 1].

    Attributes
    ----------
    measure
        What is measured, mm.
    transform
        "log": the natural logarithm is scaled, so that `lower_mm` becomes 0 and `upper_mm` 1; cut off beyond.
    """

    measure: Literal["longest-axis"] = "longest-axis"
    transform: Literal["log"] = "log"
    lower_mm: float = Field(gt=0)
    upper_mm: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> "SizeSpec":
        if self.lower_mm >= self.upper_mm:
            raise ValueError(f"lower_mm must be below upper_mm, got {self.lower_mm} and {self.upper_mm}")
        return self


class LesionClass(Strict):
    """One kind that a candidate may be of.

    Attributes
    ----------
    label
        As labelled data name it, for example "aih".
    code
        What the finding is called.
    """

    label: str = Field(min_length=1, max_length=48)
    code: Concept


class LesionsManifest(Base):
    """A graph of role `classify` for candidates that are found without weights, and what its two outputs say.

    Attributes
    ----------
    extractor
        The bundle that finds the brain; None: it is found without weights.
    crop, size
        What it takes.
    classes
        In the order of the graph's outputs; the second is the one whose probability is given for slices and patient.
    temperature
        The logits are divided by it; fitted on validation.
    least_class_probability
        Below it a candidate is called `unnamed`, and no class is named.
    unnamed
        What such a candidate is called.
    lesion_rule
        "mean-logit": the log-odds of a candidate are the mean over its slices, each weighted by the candidate's area.
    patient_rule
        "max": the patient's probability is that of the surest candidate; "noisy-or": that not all are of the first
        class, were they independent.
    fusion
        How a score of the report's text is joined to the patient's probability; None: text is not used.

    Raises
    ------
    pydantic.ValidationError
        If classes, crop and graph do not agree.
    """

    algorithm: Literal["brain-lesions"]
    inputs: Inputs
    extractor: BundleReference | None = None
    crop: CropSpec
    size: SizeSpec
    classes: tuple[LesionClass, LesionClass]
    temperature: float = Field(default=1.0, gt=0)
    least_class_probability: float = Field(default=0.5, ge=0.5, le=1)
    unnamed: Concept
    lesion_rule: Literal["mean-logit"] = "mean-logit"
    patient_rule: Literal["max", "noisy-or"]
    fusion: Fusion | None = None

    @model_validator(mode="after")
    def _classes_differ(self) -> "LesionsManifest":
        first, second = self.classes
        if first.label == second.label or first.code == second.code:
            raise ValueError("each class has a label and a code of its own")
        return self

    @model_validator(mode="after")
    def _graph_fits(self) -> "LesionsManifest":
        roles = [graph.role for graph in self.graphs]
        if roles != ["classify"]:
            raise ValueError(f"a brain-lesions bundle has one graph of role 'classify', got {roles}")
        graph = self.graph("classify")
        side = self.crop.side
        expected = [("crop", (None, 2 * self.crop.neighbours + 1, side, side)), ("size", (None, 1))]
        if [(tensor.name, tensor.shape) for tensor in graph.inputs] != expected:
            raise ValueError(f"{graph.file} takes {expected}, got {[(t.name, t.shape) for t in graph.inputs]}")
        if [(tensor.name, tensor.shape) for tensor in graph.outputs] != [("logits", (None, 2))]:
            raise ValueError(f"{graph.file} gives logits of two classes")
        if {tensor.dtype for tensor in (*graph.inputs, *graph.outputs)} != {"float32"}:
            raise ValueError(f"{graph.file}: inputs and output are float32")
        if graph.activation != "softmax":
            raise ValueError(f"{graph.file} gives logits of which one class is true: activation is 'softmax'")
        return self
