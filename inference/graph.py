"""A bundle's graphs and how an image is laid before them: tensors, slices, windows; runs nothing."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from inference.strict import Strict

Provider = Literal["tensorrt", "cuda", "cpu"]
Role = Literal["segment", "vision", "text", "classify", "decoder"]
"""What a graph is for: maps over a series; features of an image; features or classes of a text; classes of a lesion;
the next token of a text."""


def plain_path(value: str) -> str:
    """A file name inside the bundle, given back unchanged: parts of letters, digits, ".", "_" and "-", joined by "/".

    Raises
    ------
    ValueError
        If it could mean anything outside: absolute, with an empty part, "." or "..".
    """
    if not all(_PART.fullmatch(part) and part.strip(".") for part in value.split("/")):
        raise ValueError(f"not a plain file name inside the bundle: {value!r}")
    return value


RelativePath = Annotated[str, AfterValidator(plain_path)]
_PART = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Tensor(Strict):
    """An input or output of a graph; None in `shape` is an axis of any length."""

    name: str = Field(min_length=1)
    dtype: Literal["float32", "float16", "int64", "int32", "bool"]
    shape: tuple[Annotated[int, Field(ge=1)] | None, ...]


class Graph(Strict):
    """One ONNX file and what it is for.

    Attributes
    ----------
    data
        File beside it that holds its weights, where they are too many for one file; None: it is whole in itself.
    """

    role: Role
    file: RelativePath
    data: RelativePath | None = None
    precision: Literal["fp32", "fp16", "int8", "int4"] = "fp32"
    inputs: tuple[Tensor, ...] = Field(min_length=1)
    outputs: tuple[Tensor, ...] = Field(min_length=1)
    activation: Literal["none", "sigmoid", "softmax"]
    providers_allowed: tuple[Provider, ...] = ("tensorrt", "cuda", "cpu")

    @model_validator(mode="after")
    def _data_beside_it(self) -> "Graph":
        if self.data is not None and self.data.rpartition("/")[0] != self.file.rpartition("/")[0]:
            raise ValueError(f"the weights of {self.file} lie beside it, not at {self.data}")
        return self


class Slices(Strict):
    """2-D and 2.5-D: `image[batch, channel, row, column]`, one run for some slices at a time.

    Attributes
    ----------
    neighbours
        Slices on each side that go in as further channels, the slice itself in the middle: 0 is 2-D, 1 gives three.
    replicate
        Channels made of each slice, for networks that ask for three of the same.
    edge
        What stands for a neighbour beyond the volume: the outermost slice again, or zeros.
    batch
        Slices in one run.
    """

    kind: Literal["slices"] = "slices"
    neighbours: int = Field(default=0, ge=0, le=16)
    replicate: int = Field(default=1, ge=1, le=4)
    edge: Literal["repeat", "zero"] = "repeat"
    batch: int = Field(default=8, ge=1, le=512)


class Windows(Strict):
    """3-D: `image[batch, 1, slice, row, column]`, windows of one shape that overlap and are weighted into each other.

    Attributes
    ----------
    shape
        Of a window, voxels along (slice, row, column).
    overlap
        Share of a window that the next one covers again, along each axis.
    weights
        "gaussian" trusts the middle of a window, "constant" all of it.
    batch
        Windows in one run.
    """

    kind: Literal["windows"] = "windows"
    shape: tuple[int, int, int]
    overlap: float = Field(default=0.5, ge=0, lt=1)
    weights: Literal["gaussian", "constant"] = "gaussian"
    batch: int = Field(default=1, ge=1, le=512)

    @model_validator(mode="after")
    def _positive(self) -> "Windows":
        if min(self.shape) < 1:
            raise ValueError(f"a window counts voxels, got {self.shape}")
        return self


class Whole(Strict):
    """3-D: `image[1, 1, slice, row, column]`, the volume in one run."""

    kind: Literal["whole"] = "whole"


Tiling = Annotated[Slices | Windows | Whole, Field(discriminator="kind")]
