"""The preprocessing a bundle may declare: one model for each operation, every parameter explicit; does none itself.

An operation that is changed gets a new version beside the old one, so that a bundle means the same for ever.
`inference/imaging/preprocess.py` carries them out.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from inference.strict import Strict

Scope = Literal["slice", "volume"]
"""Over what a statistic is taken: each slice by itself, or the whole volume."""

Three = tuple[float, float, float]


Modality = Literal["CT", "MR"]


class _Operation(Strict):
    """What every operation says; one with a `modality` is for images of it alone, and skipped for others."""

    version: Literal[1] = 1
    modality: Modality | None = None


class Orient(_Operation):
    """Turn the axes so that (slice, row, column) run toward the three directions of `code`; no interpolation.

    Attributes
    ----------
    code
        One letter an axis: the patient's Left, Posterior, Head, Right, Anterior or Feet (PS3.3 C.7.6.1.1.1). "HPL" is
        axial slices rising to the head, rows to the back, columns to the left. Oblique volumes take the nearest axes.
    reformat
        Whether a series cut along another axis than `code` asks is read all the same, across its slices.
    """

    op: Literal["orient"] = "orient"
    code: str = Field(pattern=r"^[LRAPHF]{3}$")
    reformat: bool

    @model_validator(mode="after")
    def _each_axis_once(self) -> "Orient":
        axes = {frozenset(pair) for pair in ("LR", "AP", "HF") for letter in self.code if letter in pair}
        if len(axes) != 3:
            raise ValueError(f"{self.code!r} names an axis twice")
        return self


class Display(_Operation):
    """Turn rows and columns as the plane is customarily looked at, whatever the plane; no interpolation.

    Axial slices rise to the head, rows to the back, columns to the left; coronal rows to the feet, columns to the left;
    sagittal rows to the feet, columns to the back. For graphs that read every plane. Oblique volumes take the nearest
    axes.
    """

    op: Literal["display"] = "display"


class Resample(_Operation):
    """Interpolate linearly to a spacing over the same extent; None keeps the axis as it is.

    Attributes
    ----------
    antialias
        Smooth along axes that get coarser before, so that fine structure does not turn into false coarse structure.
    """

    op: Literal["resample"] = "resample"
    spacing_mm: tuple[float | None, float | None, float | None]
    antialias: bool

    @model_validator(mode="after")
    def _positive(self) -> "Resample":
        if any(step is not None and step <= 0 for step in self.spacing_mm):
            raise ValueError(f"spacing must be above 0, got {self.spacing_mm}")
        return self


class Resize(_Operation):
    """Interpolate linearly to a number of voxels over the same extent; None keeps the axis; `antialias` as above."""

    op: Literal["resize"] = "resize"
    shape: tuple[int | None, int | None, int | None]
    antialias: bool

    @model_validator(mode="after")
    def _positive(self) -> "Resize":
        if any(count is not None and count < 1 for count in self.shape):
            raise ValueError(f"a shape counts voxels, got {self.shape}")
        return self


class PadSquare(_Operation):
    """Make rows and columns as many as the larger of both, the picture in the middle, the rest `value`."""

    op: Literal["pad_square"] = "pad_square"
    value: float


class PadMultiple(_Operation):
    """Enlarge each axis to the next multiple, the picture in the middle, the rest `value`."""

    op: Literal["pad_multiple"] = "pad_multiple"
    of: tuple[int, int, int]
    value: float

    @model_validator(mode="after")
    def _positive(self) -> "PadMultiple":
        if min(self.of) < 1:
            raise ValueError(f"a multiple is 1 or more, got {self.of}")
        return self


class CropForeground(_Operation):
    """Cut away the margin without a voxel brighter than the mean, but for `margin_mm` around what is left."""

    op: Literal["crop_foreground"] = "crop_foreground"
    margin_mm: float = Field(ge=0)


class Window(_Operation):
    """Window around a center to [0, 1], both ends saturated; in the unit of the image (HU for CT)."""

    op: Literal["window"] = "window"
    center: float
    width: float = Field(gt=0)


class WindowPercentile(_Operation):
    """Window from one percentile to another to [0, 1], both ends saturated; `foreground` leaves out the air."""

    op: Literal["window_percentile"] = "window_percentile"
    lower: float = Field(ge=0, le=100)
    upper: float = Field(ge=0, le=100)
    scope: Scope
    foreground: bool

    @model_validator(mode="after")
    def _in_order(self) -> "WindowPercentile":
        if self.lower >= self.upper:
            raise ValueError(f"lower must be below upper, got {self.lower} and {self.upper}")
        return self


class Clip(_Operation):
    """Hold values within [lower, upper]."""

    op: Literal["clip"] = "clip"
    lower: float
    upper: float

    @model_validator(mode="after")
    def _in_order(self) -> "Clip":
        if self.lower >= self.upper:
            raise ValueError(f"lower must be below upper, got {self.lower} and {self.upper}")
        return self


class MinMax(_Operation):
    """Least value to 0, greatest to 1."""

    op: Literal["minmax"] = "minmax"
    scope: Scope


class ZScore(_Operation):
    """Mean 0 and standard deviation 1; `foreground` takes both without the air."""

    op: Literal["zscore"] = "zscore"
    scope: Scope
    foreground: bool


class Normalize(_Operation):
    """Subtract a mean and divide by a standard deviation that are known beforehand."""

    op: Literal["normalize"] = "normalize"
    mean: float
    std: float = Field(gt=0)


Operation = Annotated[
    Orient
    | Display
    | Resample
    | Resize
    | PadSquare
    | PadMultiple
    | CropForeground
    | Window
    | WindowPercentile
    | Clip
    | MinMax
    | ZScore
    | Normalize,
    Field(discriminator="op"),
]
"""One step of `preprocess`, told apart by its `op`."""
