"""Weighting from headers: plain sequences of four makers named, everything else unknown."""

import pytest
from pydicom import Dataset

from dicom_node.reading.weighting import Contrast, contrast, weighting
from inference.image import Weighting
from tests.series_files import enhanced, headers, phantom


def said(
    sequence: str = "", te: float | None = None, tr: float | None = None, ti: float | None = None, words: str = ""
) -> Contrast:
    return Contrast(
        acquisition_contrast="",
        sequence=frozenset(sequence.split()),
        echo_time=te,
        repetition_time=tr,
        inversion_time=ti,
        description=words.lower(),
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (said("GR IR SK SP MP", 2.98, 2300, 900, "t1 mprage sag *tfl3d1"), "T1"),
        (said("GR SP OSP", 2.46, 300, None, "t1 fl2d sag *fl2d1"), "T1"),
        (said("GR MP", 3.8, 8.1, None, "T1W 3D TFE"), "T1"),
        (said("SE", 11, 600, None, "t1 se ax"), "T1"),
        (said("SE IR", 24, 2100, 860, "AX T1 FLAIR"), "T1"),
        (said("SE SK SP", 96, 4500, None, "t2 tse tra"), "T2"),
        (said("SE", 402, 3200, None, "t2 space sag"), "T2"),
        (said("SE IR", 120, 9000, 2500, "AX T2 FLAIR"), "FLAIR"),
        (said("SE IR", 388, 5000, 1800, "3D FLAIR SPACE"), "FLAIR"),
        (said("SE IR SK SP MP", 81, 8000, 2370, "t2 tirm tra dark-fluid"), "FLAIR"),
        (said("GR SP", 19.9, 620, None, "t2 fl2d hemo"), "T2*"),
        (said("GR SP", 20, 27, None, "SWI images"), "T2*"),
        # parameters alone, words alone
        (said("SE", 96, 4500), "T2"),
        (said("GR IR SP", 3, 2300, 900), "T1"),
        (said(words="AX T1"), "T1"),
        (said(words="t2 flair"), "FLAIR"),
        (said(words="t2*"), "T2*"),
        (said(words="SAG MPRAGE"), "T1"),
    ],
)
def test_plain_sequences(facts: Contrast, expected: Weighting) -> None:
    assert weighting(facts) == expected


@pytest.mark.parametrize(
    "facts",
    [
        said("EP", 90, 5000, None, "ep2d diff b1000"),
        said("EP", 30, 2000, None, "bold"),
        said("GR", 3.4, 22, None, "tof 3d"),
        said("GR TOF", 3.4, 22, None, "head"),
        said("SE IR", 60, 5000, 160, "stir cor"),
        said("SE", 12, 3000, None, "t1"),  # proton density that calls itself T1
        said("SE", 45, 1500),
        said("SE", 96, 4500, None, "t1 se ax"),  # the words contradict the parameters
        said("GR SP", 2.5, 300, None, "t2 tse"),
        said("GR", 2.2, 5, None, "fiesta"),
        said("GR", 2.2, 5),
        said(words="t1 t2 pd"),
        said(words="localizer"),
        said(words="head"),
        said(),
    ],
)
def test_everything_else_is_unknown(facts: Contrast) -> None:
    assert weighting(facts) == "unknown"


def test_a_classic_header_is_collected() -> None:
    found = contrast(headers()[0])
    assert found.sequence == {"GR", "MP"}
    assert (found.echo_time, found.repetition_time, found.inversion_time) == (2.98, 2300, 900)
    assert "t1 synthetic" in found.description
    assert weighting(found) == "T1"


def test_an_enhanced_header_is_collected() -> None:
    made = enhanced(phantom(), range(6))
    echo, timing = Dataset(), Dataset()
    echo.EffectiveEchoTime, timing.RepetitionTime = 2.5, 2000
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.MREchoSequence, shared.MRTimingAndRelatedParametersSequence = [echo], [timing]
    made.EchoPlanarPulseSequence, made.EchoPulseSequence = "NO", "SPIN"
    found = contrast(made)
    assert (found.echo_time, found.repetition_time) == (2.5, 2000)
    assert found.sequence == {"SE"}
    assert found.acquisition_contrast == "T1"
    made.AcquisitionContrast, made.SeriesDescription = "FLUID_ATTENUATED", "x"
    assert weighting(contrast(made)) == "FLAIR"
    made.EchoPlanarPulseSequence = "YES"
    assert weighting(contrast(made)) == "unknown"
