"""Sentences as radiologists write them, and the facts that each must become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.report_facts import Fact, Facts, facts_of
from inference.evaluation.report_words import FINDINGS


def fact(finding: str, side: str = "", site: str = "", size_mm: float | None = None, grade: int | None = None) -> Fact:
    return Fact(
        finding=finding,
        sides=frozenset(filter(None, [side])),
        sites=frozenset(filter(None, [site])),
        size_mm=size_mm,
        grade=grade,
    )


@pytest.mark.parametrize(
    ("text", "present", "denied"),
    [
        ("A 2.3 x 1.8 cm mass in the left frontal lobe.", [fact("lesion", "left", "frontal", 23.0)], ""),
        ("Left glioma with surrounding edema.", [fact("glioma", "left"), fact("oedema", "left")], ""),
        ("In the left frontal lobe, a cyst.", [fact("cyst", "left", "frontal")], ""),
        ("Left cyst, measuring 9 mm, with edema.", [fact("cyst", "left", size_mm=9.0), fact("oedema", "left")], ""),
        (
            "Meningioma in the left frontal and haemorrhage in the right temporal lobe.",
            [fact("meningioma", "left", "frontal"), fact("haemorrhage", "right", "temporal")],
            "",
        ),
        ("No hemorrhage, infarct or midline shift.", [], "haemorrhage infarct midline_shift"),
        ("No hemorrhage, but a small infarct on the right.", [fact("infarct", "right", grade=1)], "haemorrhage"),
        ("Hydrocephalus is not seen.", [], "hydrocephalus"),
        ("The brain is normal.", [], "abnormality"),
        ("Normal ventricles. 12 mm cavernoma.", [fact("cavernous malformation", size_mm=12.0)], ""),
        ("Glioma on the left. The lesion measures 31 mm.", [fact("glioma", "left", size_mm=31.0)], ""),
        ("Glioma on the left. It is large.", [fact("glioma", "left", grade=3)], ""),
        ("Lesions in the left and right hemisphere.", [fact("lesion", "both")], ""),
        ("Large macroadenoma.", [], ""),
        ("Large pituitary adenoma, mass effect.", [fact("pituitary tumour", grade=3), fact("mass effect")], ""),
        ("No mass effect. Effusion.", [fact("effusion")], "mass_effect"),
        ("No significant change of the left glioma.", [fact("glioma", "left")], ""),
        ("The ventricles are not normal.", [], ""),
        ("Unrelated words.", [], ""),
    ],
)  # fmt: skip
def test_a_sentence_becomes_facts(text: str, present: list[Fact], denied: str) -> None:
    told = facts_of(text)
    assert list(told.present) == present
    assert told.denied == {name.replace("_", " ") for name in denied.split()}


def test_changes_are_of_the_report() -> None:
    told = facts_of("The glioma has increased. A new haemorrhage.")
    assert told.changes == {"larger", "new"}
    assert told.findings == (("glioma", True), ("haemorrhage", True))
    assert facts_of("No interval change of the glioma.").changes == {"unchanged"}


def test_a_finding_that_is_there_is_not_denied() -> None:
    assert facts_of("Glioma on the left. No other glioma. No cyst.").denied == {"cyst"}


@pytest.mark.parametrize("name", sorted(FINDINGS))
def test_every_name_of_the_vocabulary_is_read_as_itself(name: str) -> None:
    assert facts_of(f"There is {name}.").findings == ((name, True),)
    assert facts_of(f"No {name}.").findings == ((name, False),)


@given(st.text())
def test_any_text_is_parsed(text: str) -> None:
    assert isinstance(facts_of(text), Facts)
