"""A made-up reader of volumes: looks once, is asked with its volume, without one, with another's, in each mode."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from inference.errors import DataError, UnsuitableImageError
from inference.evaluation.answers import Answer
from inference.evaluation.cases import Labelled
from inference.evaluation.folders import NiftiCase
from inference.evaluation.studies import Study, studies
from inference.evaluation.study_answers import Answered, Asking, Mode, answered, marks_of
from inference.findings import Algorithm
from inference.image import Image
from tests import phantoms
from tests.study_folders import SIDES, entry, written


@dataclass
class Seeing:
    """Sees the bright box of `study_folders`; takes a left one for both where nothing stands before the question."""

    refuses: float = np.inf
    looks: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def algorithm(self) -> Algorithm:
        return phantoms.algorithm()

    def looked_at(self, image: Image) -> str:
        self.looks += 1
        voxels = np.argwhere(image.volume.array > 160)
        if len(voxels) > self.refuses:
            raise UnsuitableImageError("too bright")
        if not len(voxels):
            return "none"
        return "left" if voxels[:, 2].mean() > 8 else "right"

    def blank(self) -> str:
        return "none"

    def answer(self, seen: str, question: str, options: Sequence[str]) -> Answer:
        self.asked.append(question)
        if len(options) == len(SIDES):
            unsure = seen == "left" and not question.startswith("Marked")
            return Answer(text="both" if unsure else seen)
        if options:
            return Answer(text="no" if seen == "none" else "yes")
        return Answer(text="nothing" if seen == "none" else f"a {seen} glioma")

    def report(self, seen: str) -> str | None:
        return "No glioma. No haemorrhage." if seen == "none" else f"A 12 mm glioma on the {seen}. No haemorrhage."


def load(study: Study) -> Labelled:
    return NiftiCase(
        name=study.name, patient=study.patient, label=None, fold=None, image_file=study.volume, mask_file=study.mask
    ).load()


def located(study: Study, given: Labelled) -> str:
    assert given.truth is not None
    return f"Marked: {'something' if given.truth.any() else 'nothing'}."


def found(reader: Seeing, each: Sequence[Study], *modes: Mode) -> list[Answered]:
    asking = Asking(modes=modes, load=load, locate=located)
    return answered(reader, each, asking, lambda _done, _whole: None)


@pytest.fixture
def each(tmp_path: Path) -> list[Study]:
    return studies(written(tmp_path / "data", [entry(number) for number in range(8)]))


def test_each_volume_is_looked_at_once(each: list[Study]) -> None:
    reader = Seeing()
    told = found(reader, each, "plain", "localised")
    assert [one.study for one in told] == each
    assert reader.looks == len(each)
    assert len(reader.asked) == len(each) * 3 * 3 * 2
    assert reader.asked.count("Which side?") == reader.asked.count("Is there a glioma?") == len(each) * 3
    assert reader.asked.count("Marked: nothing. Which side?") == 2 * 3
    plain, localised = marks_of(told, "plain"), marks_of(told, "localised")
    sick_left = [number % 2 == 0 for number in range(8)]
    assert plain.seeing[::3].tolist() == [float(not left) for left in sick_left]
    assert localised.seeing.tolist() == localised.exact.tolist() == [1.0] * 24
    assert localised.blank[::3].tolist() == [float(number % 4 == 3) for number in range(8)]
    assert np.isfinite(plain.shuffled).all()
    assert plain.shuffled[1::3].mean() < 1.0
    assert told[3].report == "No glioma. No haemorrhage."


def test_shuffled_is_another_patients(each: list[Study]) -> None:
    """Each of two patients gets the other's volume."""
    sick, healthy = each[0], each[3]
    told = marks_of(found(Seeing(), [sick, healthy], "plain"), "plain")
    assert told.shuffled[1::3].tolist() == [0.0, 0.0]
    alone = marks_of(found(Seeing(), [sick], "plain"), "plain")
    assert np.isnan(alone.shuffled).all()
    assert np.isfinite(alone.blank).all()


def test_what_is_not_read_is_left_out_and_lends_no_volume(each: list[Study]) -> None:
    told = found(Seeing(refuses=0), each, "plain")
    assert [one.study.name for one in told] == [each[3].name, each[7].name]
    assert marks_of(told, "plain").shuffled[1::3].tolist() == [1.0, 1.0]
    assert found(Seeing(refuses=-1), each, "plain") == []


def test_a_report_is_written_where_there_is_a_reference(tmp_path: Path) -> None:
    (study,) = studies(written(tmp_path / "data", [entry(0, report=None)]))
    assert found(Seeing(), [study], "plain")[0].report is None


def test_without_a_location_nothing_is_asked(each: list[Study]) -> None:
    def locate(study: Study, _: Labelled) -> str:
        raise DataError(f"{study.name}: nothing")

    asking = Asking(modes=("localised",), load=load, locate=locate)
    with pytest.raises(DataError, match=r"studies\.json: \d: nothing"):
        answered(Seeing(), each, asking, lambda _done, _whole: None)
