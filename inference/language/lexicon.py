"""English clinical text as tokens: terms, sides, negations, numbers, sizes; a word that is not here is unknown."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from inference.language import kinds, places

Role = Literal[
    "kind",  # value: kind of finding
    "place",  # value: place
    "side",  # value: left, right, bilateral, midline or unresolved
    "not",
    "perhaps",
    "normal",
    "count",  # value: how many, "2+" for two or more
    "alone",  # one and no other of its kind
    "axis",  # value: long or short
    "size",
    "filler",  # changes nothing
    "loose",  # makes a number or a reference mean something that is not checked; value: other
    "prior",  # compares with an earlier examination
    "advice",
    "or",
    "join",  # a comma, "and", "with": a part of a sentence begins
    "without",  # the same, and negates what follows
    "stop",  # a full stop, a semicolon, "but": a clause begins; value: ":" of a colon
    "unknown",
]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Lengths or a volume as said.

    Attributes
    ----------
    lengths_mm
        One, two or three; none for a volume.
    """

    lengths_mm: tuple[float, ...] = ()
    volume_ml: float | None = None


@dataclass(frozen=True, kw_only=True)
class Token:
    """One term of a sentence.

    Attributes
    ----------
    plural
        Of a kind: whether more than one is meant.
    size
        Of the role "size".
    """

    role: Role
    value: str = ""
    plural: bool = False
    size: Size | None = None


def lexed(sentence: str) -> tuple[Token, ...]:
    """The tokens of a sentence, the longest known term at each place."""
    words = _words(sentence)
    vocabulary, longest = _vocabulary()
    found: list[Token] = []
    place = 0
    while place < len(words):
        sized = _sized(words, place)
        if sized is not None:
            size, used = sized
            found.append(Token(role="size", size=size))
            place += used
            continue
        for length in range(min(longest, len(words) - place), 0, -1):
            known = vocabulary.get(tuple(words[place : place + length]))
            if known is not None:
                found.append(known)
                place += length
                break
        else:
            found.append(_other(words[place]))
            place += 1
    return tuple(found)


