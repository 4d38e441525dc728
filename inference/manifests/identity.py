"""Who a bundle is, under which terms, from which weights and run, and what it may cost: the same for every kind."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from inference.strict import Strict

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
Version = Annotated[str, Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Licence(Strict):
    """Under which terms the weights may be used.

    Attributes
    ----------
    name
        SPDX identifier, or the name the owner gives it.
    clinical_use
        "cleared" for patients; "research": every object says RESEARCH USE; "forbidden" by the licence.
    restrictions
        What else the licence asks, in words; empty: nothing.
    """

    name: str = Field(min_length=1)
    url: str = ""
    clinical_use: Literal["cleared", "research", "forbidden"]
    restrictions: str = ""


class Regulatory(Strict):
    """What an authority has said, for the objects' Contributing Equipment."""

    statement: str = Field(min_length=1)
    udi: str = ""


class HashedFile(Strict):
    """A file that went into the bundle and is not in it."""

    path: str = Field(min_length=1)
    sha256: Sha256


class SourceCheckpoint(Strict):
    """The weights before export."""

    format: str = Field(min_length=1)
    architecture: str = Field(min_length=1)
    files: tuple[HashedFile, ...] = Field(min_length=1)


class BundleReference(Strict):
    """Another bundle that this one reads with: exactly that one, so that one digest tells what made a result."""

    name: Name
    version: Version
    digest: Sha256


class TrainingRun(Strict):
    """The run that made the weights, where the workshop made them.

    Attributes
    ----------
    command
        What repeats it.
    seed
        Of every random choice in it.
    data
        What it learnt from, with its licence, and how it was divided.
    parameters
        Number of weights.
    iterations
        Steps of the optimiser.
    """

    command: str = Field(min_length=1)
    seed: int
    data: str = Field(min_length=1)
    parameters: int = Field(ge=1)
    iterations: int = Field(ge=0)


class Exporter(Strict):
    """Which tools wrote the graphs; `made_at` is declared by who exports, so the same export gives the same bytes."""

    tool: str = Field(min_length=1)
    torch: str = ""
    onnx: str = ""
    opset: int = Field(ge=17)
    made_at: AwareDatetime


class Memory(Strict):
    """What any bundle may cost.

    Attributes
    ----------
    gpu_memory_bytes
        Most that a session takes on a GPU; None: no limit.
    """

    gpu_memory_bytes: int | None = Field(default=None, ge=1)


class Limits(Memory):
    """What a bundle that reads volumes may cost.

    Attributes
    ----------
    max_voxels
        Of the volume after preprocessing; above it the node abstains.
    max_findings
        Components that are listed one by one, the largest; the others are in the segment alone.
    """

    max_voxels: int = Field(ge=1)
    max_findings: int = Field(default=50, ge=1)


class Parity(Strict):
    """How far outputs on this machine may lie from those of the framework the weights come from.

    Attributes
    ----------
    atol
        Largest absolute difference of an output.
    """

    atol: float = Field(gt=0)


class Metric(Strict):
    """One figure of the model card with its 95 % interval.

    Attributes
    ----------
    name, value, ci95
        As `metrics.json` names and gives them.
    n, unit
        How many of what the interval resamples, for example 40 patients.
    split
        On which cases.
    baselines
        What a reader that knows nothing gets.
    """

    name: str = Field(min_length=1)
    value: float
    ci95: tuple[float, float] | None = None
    n: int = Field(ge=1)
    unit: str = Field(min_length=1)
    split: str = Field(min_length=1)
    baselines: dict[str, float] = Field(default_factory=dict)
