"""Folders of questions are read as VQA-RAD comes, and parted so that no picture is in two parts."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inference.errors import DataError
from inference.evaluation.guesses import chance, majority
from inference.evaluation.questions import FOLDS, fold_of, holds_questions, questions
from tests import question_folders
from tests.question_folders import entry, written

VQA_RAD = Path(__file__).parent.parent.parent / "shared" / "data" / "vqa-rad"


def test_what_a_folder_holds(tmp_path: Path) -> None:
    entries = [
        entry("a.png", " Is it? ", "Yes"),
        {**entry("a.png", "Left or right?", "Left", "POS, PRES"), "answer_type": "CLOSED ", "qid": 7},
        entry("b.png", "Which?", "Both", "pos", options=["left", "both"]),
        entry("b.png", "What?", "A cyst"),
    ]
    folder = written(tmp_path / "vqa", entries, {"a.png"})
    assert holds_questions(folder)
    assert not holds_questions(tmp_path)
    found = questions(folder)
    assert [q.closed for q in found] == [True, True, True, False]
    assert [q.options for q in found] == [("yes", "no"), (), ("left", "both"), ()]
    assert [q.kind for q in found] == ["PRES", "POS", "POS", "PRES"]
    assert (found[0].text, found[0].answer) == ("Is it?", "Yes")
    assert found[0].load().shape == (4, 6, 3)
    assert found[0].load().max() == 200
    assert found[0].fold == found[1].fold == fold_of("a.png")


def test_where_the_patient_is_known_that_is_the_unit(tmp_path: Path) -> None:
    known = {"patient": "p1", "fold": 3}
    entries = [{**entry(name, "Is it?", "yes"), **known} for name in ("a.png", "b.png")]
    found = questions(written(tmp_path / "vqa", entries, {"a.png", "b.png"}))
    assert [(q.subject, q.image, q.fold) for q in found] == [("p1", "a.png", 3), ("p1", "b.png", 3)]


def test_parts_are_the_same_everywhere_and_about_equal() -> None:
    counts = Counter(fold_of(f"synpic{number}.jpg") for number in range(4000))
    assert set(counts) == set(range(1, FOLDS + 1))
    assert all(900 < count < 1100 for count in counts.values())
    assert [fold_of(f"synpic{number}.jpg") for number in (100, 52828, 32081)] == [2, 2, 4]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", "train.json: file: Input should be a valid array"),
        (json.dumps([{"question": "SECRET"}]), "train.json: 0.image_name: Field required"),
        (json.dumps([entry("../a.png", "Is it?", "yes")]), "train.json: 0.image_name: String should match"),
        (json.dumps([entry("a.png", "Is it?", "maybe", options=["yes", "no"])]), "0: the answer is none of the 2"),
        (
            json.dumps([{**entry("a.png", "Is it?", "yes"), "patient": "SECRET"}]),
            "train.json: 0: .* a patient has a fold",
        ),
        (
            json.dumps([{**entry("a.png", "Is it?", "yes"), "patient": "SECRET", "fold": n} for n in (1, 2)]),
            "train.json: 1: its patient is in another fold",
        ),
    ],
)
def test_another_file_is_refused_by_place(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "train.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=fault) as caught:
        questions(tmp_path)
    assert "SECRET" not in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.json: No such file"):
        questions(tmp_path)
    folder = question_folders.of_brightness(tmp_path / "vqa", pictures=2)
    (folder / "images" / "p00.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"p00\.png cannot be read as a picture"):
        questions(folder)[0].load()


def test_vqa_rad() -> None:
    """Counts of the set, parts without a common picture, and bounds that any guess on it must keep."""
    if not VQA_RAD.is_dir():
        pytest.skip("shared/data/vqa-rad is not here")
    found = questions(VQA_RAD)
    assert len(found) == 1798
    assert len({q.image for q in found}) == 314
    assert sum(q.closed for q in found) == 1034
    assert sum(q.options == ("yes", "no") for q in found) == 950
    assert found[0].load().ndim == 3
    test = [q for q in found if q.fold == 1]
    training = [q for q in found if q.fold != 1]
    assert not {q.image for q in test} & {q.image for q in training}
    assert 0.15 < len(test) / len(found) < 0.35
    closed = np.array([q.closed for q in test])
    guessed = majority(training, test)
    assert np.nanmean(chance(test)) == 0.5
    assert 0.45 < guessed[closed].mean() < 0.75
    assert 0.0 < guessed[~closed].mean() < 0.3