_TERMS: dict[Role, str] = {
    "not": "no/not/absence of/lack of/absent/free of/denies/deny/denied/neither/never/none/nothing/"
    "negative for/negative/excludes/excluded/is ruled out/ruled out/unlikely/zero/lacks/lacking/non/"
    "nowhere/devoid of/cannot/devoid",
    "without": "without/with no/and no/with neither/with absence of/without any/nor",
    "perhaps": "may/might/could/possible/possibly/probable/probably/likely/suspected/suspicious for/"
    "suspicion of/questionable/suggestive of/consistent with/compatible with/cannot be excluded/"
    "cannot be ruled out/cannot exclude/not excluded/not ruled out/cannot rule out/rule out/in keeping with/"
    "presumed/equivocal/uncertain/concerning for/perhaps/maybe/appears/appear/seems",
    "normal": "normal/unremarkable/healthy/within normal limits",
    "alone": "solitary/single/sole/only/lone/only one/one single/the only/a single/exactly one/just one",
    "filler": "a/an/the/there/there is/there are/is/are/was/were/be/been/being/seen/noted/identified/"
    "visible/visualized/visualised/observed/shown/demonstrated/found/detected/present/presence of/located/"
    "lies/lie/lying/situated/in/within/of/at/on/it/this/that/which/these/has/have/having/"
    "measures/measure/measuring/measured/size/diameter/volume/extent/in size/in diameter/in volume/"
    "a volume of/region/regions/area/lobe/side/sided/gland/algorithm/marked/marks/evidence/evidence of/"
    "sign of/signs of/scan/image/images/study/mri/ct/mr/shows/show/demonstrates/reveals/depicts/examination/"
    "can be/can/occupies/occupying/involves/involving/arises/arising/does/do/it is/as/any/"
    "approximately/about/roughly/circa/ca/approx/patient/also",
    "loose": "larger of/largest/biggest/smallest/smaller/bigger/longest/shortest/in all/in total/total/"
    "together/combined/up to/at least/at most/more than/less than/greater than/exceeding/over/under/below/"
    "above/each/every/second/third/one of/some/few/a few/"
    "many/numerous/innumerable/countless/between/nearly/almost/respectively/except/unless/if",
    "prior": "larger/increased/increase/increasing/decreased/decrease/unchanged/stable/progressed/"
    "progression/progressive/regression/regressed/new/newly/grown/growth/grew/growing/interval/compared/"
    "comparison/prior/previous/previously/since/again/still/resolved/resolution/improved/improvement/"
    "worsened/worsening/residual/recurrent/recurrence/no change/no longer/change/changed/changes/shrunk/"
    "earlier/former/formerly/last/postoperative/post operative/persistent/remains/former examination/known/"
    "no interval change/no significant change/stability/evolving/evolution/baseline/redemonstrated",
    "advice": "recommend/recommended/recommendation/recommends/advise/advised/advice/should/suggest/"
    "suggested/suggests/biopsy/follow up/followup/further imaging/consider/correlate/correlation/urgent/"
    "urgently/treatment/treat/surgery/surgical/therapy/resection/consultation/referral/refer/must/please/"
    "clinically indicated/indicated/admit/discharge/prescribe/management/monitor/monitoring",
    "or": "or/versus/vs/and or",
    "join": "and/with/plus/as well as/along with/together with/,/(/)/[/]/accompanied by",
    "stop": "but/however/although/though/whereas/while/./;/?/!/because/therefore/yet/nevertheless",
}
_VALUED: dict[Role, dict[str, str]] = {
    "side": {
        "left": "left/left sided/on the left/on the left side/left side/left half/left hand side",
        "right": "right/right sided/on the right/on the right side/right side/right half/right hand side",
        "bilateral": "bilateral/bilaterally/left and right/right and left/both sides/on both sides/both "
        "hemispheres/in both hemispheres/the left and the right/the right and the left/both cerebral hemispheres",
        "midline": "midline/in the midline/the midline",
        "unresolved": "contralateral/ipsilateral/opposite/unilateral/contralaterally/ipsilaterally/laterally/"
        "the other side/opposite side/left or right/right or left",
    },
    "axis": {
        "long": "longest axis/long axis/longest diameter/maximum diameter/maximal diameter/largest diameter/"
        "greatest diameter/greatest dimension/maximum dimension/longest dimension/maximal extent/in length/long/"
        "largest dimension/in greatest dimension/in longest diameter/in maximum diameter/in maximal diameter/"
        "in its longest axis/longest extent",
        "short": "short axis/shortest axis/shortest diameter/perpendicular/perpendicular to it/perpendicular axis/"
        "short diameter/in width/wide/perpendicular to this",
    },
    "stop": {":": ":"},
    "loose": {"other": "other/another/additional/further/else"},
    "count": {
        "1": "one",
        "2": "two/a couple of/a pair of/two separate/two distinct",
        **dict(zip("3456789", ("three", "four", "five", "six", "seven", "eight", "nine"), strict=True)),
        "10": "ten",
        "2+": "multiple/several/more than one/multiple separate",
    },
}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PIECE = re.compile(
    r"(?:mm|cm)(?:\^?3|³)(?![a-z0-9])|[0-9](?:[0-9.,]*[0-9])?|[a-z]+(?:'[a-z]+)?|\S",
)
_SHORT = re.compile(r"\b(approx|ca|vs|resp|e\.g|i\.e)\.")
_HEADING = re.compile(r"^\s*(?:findings?|impression|conclusion|summary|result)\s*:")
_LENGTHS = {"mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "centimeter": 10.0, "centimetre": 10.0}
_VOLUMES = {"ml": 1.0, "cc": 1.0, "milliliter": 1.0, "millilitre": 1.0, "cm3": 1.0, "ccm": 1.0, "mm3": 0.001}


def _words(sentence: str) -> list[str]:
    text = _HEADING.sub("", sentence.casefold())
    text = text.replace("\u2019", "'").replace("\u00d7", " x ")  # the typographic apostrophe and times
    text = re.sub(r"\bcan(?: not|'t)\b", "cannot", text)
    text = re.sub(r"n't\b", " not", text)
    text = _SHORT.sub(r"\1", text)
    text = re.sub(r"(?<=[a-z0-9])[-\u2010\u2011](?=[a-z])", " ", text)  # hyphens inside words
    text = re.sub(r"\s[-\u2013\u2014]+\s|\u2014", " , ", text)  # dashes between parts
    return [word.replace("³", "3").replace("^", "") for word in _PIECE.findall(text)]


def _sized(words: list[str], place: int) -> tuple[Size, int] | None:
    """The size that starts at a place and how many words it takes: "3 x 2.1 cm", "12.3 ml"."""
    values: list[float] = []
    units: list[str | None] = []
    here = place
    while here < len(words) and _NUMBER.fullmatch(words[here]):
        values.append(float(words[here]))
        unit, used = _unit(words, here + 1)
        units.append(unit)
        here += 1 + used
        if here + 1 < len(words) and words[here] in ("x", "by") and _NUMBER.fullmatch(words[here + 1]):
            here += 1
        else:
            break
    last = units[-1] if units else None
    if last is None or len(values) > 3:
        return None
    if last in _LENGTHS and all(unit is None or unit in _LENGTHS for unit in units):
        return Size(lengths_mm=tuple(v * _LENGTHS[u or last] for v, u in zip(values, units, strict=True))), here - place
    if last in _VOLUMES and len(values) == 1:
        return Size(volume_ml=values[0] * _VOLUMES[last]), here - place
    return None


def _unit(words: list[str], place: int) -> tuple[str | None, int]:
    if place >= len(words):
        return None, 0
    cubic = words[place] == "cubic" and place + 1 < len(words)
    word = words[place + 1] if cubic else words[place]
    singular = word[:-1] if len(word) > 3 and word.endswith("s") else word
    if cubic:
        short = {1.0: "mm3", 10.0: "cm3"}.get(_LENGTHS.get(singular, 0.0))
        return (short, 2) if short else (None, 0)
    return (singular, 1) if singular in _LENGTHS or singular in _VOLUMES else (None, 0)


def _other(word: str) -> Token:
    if re.fullmatch(r"[1-9][0-9]?", word):
        return Token(role="count", value=word)
    return Token(role="not") if word == "0" else Token(role="unknown", value=word)


@cache
def _vocabulary() -> tuple[dict[tuple[str, ...], Token], int]:
    """Every known term as its words, and the number of words of the longest."""
    found: dict[str, Token] = {}
    for role, listed in _TERMS.items():
        found |= {term: Token(role=role) for term in _listed(listed)}
    for role, valued in _VALUED.items():
        for value, listed in valued.items():
            found |= {term: Token(role=role, value=value) for term in _listed(listed)}
    found |= {term: Token(role="place", value=place) for term, place in places.terms().items()}
    found |= {term: Token(role="kind", value=kind, plural=many) for term, (kind, many) in kinds.terms().items()}
    found |= {term: Token(role="kind", value=kinds.ANYTHING) for term in ("abnormal", "anything", "pathological")}
    split = {tuple(term.split(" ")): token for term, token in found.items()}
    return split, max(len(words) for words in split)


def _listed(terms: str) -> list[str]:
    return terms.split("/")
