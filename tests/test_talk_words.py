"""Texts that the small speaking readers learn: exact by construction, read by the guard and by the report score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed")

from export_onnx.training import slice_words
from export_onnx.training import volume_words as words
from export_onnx.training.head_facts import HeadFacts, LesionFacts, facts_of, mirrored
from export_onnx.training.volume_words import Exchange
from inference.evaluation.report_facts import facts_of as facts_of_report
from inference.imaging.midline import midline, side
from inference.language.facts import parsed
from inference.synthetic.head import SyntheticHead, synthetic_head

LESIONS = st.builds(
    LesionFacts,
    kind=st.sampled_from(words.KINDS),
    side=st.sampled_from(["left", "right", None]),
    site=st.sampled_from([*words.SITES, None]),
    long_mm=st.floats(5.0, 60.0),
    short_mm=st.floats(3.0, 5.0),
)
HEADS = st.lists(LESIONS, max_size=3).map(tuple)


def by_about(exchanges: list[Exchange]) -> dict[str, Exchange]:
    return {exchange.about: exchange for exchange in exchanges}


@given(facts=HEADS, seed=st.integers(0, 99))
def test_the_answer_is_one_of_the_options_and_every_option_tells_something_else(facts: HeadFacts, seed: int) -> None:
    for exchange in words.closed(facts, np.random.default_rng(seed)):
        assert exchange.answer in exchange.options
        assert len(set(exchange.options)) == len(exchange.options) in (2, 4)


@given(facts=HEADS, seed=st.integers(0, 99))
def test_a_mirrored_head_is_told_of_with_the_other_side_and_nothing_else_changed(facts: HeadFacts, seed: int) -> None:
    swapped = {"left": "right", "right": "left"}
    plain = words.closed(facts, np.random.default_rng(seed))
    other = words.closed(mirrored(facts), np.random.default_rng(seed))
    for one, two in zip(plain, other, strict=True):
        wanted = swapped.get(one.answer, one.answer) if one.about == words.SIDE else one.answer
        assert (two.question, two.answer) == (one.question, wanted)
    assert mirrored(mirrored(facts)) == facts


@given(lesion=LESIONS)
def test_the_guard_reads_the_whole_sentence_about_a_lesion(lesion: LesionFacts) -> None:
    said = parsed(words.sentence(lesion))
    assert said.understood
    (fact,) = said.facts
    assert fact.sure
    assert fact.sides == ((lesion.side,) if lesion.side else ())
    assert fact.lengths_mm == ((float(round(lesion.long_mm)),),)
    assert set(fact.places) >= ({lesion.site} if lesion.site else set())


@given(facts=HEADS)
def test_the_report_score_reads_as_many_lesions_as_there_are(facts: HeadFacts) -> None:
    read = facts_of_report(words.report(facts).answer)
    assert [(fact.finding, fact.sides) for fact in read.present] == [
        ("lesion", frozenset({f.side} if f.side else ())) for f in facts
    ]
    assert read.denied == (frozenset() if facts else frozenset({"lesion"}))


@pytest.mark.parametrize(
    ("long_mm", "wanted"), [(13.4, 0), (13.6, 1), (19.4, 1), (19.6, 2), (25.4, 2), (25.6, 3), (80.0, 3)]
)
def test_a_size_falls_where_its_words_say(long_mm: float, wanted: int) -> None:
    assert words.size(long_mm) == words.SIZES[wanted]


def test_what_is_marked_stands_before_the_question() -> None:
    lesion = LesionFacts(kind="ring", side="left", site="frontal lobe", long_mm=22.6, short_mm=18.4)
    kind, text = words.of_marked(lesion)
    assert kind.question == "Marked: lesion, left frontal lobe, 23 mm x 18 mm. What kind of lesion is it?"
    assert kind.answer == "ring"
    assert text.answer == "There is a ring lesion in the left frontal lobe with a longest diameter of 23 mm."


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return synthetic_head(20270, lesions=2, spacing_mm=(4.0, 2.0, 2.0))


def test_facts_of_a_head_are_those_the_node_measures(head: SyntheticHead) -> None:
    facts = facts_of(head)
    plane = midline(head.image.volume)
    assert plane is not None
    for fact, lesion in zip(facts, sorted(head.lesions, key=lambda one: -one.volume_ml), strict=True):
        affine = head.image.volume.affine
        points = np.argwhere(lesion.mask) @ affine[:3, :3].T + affine[:3, 3]
        assert fact.kind == lesion.kind
        assert fact.side == side(points, plane)
        assert fact.short_mm <= fact.long_mm
        assert abs(fact.long_mm - 2.0 * np.cbrt(lesion.volume_ml * 750.0 / np.pi)) < 0.4 * fact.long_mm


@pytest.mark.parametrize(("row", "column", "place"), [(0.2, 0.2, "upper left"), (0.8, 0.7, "lower right")])
def test_a_place_in_a_picture(row: float, column: float, place: str) -> None:
    marked = np.zeros((100, 100), dtype=np.bool_)
    marked[int(100 * row) - 5 : int(100 * row) + 5, int(100 * column) - 5 : int(100 * column) + 5] = True
    facts = slice_words.slice_facts("glioma", marked)
    assert facts is not None
    assert (facts.row, facts.column, facts.share) == pytest.approx((row, column, 0.01))
    asked = by_about(slice_words.closed(facts))
    assert asked[slice_words.PLACE].answer == place
    assert asked[slice_words.SIZE].answer == "0.8 to 1.6 %"
    assert asked[slice_words.is_kind("glioma")].answer == "yes"
    assert asked[slice_words.is_kind("meningioma")].answer == "no"
    assert slice_words.report(facts).answer == (
        f"There is a glioma in the {place} part of the picture. It takes up about 1.0 % of the picture."
    )


def test_a_tumour_in_the_middle_has_no_place_and_one_that_left_the_picture_is_none() -> None:
    marked = np.zeros((100, 100), dtype=np.bool_)
    assert slice_words.slice_facts("glioma", marked) is None
    marked[45:55, 45:55] = True
    facts = slice_words.slice_facts("glioma", marked)
    assert slice_words.PLACE not in by_about(slice_words.closed(facts))
    assert "in the middle of the picture" in slice_words.report(facts).answer
    assert by_about(slice_words.closed(None))[slice_words.KIND].answer == slice_words.NONE
