"""Errors of a report, kind by kind and by hand; a report against itself is perfect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.report_facts import facts_of
from inference.evaluation.report_score import Comparison, compare

REFERENCE = "A 20 mm glioma in the left frontal lobe. No haemorrhage."

SENTENCES = st.lists(
    st.sampled_from(
        [
            "A 20 mm glioma in the left frontal lobe.",
            "Large glioma on the right.",
            "No haemorrhage.",
            "Small haemorrhage in the pons.",
            "The cyst has increased.",
            "Normal ventricles.",
        ]
    ),
    max_size=5,
).map(" ".join)


def against(candidate: str, reference: str = REFERENCE) -> Comparison:
    return compare(facts_of(candidate), facts_of(reference))


@pytest.mark.parametrize(
    ("candidate", "matched", "errors", "credit"),
    [
        (REFERENCE, 2, (0, 0, 0, 0, 0, 0), 2.0),
        ("Left frontal glioma of 2.3 cm. No bleeding.", 2, (0, 0, 0, 0, 0, 0), 2.0),  # 15 % too big
        ("Left frontal glioma of 25 mm. No bleeding.", 1, (0, 0, 0, 1, 0, 0), 1 + 2 / 3),  # 25 %
        ("Right frontal glioma of 20 mm.", 0, (0, 0, 1, 0, 0, 0), 2 / 3),
        ("Left parietal glioma of 20 mm.", 0, (0, 0, 1, 0, 0, 0), 2 / 3),
        ("Glioma.", 0, (0, 0, 1, 1, 0, 0), 0.0),  # what is left out is not right
        ("No glioma. No haemorrhage.", 1, (0, 1, 0, 0, 0, 0), 1.0),
        ("Haemorrhage.", 0, (1, 1, 0, 0, 0, 0), 0.0),
        ("No haemorrhage, infarct or cyst.", 1, (0, 1, 0, 0, 0, 0), 1.0),  # denials beyond the reference: no error
        (REFERENCE + " The cyst is unchanged.", 2, (1, 0, 0, 0, 1, 0), 2.0),
        ("", 0, (0, 1, 0, 0, 0, 0), 0.0),
    ],
)
def test_errors_by_hand(candidate: str, matched: int, errors: tuple[int, ...], credit: float) -> None:
    told = against(candidate)
    assert (told.matched, told.errors) == (matched, errors)
    assert told.credit == pytest.approx(credit)
    assert told.score == pytest.approx(matched / max(1, matched + sum(errors)))
    assert told.wanted == 2


def test_a_comparison_left_out_and_a_grade() -> None:
    assert against("Small cyst.", "Large cyst.").errors == (0, 0, 0, 1, 0, 0)
    assert against("Moderate cyst.", "Large cyst.").errors == (0, 0, 0, 0, 0, 0)
    assert against("Cyst.", "The cyst has increased.").errors == (0, 0, 0, 0, 0, 1)


def test_two_of_a_kind_are_paired_where_they_fit() -> None:
    reference = "Metastasis on the left. Metastasis in the right cerebellum. Metastasis of the pons."
    told = against("Metastasis in the right cerebellum. Metastasis on the left.", reference)
    assert (told.matched, told.errors) == (2, (0, 1, 0, 0, 0, 0))


def test_denials_beyond_the_reference_are_no_facts() -> None:
    told = against("No glioma, haemorrhage, cyst, oedema or infarct.")
    assert (told.found, told.wanted) == (2, 2)


@given(SENTENCES, SENTENCES)
def test_bounds_and_identity(one: str, other: str) -> None:
    told = against(one, other)
    assert 0.0 <= told.score <= 1.0
    assert told.credit <= min(told.found, told.wanted) + 1e-9
    same = against(one, one)
    assert sum(same.errors) == 0
    assert same.score == float(same.wanted > 0)
    assert same.credit == same.found == same.wanted
    back = against(other, one)  # what one has too many the other has too few
    assert told.errors[:2] == back.errors[1::-1]
