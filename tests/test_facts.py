"""English sentences as facts, and texts as sentences."""

import pytest

from inference.language.facts import Count, Fact, parsed
from inference.language.sentences import split


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        (
            "A 3.1 x 2.2 cm glioma of the left frontal lobe.",
            [Fact(kinds=("glioma",), places=("frontal lobe",), sides=("left",), lengths_mm=((31.0, 22.0),))],
        ),
        ("No tumour.", [Fact(kinds=("neoplasm",), polarity="absent")]),
        ("A meningioma cannot be excluded.", [Fact(kinds=("meningioma",), polarity="uncertain")]),
        ("Two right lesions.", [
            Fact(kinds=("lesion",), sides=("right",), plural=True, count=Count(least=2, most=2))
        ]),
        ("Multiple metastases.", [Fact(kinds=("metastasis",), plural=True, count=Count(least=2, most=None))]),
        ("The thalamus is normal.", [Fact(kinds=("abnormality",), polarity="absent", places=("thalamus",))]),
        (
            "A cavernoma without haemorrhage.",
            [Fact(kinds=("cavernoma",)), Fact(kinds=("haemorrhage",), polarity="absent")],
        ),
        (
            "No haemorrhage, oedema or infarct.",
            [
                Fact(kinds=("haemorrhage",), polarity="absent"),
                Fact(kinds=("oedema",), polarity="absent", sure=False),
                Fact(kinds=("infarct",), polarity="absent", sure=False),
            ],
        ),
        ("Nodule, 4.50 mL, longest axis 27 mm, perpendicular to it 18 mm.", [
            Fact(kinds=("nodule",), lengths_mm=((27.0,),), short_mm=(18.0,), volumes_ml=(4.5,))
        ]),
        ("A solitary fracture.", [Fact(kinds=("fracture",), alone=True)]),
        ("Contralateral stroke.", [Fact(kinds=("infarct",), sides=("unresolved",), sure=False)]),
        ("It is not true that there is no effusion.", [Fact(kinds=("effusion",), sure=False)]),
        (
            "There is a hyperintense lesion in the left frontal lobe with a longest diameter of 23 mm.",
            [
                Fact(
                    kinds=("hyperintense lesion",), places=("frontal lobe",), sides=("left",), lengths_mm=((23.0,),)
                )
            ],
        ),
        ("A dark lesion with a bright rim.", [Fact(kinds=("ring lesion",))]),
        ("Ring-shaped lesions.", [Fact(kinds=("ring lesion",), plural=True)]),
        ("Lesions with a bright rim.", [Fact(kinds=("ring lesion",), plural=True)]),
        ("There are two lesions.", [Fact(kinds=("lesion",), plural=True, count=Count(least=2, most=2))]),
        ("No lesion is seen.", [Fact(kinds=("lesion",), polarity="absent")]),
        ("Lorem ipsum.", []),
    ],
)  # fmt: skip
def test_facts(sentence: str, facts: list[Fact]) -> None:
    assert list(parsed(sentence).facts) == facts


@pytest.mark.parametrize(
    ("sentence", "understood", "prior", "advice"),
    [
        ("A lesion is seen.", True, False, False),
        ("A spiculated lesion is seen.", False, False, False),
        ("The lesion is stable.", True, True, False),
        ("Biopsy of the lesion.", True, False, True),
        ("A lesion?", False, False, False),
    ],
)
def test_what_else_a_sentence_does(sentence: str, understood: bool, prior: bool, advice: bool) -> None:  # noqa: FBT001
    said = parsed(sentence)
    assert (said.understood, said.prior, said.advice) == (understood, prior, advice)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("A lesion of 12.3 mL. No bleeding.", ("A lesion of 12.3 mL.", "No bleeding.")),
        ("A lesion of approx. 12 mm. Left.", ("A lesion of approx. 12 mm.", "Left.")),
        ("Lesions, e.g. Gliomas.", ("Lesions, e.g. Gliomas.",)),
        ("- One lesion\n- No bleeding", ("- One lesion", "- No bleeding")),
        ("A lesion in the\nleft frontal lobe.", ("A lesion in the\nleft frontal lobe.",)),
        ('He said "no lesion." Then more.', ('He said "no lesion."', "Then more.")),
        ("  \n ", ()),
        ("", ()),
    ],
)
def test_sentences(text: str, sentences: tuple[str, ...]) -> None:
    assert split(text) == sentences
