"""Valid objects harmed in one place at a time: each defect is rejected by its own name, without a patient's value."""

import re
import warnings
from functools import cache
from io import BytesIO

import pytest
from pydicom import Dataset, config, dcmread, dcmwrite

from dicom_node.errors import DefectError
from dicom_node.results import objects
from dicom_node.results.source import Source
from dicom_node.study import ObjectKind, ResultObject
from tests import defects_of_any_object, defects_of_documents, defects_of_masks, phantoms
from tests.defects import Defect, Harm, Objects

DEFECTS = [*defects_of_any_object.DEFECTS, *defects_of_masks.DEFECTS, *defects_of_documents.DEFECTS]
SECRETS = ("Phantom", "PHANTOM-1", "19700101", "Other^One", "OTHER", "20261301")


@cache
def source(kind: str) -> Source:
    if kind == "multi-frame":
        return phantoms.multi_frame(phantoms.volume())
    single = phantoms.single_frame(phantoms.volume())
    if kind == "lossy":
        for dataset in single.datasets:
            dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", "8"
            dataset.LossyImageCompressionMethod = "ISO_10918_1"
    return single


@cache
def files(kind: str) -> dict[ObjectKind, bytes]:
    made = objects.write_all(phantoms.two_lesions(), source(kind), phantoms.identity())
    return {result.kind: result.data for result in made}


def check(kind: str, written: dict[ObjectKind, bytes]) -> tuple[ResultObject, ...]:
    return objects.check_files(list(written.items()), phantoms.two_lesions(), source(kind), phantoms.identity())


def harmed(kind: str, harm: Harm) -> dict[ObjectKind, bytes]:
    """The files after harm, written as by a program that checks no value."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setattr(config.settings, "_writing_validation_mode", config.IGNORE)
        datasets: Objects = {name: dcmread(BytesIO(data)) for name, data in files(kind).items()}
        harm(datasets)
        return {name: as_file(dataset) for name, dataset in datasets.items()}


def as_file(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dcmwrite(buffer, dataset)
    return buffer.getvalue()


@cache
def rejection(kind: str, name: str) -> DefectError:
    """What is said of objects with a defect."""
    (defect,) = (d for d in DEFECTS if d.name == name)
    written = harmed(kind, defect.harm)
    assert written != files(kind)
    with pytest.raises(DefectError) as caught:
        check(kind, written)
    return caught.value


CASES = [pytest.param(kind, d, id=f"{d.name} ({kind})") for d in DEFECTS for kind in d.sources]


@pytest.mark.parametrize(("kind", "defect"), CASES)
def test_each_defect_is_rejected_by_its_own_name(kind: str, defect: Defect) -> None:
    error = rejection(kind, defect.name)
    assert re.search(defect.words, str(error)), error
    for secret in (*SECRETS, str(source(kind).datasets[0].StudyInstanceUID)):
        assert secret not in str(error)
    assert error.__cause__ is None


@pytest.mark.parametrize("kind", ["single-frame", "multi-frame", "lossy"])
def test_unharmed_objects_pass(kind: str) -> None:
    assert [result.kind for result in check(kind, harmed(kind, lambda _: None))] == ["SEG", "SR", "NARRATIVE"]


def test_there_are_many_defects_and_no_two_are_one() -> None:
    assert len(DEFECTS) >= 40
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)


def test_no_defects_words_fit_what_is_said_of_another() -> None:
    """Words that another check's sentence satisfies would let a defect pass for the wrong reason."""
    said = {defect.name: str(rejection(defect.sources[0], defect.name)) for defect in DEFECTS}
    for defect in DEFECTS:
        fits = {name for name, sentence in said.items() if re.search(defect.words, sentence)}
        assert {said[name] for name in fits} == {said[defect.name]}, defect.name
