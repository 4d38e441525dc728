"""What a reading says, sentence by sentence, in the site's language: made of codes and numbers, never translated.

English keeps the readers' own sentences. In another language each is written anew from what it says; one that says
nothing but its words is given as it is, and known as English.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from string import Formatter
from typing import Any

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results.languages import WORDS
from dicom_node.results.text import number, percent
from dicom_node.results.words import Words, key
from dicom_node.study import Language
from inference.findings import Finding, Findings, Measurement, Sentence
from inference.statements import Statement

_VOLUME = key(codes.SCT.Volume)
_SIZES = frozenset({"mL", "mm3", "mm", "mm2"})
_ENDS = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))  # of LPS axes, from - to +


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One sentence.

    Attributes
    ----------
    text
        The sentence.
    finding
        Label of the finding it rests on, or None for the study as a whole.
    language
        It is in.
    """

    text: str
    finding: str | None
    language: Language


def spoken(findings: Findings, language: Language) -> tuple[Spoken, ...]:
    """All sentences of a reading but generated ones: the narrative's in its order, then findings that it does not
    mention, from their codes; last what can only be given in English.
    """
    words, said = WORDS[language], [s for s in findings.narrative.sentences if s.draft is None]
    by_label = {finding.label: finding for finding in findings.findings}
    coded = {s.finding for s in said if s.finding and (words.patterns is None or s.says is not None)}
    left = [finding for finding in findings.findings if finding.label not in coded]
    anew = [Spoken(text=f"{in_words(f, words)}.", finding=f.label, language=language) for f in left]
    sentences = [_sentence(s, by_label.get(s.finding or ""), words, language) for s in said]
    return tuple(sorted(sentences + anew, key=lambda s: s.language != language))


def in_words(finding: Finding, words: Words) -> str:
    """A finding from its codes and measurements: "Tumor, linke Hirnhälfte, 12,4 mL, Wahrscheinlichkeit 93 %"."""
    sure = [] if finding.probability is None else [words.probability.format(value=_percent(finding.probability, words))]
    told = [m for m in finding.measurements if not _is_probability(m, finding)]
    parts = [
        words.name(finding.code),
        words.site(finding.site, finding.laterality),
        *(_measured(m, words) for m in told if m.unit.value in _SIZES),
        *sure,
        *(_measured(m, words) for m in told if m.unit.value not in _SIZES),
    ]
    return ", ".join(part for part in parts if part)


def _sentence(sentence: Sentence, finding: Finding | None, words: Words, language: Language) -> Spoken:
    if words.patterns is None or sentence.says is None:
        return Spoken(text=sentence.text, finding=sentence.finding, language="en")
    pattern = words.patterns[type(sentence.says)]
    return Spoken(text=_filled(pattern, sentence.says, finding, words), finding=sentence.finding, language=language)


def _filled(pattern: str, statement: Statement, finding: Finding | None, words: Words) -> str:
    values = {field.name: getattr(statement, field.name) for field in fields(statement)}
    if finding is not None:
        values["finding"] = in_words(finding, words)
    return _Filler(words).format(pattern, **values)


class _Filler(Formatter):
    """Writes codes, numbers and lists of them into a pattern."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        """A code by name, else by one of the formats below or, for numbers, of Python's."""
        if isinstance(value, Code):
            return self._words.name(value)
        if format_spec in _FORMATS:
            return _FORMATS[format_spec](value, self._words)
        plain = format(value, format_spec)
        return self._words.decimals(plain) if isinstance(value, float) else plain


def _percent(probability: float, words: Words) -> str:
    return percent(probability, words.below, words.above)


def _each(pairs: Sequence[tuple[Code | int, float]], words: Words) -> str:
    """Classes by name or slices by number, each with its probability."""
    named = [(words.name(what) if isinstance(what, Code) else str(what), p) for what, p in pairs]
    return "; ".join(f"{name}: {_percent(p, words)}" for name, p in named)


def _centre(direction: str, words: Words) -> str:
    return words.of_centre.format(place=words.directions[direction])


def _place(place_mm: Sequence[float], words: Words) -> str:
    parts = [
        f"{abs(mm):.0f} mm {words.directions[ends[int(mm >= 0)]]}" for mm, ends in zip(place_mm, _ENDS, strict=True)
    ]
    return words.of_centre.format(place=", ".join(parts))


def _measured(measurement: Measurement, words: Words) -> str:
    """A measurement with its name; a volume, which its unit tells apart, without."""
    value, unit = measurement.value, measurement.unit.value
    if unit in ("mL", "mm3"):
        amount = _volume(value if unit == "mL" else value / 1000.0, words)
        if key(measurement.code) == _VOLUME:
            return amount
    elif unit == "mm":
        amount = words.decimals(f"{value:.0f} mm" if value >= 10.0 else f"{value:.1f} mm")
    elif unit == "%":
        amount = _percent(min(max(value / 100.0, 0.0), 1.0), words)
    elif unit == "1" or unit.startswith("{"):
        amount = words.decimals(f"{value:.2f}")
    else:
        amount = f"{words.decimals(number(value))} {unit}"
    return f"{words.name(measurement.code)} {amount}"


def _volume(value_ml: float, words: Words) -> str:
    """Of a brain to the millilitre, of a lesion to its tenth, of a small one to its hundredth."""
    digits = 0 if value_ml >= 100.0 else 1 if value_ml >= 1.0 else 2
    return words.decimals(f"{value_ml:.{digits}f} mL")


def _is_probability(measurement: Measurement, finding: Finding) -> bool:
    """Whether a measurement is the finding's own probability again."""
    if measurement.unit.value != "%" or finding.probability is None:
        return False
    return abs(measurement.value - 100.0 * finding.probability) < 1e-6


_FORMATS: dict[str, Callable[[Any, Words], str]] = {
    "percent": _percent,
    "ml": _volume,
    "centre": _centre,
    "place": _place,
    "each": _each,
}
