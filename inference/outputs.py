"""What a bundle's graph says, in codes: segments with threshold and least volume, findings with their probability."""

from typing import Annotated, Literal

from pydantic import Field

from inference.concept import Concept
from inference.strict import Strict

Byte = Annotated[int, Field(ge=0, le=255)]


class Calibration(Strict):
    """Platt scaling of a probability p: 1 / (1 + exp(-(slope * logit(p) + intercept))), fitted on validation."""

    slope: float = Field(gt=0)
    intercept: float


class SegmentSpec(Strict):
    """One class of voxels.

    Attributes
    ----------
    channel
        Of the graph's output.
    category, type, anatomy
        Segmented Property Category and Type, Anatomic Region (PS3.3 C.8.20.2.3).
    color
        Recommended display colour, sRGB 0 to 255.
    threshold
        A voxel belongs to the segment where its calibrated probability on the source grid is at least this.
    min_volume_mm3
        Connected components below it are taken out of the segment.
    min_peak
        Components none of whose voxels has this probability are taken out too: the border may lie where a voxel is as
        likely in as out, while a whole component has to be surer.
    only_largest
        Whether the largest component alone is kept, as of an organ that a patient has once.
    """

    number: int = Field(ge=1)
    channel: int = Field(ge=0)
    label: str = Field(min_length=1, max_length=64)
    category: Concept
    type: Concept
    anatomy: Concept | None = None
    color: tuple[Byte, Byte, Byte]
    threshold: float = Field(gt=0, lt=1)
    min_volume_mm3: float = Field(default=0, ge=0)
    min_peak: float = Field(default=0, ge=0, lt=1)
    only_largest: bool = False
    calibration: Calibration | None = None


class ClassSpec(Strict):
    """One kind that a finding may be of.

    Attributes
    ----------
    label
        As labelled data name it, for example "glioma".
    code
        What the finding is called when it is of this kind.
    channel
        Of the graph's output: probability of this kind for each voxel, given that the voxel belongs to the finding.
    """

    label: str = Field(min_length=1, max_length=48)
    code: Concept
    channel: int = Field(ge=0)


class FindingSpec(Strict):
    """What each connected component of a segment is called.

    Attributes
    ----------
    segment
        Number of the segment.
    label
        Tracking Identifier before the running number, for example "lesion".
    code, site
        What it is and where.
    probability_from
        How the probability of a component comes from those of its voxels.
    laterality
        "midline": left or right where the component lies clear of the mid-sagittal plane found in the image, else none;
        "none": never.
    classes
        Kinds to tell apart; empty: none. The kind of a component is taken over its voxels, as the mean of the
        logarithms, divided by `temperature`, of the kinds' probabilities, scaled to sum to 1.
    temperature
        Calibrates the probabilities of the kinds; fitted on validation.
    least_class_probability
        Below it a component is called by `code`, and no kind is named.
    """

    segment: int = Field(ge=1)
    label: str = Field(min_length=1, max_length=48)
    code: Concept
    site: Concept | None = None
    probability_from: Literal["mean", "max"]
    laterality: Literal["midline", "none"]
    classes: tuple[ClassSpec, ...] = ()
    temperature: float = Field(default=1.0, gt=0)
    least_class_probability: float = Field(default=0.5, ge=0, le=1)
