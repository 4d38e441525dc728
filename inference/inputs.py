"""Which series, or which text, an algorithm reads: declared in a bundle's manifest, or in code without weights."""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from inference.errors import BundleError


class Inputs(BaseModel):
    """What a series must be; anything outside makes the node abstain.

    Attributes
    ----------
    modality
        Modality (0008,0060) values it reads.
    body_part
        Body Part Examined (0018,0015) values it reads, upper case; empty: any. A series without the attribute passes.
    weighting
        Contrasts it reads, as `inference.image.Weighting`; empty: any.
    contrast_agent
        True: only with contrast agent; False: only without; None: either.
    min_slices, max_slices
        Number of slices.
    min_matrix
        Least number of rows and of columns; functional and localiser images lie below it.
    max_spacing_mm
        Largest distance of slices, mm.
    min_extent_mm
        Least extent of the volume along each axis, mm (slice, row, column alike).
    min_age_years, max_age_years
        Patient's age; None: any. A patient of unknown age passes unless a bound is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: tuple[Literal["CT", "MR"], ...] = Field(min_length=1)
    body_part: tuple[str, ...] = ()
    weighting: tuple[Literal["T1", "T2", "FLAIR", "T2*", "CT", "unknown"], ...] = ()
    contrast_agent: bool | None = None
    min_slices: int = Field(default=1, ge=1)
    max_slices: int = Field(default=2000, ge=1)
    min_matrix: int = Field(default=1, ge=1)
    max_spacing_mm: float = Field(default=10.0, gt=0)
    min_extent_mm: float = Field(default=0.0, ge=0)
    min_age_years: float | None = None
    max_age_years: float | None = None

    @property
    def words(self) -> str:
        """What it reads, for a list: "MR T1"."""
        return " ".join((*self.modality, *self.weighting))


def narrowed(one: Inputs, other: Inputs) -> Inputs:
    """What a bundle and its evidence both read.

    Raises
    ------
    BundleError
        If that is nothing.
    """
    modality = tuple(each for each in one.modality if each in other.modality)
    agents = {each for each in (one.contrast_agent, other.contrast_agent) if each is not None}
    if not modality:
        raise BundleError(f"it reads {one.words}, its evidence {other.words}: no series is both")
    if len(agents) > 1:
        raise BundleError("of the bundle and its evidence one reads with contrast agent, the other without")
    least = [age for age in (one.min_age_years, other.min_age_years) if age is not None]
    most = [age for age in (one.max_age_years, other.max_age_years) if age is not None]
    return Inputs(
        modality=modality,
        body_part=_common(one.body_part, other.body_part),
        weighting=_common(one.weighting, other.weighting),
        contrast_agent=next(iter(agents), None),
        min_slices=max(one.min_slices, other.min_slices),
        max_slices=min(one.max_slices, other.max_slices),
        min_matrix=max(one.min_matrix, other.min_matrix),
        max_spacing_mm=min(one.max_spacing_mm, other.max_spacing_mm),
        min_extent_mm=max(one.min_extent_mm, other.min_extent_mm),
        min_age_years=max(least, default=None),
        max_age_years=min(most, default=None),
    )


_Value = TypeVar("_Value", bound=str)


def _common(one: tuple[_Value, ...], other: tuple[_Value, ...]) -> tuple[_Value, ...]:
    """Values that both name; none named is any."""
    both = tuple(each for each in one if each in other) if one and other else one or other
    if (one or other) and not both:
        raise BundleError(f"it reads {', '.join(one)}, its evidence {', '.join(other)}: no series is both")
    return both


class TextInputs(BaseModel):
    """What a report's text must be; anything outside makes the node abstain.

    Attributes
    ----------
    language
        Language it was made for, as RFC 5646 names it, for example "ja"; a document that says another one is not read.
        Empty: any.
    max_characters
        Longest text; a longer one is no report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: Literal["text"] = "text"
    language: str = Field(default="", pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]+)*)?$")
    max_characters: int = Field(default=100_000, ge=1)

    @property
    def words(self) -> str:
        """What it reads, for a list: "report text, ja"."""
        return f"report text, {self.language}" if self.language else "report text"
