"""What is asked about a made-up head and what the answers are, written from its facts: questions, report, mirror too.

Every text is made here from facts, so that a reference is exact. Where a head is mirrored, its facts are mirrored
before anything is written: left and right never stand for the other side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from export_onnx.training.head_facts import HeadFacts, LesionFacts
from inference.language.localisation import located, marked
from inference.synthetic.lesion import Kind

PRESENT = "Is there a lesion in the brain?"
COUNT = "How many lesions are there?"
KIND = "What kind of lesion is the largest one?"
SIDE = "On which side is the largest lesion?"
SITE = "In which part of the brain is the largest lesion?"
SIZE = "How large is the largest lesion?"
REPORT = "Describe the findings."
KIND_OF_MARKED = "What kind of lesion is it?"
REPORT_OF_MARKED = "Describe the marked lesion."

COUNTS = ("none", "one", "two", "three or more")
KINDS: tuple[str, ...] = get_args(Kind)
SIDES = ("left", "right", "near the midline", "there is none")
SITES = (
    "frontal lobe",
    "parietal lobe",
    "temporal lobe",
    "occipital lobe",
    "cerebellum",
    "thalamus",
    "basal ganglia",
    "brain stem",
)
SIZES = ("under 14 mm", "14 to 19 mm", "20 to 25 mm", "26 mm or more")
_BOUNDS_MM = (14.0, 20.0, 26.0)
NONE = "there is none"

_OTHERWISE = {
    PRESENT: ("Does the scan show a lesion?", "Is a lesion visible?", "Is anything abnormal?"),
    COUNT: ("How many lesions do you see?", "Count the lesions."),
    KIND: ("What is the largest lesion like?", "Which kind of lesion is it?"),
    SIDE: ("Which side is the lesion on?", "Is the lesion left or right?"),
    SITE: ("Which lobe is the lesion in?", "Where in the brain is the lesion?"),
    SIZE: ("What size is the lesion?", "How big is it?"),
    REPORT: ("Write a report.", "What do you see?"),
    REPORT_OF_MARKED: ("Tell me about the lesion.", "Describe it."),
    KIND_OF_MARKED: ("What kind is the marked lesion?",),
}


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One question with its answer.

    Attributes
    ----------
    about
        What is asked after, as the constants of this module name it.
    question
        As it is put to the model.
    answer
        As the model should write it.
    options
        That the answer is one of; empty: in its own words.
    """

    about: str
    question: str
    answer: str
    options: tuple[str, ...] = ()


def closed(facts: HeadFacts, rng: np.random.Generator) -> list[Exchange]:
    """Questions with options about a head; those of four options have three that are wrong."""
    first = facts[0] if facts else None
    exchanges = [
        _chosen(PRESENT, "yes" if facts else "no", ("yes", "no")),
        _chosen(COUNT, COUNTS[min(len(facts), 3)], COUNTS),
        _chosen(KIND, first.kind if first else NONE, (*KINDS, NONE)),
        _chosen(SIDE, SIDES[3] if first is None else first.side or SIDES[2], SIDES),
    ]
    if first is not None:
        exchanges.append(_chosen(SIZE, size(first.long_mm), SIZES))
        if first.site is not None:
            others = [site for site in SITES if site != first.site]
            wrong = [others[int(i)] for i in rng.permutation(len(others))[:3]]
            four = tuple(site for site in SITES if site in (*wrong, first.site))
            exchanges.append(_chosen(SITE, first.site, four))
    return exchanges


def localised(exchanges: Sequence[Exchange], lesion: LesionFacts | None) -> list[Exchange]:
    """The same with the place of a lesion in the prompt, or that nothing is marked."""
    where = location(lesion)
    return [
        Exchange(about=e.about, question=f"{where} {e.question}", answer=e.answer, options=e.options) for e in exchanges
    ]


def location(lesion: LesionFacts | None) -> str:
    """What stands before a question about a lesion, or where there is none."""
    if lesion is None:
        return located(())
    return marked("lesion", lesion.side, lesion.site, lesion.long_mm, lesion.short_mm)


def of_marked(lesion: LesionFacts) -> list[Exchange]:
    """What is asked about one lesion whose place stands in the prompt."""
    asked = [
        _chosen(KIND_OF_MARKED, lesion.kind, KINDS),
        Exchange(about=REPORT_OF_MARKED, question=REPORT_OF_MARKED, answer=sentence(lesion)),
    ]
    return localised(asked, lesion)


def report(facts: HeadFacts) -> Exchange:
    """The reference report of a head."""
    return Exchange(about=REPORT, question=REPORT, answer=" ".join(report_sentences(facts)))


def report_sentences(facts: HeadFacts) -> list[str]:
    """One for each lesion, the largest first."""
    return [sentence(lesion) for lesion in facts] or ["No lesion is seen."]


def sentence(lesion: LesionFacts) -> str:
    """All that is known of a lesion."""
    return f"There is a {lesion.kind} lesion {_place(lesion)} with a longest diameter of {round(lesion.long_mm)} mm."


def size(long_mm: float) -> str:
    """The option that a length falls into."""
    return SIZES[int(np.searchsorted(_BOUNDS_MM, round(long_mm), side="right"))]


def in_other_words(exchange: Exchange, rng: np.random.Generator) -> Exchange:
    """Half of the time the question in other words."""
    others = _OTHERWISE.get(exchange.about, ())
    if not others or rng.random() < 0.5:
        return exchange
    other = others[int(rng.integers(len(others)))]
    return Exchange(
        about=exchange.about,
        question=exchange.question.replace(exchange.about, other),
        answer=exchange.answer,
        options=exchange.options,
    )


def _chosen(about: str, answer: str, options: tuple[str, ...]) -> Exchange:
    return Exchange(about=about, question=about, answer=answer, options=options)


def _place(lesion: LesionFacts) -> str:
    if lesion.site is not None:
        return f"in the {lesion.side} {lesion.site}" if lesion.side else f"in the {lesion.site}"
    return f"on the {lesion.side} side" if lesion.side else "in the brain"
