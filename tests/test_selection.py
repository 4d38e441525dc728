"""Choice of series: a pure function of header facts; each series left says why, with numbers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.reading.selection import (
    LONGEST_REASON,
    SeriesCandidate,
    choose,
    nothing_fits,
    reasons_against,
)
from inference.inputs import Inputs

HEAD = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN"),
    weighting=("T1", "T2"),
    contrast_agent=False,
    min_slices=10,
    max_slices=400,
    min_matrix=96,
    max_spacing_mm=7.0,
    min_extent_mm=100.0,
)


def candidate(uid: str = "1.2.3", **facts: Any) -> SeriesCandidate:
    plain = SeriesCandidate(
        uid=uid,
        label="series 3",
        modality="MR",
        weighting="T1",
        body_part="HEAD",
        contrast_agent=False,
        image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
        slices=160,
        rows=256,
        columns=256,
        spacing_mm=1.0,
        extent_mm=(160.0, 240.0, 240.0),
        age_years=40.0,
        echo_planar=False,
        faults=(),
    )
    return replace(plain, **facts)


def test_a_series_that_fits_has_nothing_against_it() -> None:
    assert reasons_against(candidate(), HEAD) == ()
    assert choose([candidate()], HEAD).series == "1.2.3"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"modality": "CT"}, "modality CT, needed MR"),
        ({"weighting": "FLAIR"}, "contrast FLAIR, needed T1 or T2"),
        ({"body_part": "KNEE"}, "another body part than HEAD or BRAIN"),
        ({"contrast_agent": True}, "contrast agent given"),
        ({"slices": 6}, "6 slices, at least 10 read"),
        ({"slices": 1}, "1 slice, at least 10 read"),
        ({"slices": 500}, "500 slices, at most 400 read"),
        ({"rows": 64, "columns": 64}, "matrix 64 x 64, at least 96 needed"),
        ({"rows": 64, "columns": 256}, "matrix 64 x 256, at least 96 needed"),
        ({"spacing_mm": 7.5}, "slices 7.5 mm apart, at most 7.0 mm read"),
        ({"extent_mm": (14.4, 216.0, 216.0)}, "volume of 14 x 216 x 216 mm, at least 100 mm needed along each axis"),
        ({"image_type": ("DERIVED", "SECONDARY", "MPR")}, "image type DERIVED, SECONDARY"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "image type LOCALIZER"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "M", "MOSAIC")}, "image type MOSAIC"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "P", "ND")}, "no magnitude image (image type P)"),
        ({"faults": ("gantry tilt of 18.5 degrees",)}, "gantry tilt of 18.5 degrees"),
        (
            {"echo_planar": True, "rows": 112, "columns": 112},
            "echo-planar on a coarse matrix: a functional image, no anatomy",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_numbers(facts: dict[str, Any], reason: str) -> None:
    assert reason in reasons_against(candidate(**facts), HEAD)
    choice = choose([candidate(**facts), candidate("1.2.4", slices=20)], HEAD)
    assert choice.series == "1.2.4"
    assert reason in dict(choice.left)["1.2.3"]


@pytest.mark.parametrize(
    "facts",
    [
        {"body_part": ""},
        {"body_part": "Brain"},
        {"age_years": None},
        {"image_type": ("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE")},
        {"slices": 10, "spacing_mm": 7.0},
        {"rows": 96, "columns": 96},
    ],
)
def test_what_fits_just_so(facts: dict[str, Any]) -> None:
    assert reasons_against(candidate(**facts), HEAD) == ()


@pytest.mark.parametrize(
    ("age", "low", "high", "reasons"),
    [
        (17.9, 18, None, ("patient younger than 18 years",)),
        (18.0, 18, None, ()),
        (90.5, 18, 90, ("patient older than 90 years",)),
        (None, 18, None, ("age of the patient unknown",)),
        (None, None, 90, ("age of the patient unknown",)),
        (None, None, None, ()),
    ],
)
def test_age(age: float | None, low: float | None, high: float | None, reasons: tuple[str, ...]) -> None:
    inputs = HEAD.model_copy(update={"min_age_years": low, "max_age_years": high})
    assert reasons_against(candidate(age_years=age), inputs) == reasons


def test_contrast_agent_wanted() -> None:
    inputs = HEAD.model_copy(update={"contrast_agent": True})
    assert reasons_against(candidate(), inputs) == ("no contrast agent in the header",)
    assert reasons_against(candidate(contrast_agent=True), inputs) == ()


def test_nothing_bounded_takes_anything_sound() -> None:
    assert reasons_against(candidate(weighting="unknown", body_part="KNEE", slices=1), Inputs(modality=("MR",))) == ()


three = (
    candidate("1.2.1", slices=30, spacing_mm=5.0),
    candidate("1.2.2", slices=160, spacing_mm=1.2),
    candidate("1.2.3", slices=160, spacing_mm=1.0),
    candidate("1.2.4", slices=160, spacing_mm=1.0),
    candidate("1.2.5", slices=8),
)


@given(st.permutations(three))
def test_the_choice_does_not_depend_on_the_order_of_arrival(order: list[SeriesCandidate]) -> None:
    choice = choose(order, HEAD)
    assert choice == choose(three, HEAD)
    assert choice.series == "1.2.3"
    assert [uid for uid, _ in choice.left] == ["1.2.1", "1.2.2", "1.2.4", "1.2.5"]


def test_a_series_that_fits_less_says_why() -> None:
    left = dict(choose(three, HEAD).left)
    assert left["1.2.1"] == "fits, but series 3 has more slices, 160 against 30"
    assert left["1.2.2"] == "fits, but series 3 is finer, 1.0 mm against 1.2 mm"
    assert left["1.2.4"] == "fits as well as series 3, which comes first by its UID"
    assert left["1.2.5"] == "8 slices, at least 10 read"


def test_nothing_to_choose_from() -> None:
    choice = choose([], HEAD)
    assert choice.series is None
    assert str(nothing_fits([], choice)) == "the study has no CT or MR image"


def test_an_abstention_groups_series_of_one_reason() -> None:
    left = [
        candidate("1.1", label="series 1", slices=3, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
        candidate("1.2", label="series 2", slices=6),
        candidate("1.3", label="series 4", slices=6),
    ]
    assert str(nothing_fits(left, choose(left, HEAD))) == (
        "series 1: image type LOCALIZER; 3 slices, at least 10 read | series 2, series 4: 6 slices, at least 10 read"
    )


def test_an_abstention_stays_short() -> None:
    left = [candidate(f"1.{k}", label=f"series {k}", slices=1, rows=k + 1, columns=k + 1) for k in range(1, 60)]
    text = str(nothing_fits(left, choose(left, HEAD)))
    assert len(text) < LONGEST_REASON + 150
    assert text.endswith(" more")
