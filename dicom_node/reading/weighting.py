"""What contrast an MR image has, from its header: conservative, "unknown" where the header is silent or torn."""

import re
from dataclasses import dataclass

from pydicom import Dataset

from dicom_node.reading.header_values import items, number, text
from inference.image import Weighting

LONG_TI_MS = 1500.0
"""Inversion time from which on fluid is suppressed: CSF is null near 1800 to 2800 ms, white matter near 700."""

T1_TI_MS = (500.0, 1300.0)
"""Inversion times of prepared T1 sequences (MPRAGE, BRAVO, T1-FLAIR); below lies fat suppression (STIR)."""

LONG_TE_MS = 60.0
"""Echo time of a spin echo from which on T2 rules."""

SHORT_TE_MS = 35.0
"""Echo time of a spin echo up to which T1 may rule; above it the contrast is mixed."""

LONG_TR_MS = 1800.0
"""Repetition time of a spin echo from which on T1 hardly shows."""

SHORT_TR_MS = 1200.0
"""Repetition time of a spin echo up to which T1 rules."""

GRADIENT_T1_TE_MS = 8.0
"""Echo time of a spoiled gradient echo up to which T1 rules."""

GRADIENT_T2_STAR_TE_MS = 12.0
"""Echo time of a gradient echo from which on T2* rules."""

_NAMES: tuple[tuple[Weighting, str], ...] = (
    ("FLAIR", r"flair|dark.?fluid"),
    ("T2*", r"t2\s*\*|t2.?star|(?<![a-z])swi(?![a-z])|haemo|hemo|(?<![a-z])swan(?![a-z])|venobold"),
    ("T1", r"(?<![a-z0-9])t1|mp.?rage|(?<![a-z])bravo|(?<![a-z])spgr"),
    ("T2", r"(?<![a-z0-9])t2(?!\s*\*|.?star)"),
)

_OTHER = re.compile(
    r"(?<![a-z])(tof|angio|mra|mrv|pc|dwi|dti|diff|adc|trace|perf|asl|dsc|bold|epi|fmri|stir|ciss|fiesta|trufi|mrs|loc|"
    r"localizer|scout|survey|b0|fieldmap|field.?map|phase|mt|pd|qsm|minip|mip)(?![a-z])"
)
"""Words of descriptions that speak of something else than a plain T1, T2, FLAIR or T2* image."""

_ENHANCED: dict[str, Weighting] = {"T1": "T1", "T2": "T2", "T2_STAR": "T2*", "FLUID_ATTENUATED": "FLAIR"}


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What a header says about the contrast; times in ms, None where it says nothing.

    Attributes
    ----------
    acquisition_contrast
        Acquisition Contrast (0008,9209) of an Enhanced MR image; empty otherwise.
    sequence
        Words of Scanning Sequence (0018,0020), Sequence Variant (0018,0021), Scan Options (0018,0022): "GR", "SP" ...
    description
        Series Description, Protocol Name and Sequence Name, lower case.
    """

    acquisition_contrast: str
    sequence: frozenset[str]
    echo_time: float | None
    repetition_time: float | None
    inversion_time: float | None
    description: str


def contrast(header: Dataset) -> Contrast:
    """Collect what an MR header says about its contrast, classic or Enhanced."""
    sequence = {
        word for keyword in ("ScanningSequence", "SequenceVariant", "ScanOptions") for word in _words(header, keyword)
    }
    if text(header, "EchoPulseSequence") == "GRADIENT":
        sequence.add("GR")
    if text(header, "EchoPulseSequence") == "SPIN":
        sequence.add("SE")
    if text(header, "EchoPlanarPulseSequence") == "YES":
        sequence.add("EP")
    if text(header, "SpoiledSteadyState") or text(header, "Spoiling") not in ("", "NONE"):
        sequence.add("SP")
    if text(header, "AngioFlag") == "Y" or text(header, "TimeOfFlightContrast") == "YES":
        sequence.add("TOF")
    keywords = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
    return Contrast(
        acquisition_contrast=text(header, "AcquisitionContrast"),
        sequence=frozenset(sequence),
        echo_time=_time(header, "EchoTime", "MREchoSequence", "EffectiveEchoTime"),
        repetition_time=_time(header, "RepetitionTime", "MRTimingAndRelatedParametersSequence", "RepetitionTime"),
        inversion_time=_time(header, "InversionTime", "MRModifierSequence", "InversionTimes"),
        description=" ".join(text(header, keyword) for keyword in keywords).lower().replace("_", " "),
    )


def weighting(found: Contrast) -> Weighting:
    """Weighting of an MR image; "unknown" unless parameters and words agree, or one of them speaks alone."""
    if found.sequence & {"EP", "TOF"} or _OTHER.search(found.description):
        return "unknown"
    named = _named(found.description)
    if found.acquisition_contrast in _ENHANCED:
        measured: Weighting | None = _ENHANCED[found.acquisition_contrast]
    else:
        measured = _measured(found)
    if measured is None:
        return next(iter(named)) if len(named) == 1 else "unknown"
    return measured if not named or measured in named else "unknown"


def _named(description: str) -> set[Weighting]:
    """Weightings a description speaks of; "t2 flair" is a FLAIR, "t1 flair" may be either."""
    named = {name for name, pattern in _NAMES if re.search(pattern, description)}
    return named - {"T2"} if named & {"FLAIR", "T2*"} else named


def _measured(found: Contrast) -> Weighting | None:
    """What the parameters say: None where they are missing, "unknown" where they name no plain weighting."""
    if found.echo_time is None or found.repetition_time is None:
        return None
    if found.inversion_time:
        return _inverted(found.inversion_time, found.echo_time)
    if "GR" in found.sequence:
        return _gradient_echo(found.echo_time, found.sequence)
    if "SE" in found.sequence:
        return _spin_echo(found.echo_time, found.repetition_time)
    return None


def _inverted(inversion_time: float, echo_time: float) -> Weighting:
    if inversion_time >= LONG_TI_MS and echo_time >= LONG_TE_MS:
        return "FLAIR"
    if T1_TI_MS[0] <= inversion_time <= T1_TI_MS[1] and echo_time <= SHORT_TE_MS:
        return "T1"
    return "unknown"


def _gradient_echo(echo_time: float, sequence: frozenset[str]) -> Weighting | None:
    if echo_time >= GRADIENT_T2_STAR_TE_MS:
        return "T2*"
    # PS3.3 C.8.3.1.1.2: SP spoiled, MP MAG prepared; without either it may as well be a balanced steady state
    if echo_time <= GRADIENT_T1_TE_MS and sequence & {"SP", "MP"}:
        return "T1"
    return None


def _spin_echo(echo_time: float, repetition_time: float) -> Weighting:
    if echo_time >= LONG_TE_MS and repetition_time >= LONG_TR_MS:
        return "T2"
    if echo_time <= SHORT_TE_MS and repetition_time <= SHORT_TR_MS:
        return "T1"
    return "unknown"


def _words(header: Dataset, keyword: str) -> list[str]:
    return [word.strip().upper() for word in text(header, keyword).split("\\") if word.strip()]


def _time(header: Dataset, classic: str, sequence: str, keyword: str) -> float | None:
    """A classic value, else that of the functional group of the first frame (PS3.3 C.8.13)."""
    found = number(header, classic)
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for frame in items(header, groups)[:1]:
            for group in items(frame, sequence)[:1]:
                found = number(group, keyword) if found is None else found
    return found
