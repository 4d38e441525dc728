"""Coded findings by chance, true sentences about them, and sentences that contradict them in eight ways."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.findings import Finding, Findings, Measurement, Narrative
from inference.imaging.sites import BASAL_GANGLIA
from tests import phantoms

# -- coded findings by chance ----------------------------------------------------------------------------------------

KINDS: dict[str, tuple[Code, tuple[str, ...], tuple[str, ...]]] = {
    # code, names of it, names of what it is one of
    "glioma": (Code("393564001", "SCT", "Glioma"), ("glioma",), ("neoplasm", "tumour", "tumor", "mass", "lesion")),
    "meningioma": (
        Code("302820008", "SCT", "Intracranial meningioma"),
        ("meningioma", "intracranial meningioma"),
        ("neoplasm", "tumor", "mass", "lesion"),
    ),
    "cavernoma": (
        Code("416824008", "SCT", "Cavernous hemangioma"),
        ("cavernoma", "cavernous malformation", "cavernous hemangioma"),
        ("vascular malformation", "lesion"),
    ),
    "bleeding": (
        Code("274100004", "SCT", "Cerebral hemorrhage"),
        ("cerebral haemorrhage", "intracerebral hemorrhage", "intraparenchymal hematoma"),
        ("haemorrhage", "hemorrhage", "hematoma", "lesion"),
    ),
}
PLACES: dict[str, tuple[Code, tuple[str, ...]]] = {
    "frontal": (codes.SCT.FrontalLobe, ("frontal lobe",)),
    "parietal": (codes.SCT.ParietalLobe, ("parietal lobe",)),
    "temporal": (codes.SCT.TemporalLobe, ("temporal lobe",)),
    "occipital": (codes.SCT.OccipitalLobe, ("occipital lobe",)),
    "thalamus": (codes.SCT.Thalamus, ("thalamus",)),
    "ganglia": (BASAL_GANGLIA, ("basal ganglia",)),
    "cerebellum": (codes.SCT.Cerebellum, ("cerebellum",)),
}
SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}
OTHER = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Seen:
    """One coded finding in plain values."""

    kind: str
    place: str
    side: str
    long_mm: float
    short_mm: float
    volume_ml: float


def seen(rng: random.Random) -> Seen:
    long_mm = rng.uniform(12, 60)
    short_mm = long_mm * rng.uniform(0.5, 0.95)
    return Seen(
        rng.choice(list(KINDS)), rng.choice(list(PLACES)), rng.choice(list(SIDES)), long_mm, short_mm,
        0.52 * long_mm * short_mm**2 / 1000,
    )  # fmt: skip


def coded(everything: Sequence[Seen]) -> Findings:
    """The same as a reading codes it."""
    found = [
        Finding(
            label=f"lesion {number}",
            code=KINDS[one.kind][0],
            site=PLACES[one.place][0],
            laterality=SIDES[one.side],
            probability=0.9,
            measurements=(
                Measurement(code=codes.SCT.Volume, value=1000 * one.volume_ml, unit=codes.UCUM.CubicMillimeter),
                Measurement(code=codes.SCT.LongAxis, value=one.long_mm, unit=codes.UCUM.Millimeter),
                Measurement(code=codes.SCT.ShortAxis, value=one.short_mm, unit=codes.UCUM.Millimeter),
            ),
        )
        for number, one in enumerate(everything, start=1)
    ]
    nothing = replace(phantoms.nothing(), segments=(), narrative=Narrative(sentences=()))
    return replace(nothing, findings=tuple(found))


# -- sentences of many forms -----------------------------------------------------------------------------------------

FORMS = (
    "There is a {name} in the {side} {place}{size}.",
    "A {name} is seen in the {side} {place}{size}.",
    "In the {side} {place}, a {name} is visible{size}.",
    "{side} {place}: {name}{size}.",
    "A {side}-sided {name} in the {place}{size} is demonstrated.",
    "MRI shows a {name}{size} in the {side} {place}",
    "The {place} on the {side} shows a {name}{size}.",
    "{name}{size}, located in the {side} {place}.",
    "The examination demonstrates a {name} of the {side} {place}{size}.",
    "A single {name} is identified in the {side} {place}{size}.",
    "Findings: a {name} is present in the {side} {place}{size}.",
    "A {name} involving the {side} {place} is noted{size}.",
    "Possible {name} in the {side} {place}{size}.",
)
SIZES: tuple[Callable[[Seen], str], ...] = (
    lambda s: "",
    lambda s: "",
    lambda s: f" measuring {s.long_mm:.0f} mm",
    lambda s: f", measuring approximately {s.long_mm / 10:.1f} cm",
    lambda s: f", {s.long_mm:.0f} x {s.short_mm:.0f} mm",
    lambda s: f" measuring {s.long_mm / 10:.1f} x {s.short_mm / 10:.1f} cm",
    lambda s: f" with a volume of {s.volume_ml:.2f} mL",
    lambda s: f", {s.volume_ml:.2f} ml, longest axis {s.long_mm:.0f} mm, perpendicular to it {s.short_mm:.0f} mm",
    lambda s: f" of {s.long_mm:.0f}mm in longest diameter",
)


def said(one: Seen, rng: random.Random, *, name: str | None = None, sized: bool = False) -> str:
    """A sentence about it."""
    size = rng.choice(SIZES[2:] if sized else SIZES)(one)
    chosen = name or rng.choice(KINDS[one.kind][1] + KINDS[one.kind][2])
    place = rng.choice(PLACES[one.place][1])
    return written(rng.choice(FORMS).format(name=chosen, side=one.side, place=place, size=size), rng)


def written(text: str, rng: random.Random) -> str:
    """In capitals, in small letters, with spaces too many or missing."""
    form = rng.randrange(8)
    if form == 0:
        return text.upper()
    if form == 1:
        return text.lower()
    if form == 2:
        return text.replace(" ", "  ")
    if form == 3:
        return text.replace(", ", " , ").replace(" mm", "mm").replace(" cm", "cm")
    if form == 4:
        return f" {text}".replace(". ", " .\t")
    return text[:1].upper() + text[1:]


# -- contradictions --------------------------------------------------------------------------------------------------


def flipped(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    return said(replace(one, side=OTHER[one.side]), rng)


def moved(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    return said(replace(one, place=rng.choice([p for p in PLACES if p != one.place])), rng)


def scaled(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    factor = rng.choice((0.3, 0.5, 0.7, 1.4, 1.8, 2.5, 10.0))
    larger = replace(
        one, long_mm=one.long_mm * factor, short_mm=one.short_mm * factor, volume_ml=one.volume_ml * factor**3
    )
    return said(larger, rng, sized=True)


def renamed(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    names = [n for kind, (_, names, _) in KINDS.items() if kind not in {e.kind for e in everything} for n in names]
    return said(one, rng, name=rng.choice([*names, "metastasis", "abscess", "infarct", "stroke", "lymphoma"]))


def negated(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    name = rng.choice(KINDS[one.kind][1] + KINDS[one.kind][2])
    place = f"{one.side} {PLACES[one.place][1][0]}"
    forms = (
        f"No {name} is seen.",
        f"There is no evidence of a {name} in the {place}.",
        f"No {one.side}-sided {name}.",
        f"The {place} is unremarkable.",
        f"The {place} is free of any {name}.",
        f"A {name} is not seen.",
        f"{name}: absent.",
        "Normal brain.",
        f"Absence of {name} in the {place}.",
        f"No oedema, {name} or hydrocephalus.",
        f"Without {name}.",
        f"There isn't a {name} in the {place}.",
        f"Neither a {name} nor hydrocephalus is found.",
        "The brain is within normal limits.",
        "The patient is healthy.",
    )
    return written(rng.choice(forms), rng)


def invented(everything: Sequence[Seen], rng: random.Random) -> str:
    taken = {e.kind for e in everything}
    one = replace(seen(rng), kind=rng.choice([kind for kind in KINDS if kind not in taken]))
    return said(one, rng, name=rng.choice([*KINDS[one.kind][1], "abscess", "fracture", "pleural effusion"]))


def miscounted(everything: Sequence[Seen], rng: random.Random) -> str:
    count = rng.choice([n for n in range(1, 7) if n != len(everything)])
    number = rng.choice((("one", "two", "three", "four", "five", "six")[count - 1], str(count)))
    noun = "lesion" if count == 1 else "lesions"
    forms = [
        f"There are {number} {noun}.",
        f"{number} {noun} are seen in the brain.",
        f"MRI shows {number} separate {noun}.",
    ]
    if len(everything) == 1:
        forms += ["Multiple lesions are seen.", f"Several {KINDS[everything[0].kind][1][0]}s are present."]
    else:
        forms += ["A solitary lesion is seen.", "There is only one lesion.", "A single lesion is identified."]
    return written(rng.choice(forms), rng)


def twice_negated(everything: Sequence[Seen], rng: random.Random) -> str:
    one = rng.choice(everything)
    wrong = replace(one, side=OTHER[one.side])
    forms = (
        f"It is not true that there is no {KINDS[one.kind][1][0]} in the {wrong.side} {PLACES[one.place][1][0]}.",
        f"There is no absence of a {wrong.side} {KINDS[one.kind][1][0]}.",
        f"A {KINDS[one.kind][1][0]} in the {wrong.side} {PLACES[one.place][1][0]} cannot be denied.",
        f"The {wrong.side} {PLACES[one.place][1][0]} is not without a lesion.",
        f"The {wrong.side} {PLACES[one.place][1][0]} is not normal.",
    )
    return written(rng.choice(forms), rng)


PLANTED = (flipped, moved, scaled, renamed, negated, invented, miscounted, twice_negated)


def alone_of_its_kind(rng: random.Random) -> list[Seen]:
    """One to three findings on one side, no two of one kind or in one place: what contradicts one is not true of
    another.
    """
    everything: list[Seen] = []
    sides = rng.choice(("left", "right"))
    while len(everything) < rng.choice((1, 1, 2, 3)):
        one = replace(seen(rng), side=sides)
        if all(one.kind != e.kind and one.place != e.place for e in everything):
            everything.append(one)
    return everything


def true_statement(everything: Sequence[Seen], rng: random.Random) -> str:
    if len(everything) > 1 and rng.random() < 0.2:
        number = rng.choice((("one", "two", "three")[len(everything) - 1], str(len(everything)), "multiple"))
        return written(rng.choice((f"There are {number} lesions.", f"{number} lesions are seen in the brain.")), rng)
    one = rng.choice(everything)
    name = rng.choice(KINDS[one.kind][1]) if len(everything) > 1 else None
    return said(one, rng, name=name)
