"""An answer is right as a whole or not at all; a reader is asked with the picture, without it and with another's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.answers import Answer, ask, chosen, mark
from inference.evaluation.questions import Pixels, Question, questions
from inference.findings import Algorithm
from tests import phantoms, question_folders

OPTIONS = ("left", "right", "both sides", "neither")


def question(answer: str, *, closed: bool = True, options: tuple[str, ...] = ()) -> Question:
    return Question(
        subject="a", text="?", answer=answer, kind="PRES", closed=closed, options=options, fold=1, image_file=Path("a")
    )


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("Both sides.", 2),
        ("C", 2),
        ("(c)", 2),
        ("C.", 2),
        ("A", 0),  # a letter, not an article
        ("C. both sides", None),  # letter and words: a guided reader says one of the two
        ("It is on the left", None),
        ("not A.", None),
        ("E", None),
        ("", None),
    ],
)
def test_a_text_is_an_option_or_none(text: str, index: int | None) -> None:
    assert chosen(Answer(text=text), OPTIONS) == index


def test_probabilities_count_before_words_and_a_tie_is_none() -> None:
    assert chosen(Answer(text="left", options={"left": 0.2, "right": 0.5}), OPTIONS) == 1
    assert chosen(Answer(text="left", options={"left": 0.5, "right": 0.5}), OPTIONS) is None
    assert chosen(Answer(text="left", options={"top": 1.0}), OPTIONS) is None


def test_marks() -> None:
    assert mark(question("Left", options=OPTIONS), Answer(text="left")) == 1.0
    assert mark(question("Left", options=OPTIONS), Answer(text="left or right")) == 0.0
    assert mark(question("Left side"), Answer(text="the left side")) == 1.0
    assert mark(question("Left side"), Answer(text="left")) == 0.0
    assert mark(question("left lung", closed=False), Answer(text="The left lobe")) == 0.5


@dataclass
class Seeing:
    """Says what `question_folders.of_brightness` shows, and of a black picture that it is dark."""

    asked: list[tuple[str, Pixels]] = field(default_factory=list)

    @property
    def algorithm(self) -> Algorithm:
        return phantoms.algorithm()

    def answer(self, question: str, options: Sequence[str], image: Pixels) -> Answer:
        self.asked.append((question, image))
        bright = image.mean() > 100
        if options:
            index = 0 if bright else 1
            return Answer(text="?", options={o: 0.7 if n == index else 0.1 for n, o in enumerate(options)})
        return Answer(text="bright disc" if bright else "dark disc")


def test_a_reader_is_asked_three_times(tmp_path: Path) -> None:
    asked = questions(question_folders.of_brightness(tmp_path / "vqa", pictures=20))
    reader, seen = Seeing(), list[tuple[int, int]]()
    marks = ask(reader, asked, lambda done, whole: seen.append((done, whole)))
    assert seen == [(n, 60) for n in range(1, 61)]
    assert len(reader.asked) == 180
    assert (marks.seeing == 1).all()
    assert (marks.exact[2::3] == 1).all()
    assert (marks.exact[0::3] == 0).all()  # its words are "?"
    assert marks.blank.reshape(-1, 3).mean(axis=0) == pytest.approx([0.5, 0.5, 0.75])  # disc is common to both
    own = [q.load() for q in asked]
    assert all(not other.any() for _, other in reader.asked[1::3])
    differ = [not np.array_equal(mine, other) for mine, (_, other) in zip(own, reader.asked[2::3], strict=True)]
    assert 0.2 < np.mean(differ) < 0.9
    np.testing.assert_array_equal(marks.shuffled[0::3] == 0, differ[0::3])
    again = ask(Seeing(), asked, lambda _done, _whole: None)
    np.testing.assert_array_equal(again.shuffled, marks.shuffled)


def test_one_picture_has_no_other(tmp_path: Path) -> None:
    asked = questions(question_folders.of_brightness(tmp_path / "vqa", pictures=1))
    marks = ask(Seeing(), asked, lambda _done, _whole: None)
    assert np.isnan(marks.shuffled).all()
    assert marks.blank.tolist() == [0.0, 0.0, 0.5]
