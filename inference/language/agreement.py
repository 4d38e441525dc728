"""Whether one coded finding is what a fact says, attribute by attribute: it is, it is not, or it was not coded."""

from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.draft import Contradiction
from inference.findings import Finding
from inference.language import kinds, places
from inference.language.facts import Fact
from inference.language.kinds import Relation
from inference.language.places import Fit

LENGTH_TOLERANCE, LEAST_MM = 0.15, 1.0
"""How far a length that is said may be from the measured one: this share of it, and never less than a millimetre."""

VOLUME_TOLERANCE, LEAST_ML = 0.2, 0.01
"""The same of a volume."""

_SIDES = {("SCT", "7771000"): "left", ("SCT", "24028007"): "right", ("SCT", "51440002"): "bilateral"}
_KINDS: dict[Relation, Fit] = {"is": "yes", "finer": "unknown", "apart": "no", "other": "no"}
_IN_ML = {"mL": 1.0, "mm3": 0.001, "cm3": 1.0}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A coded finding held against a fact."""

    finding: Finding
    relation: Relation
    side: Fit
    place: Fit
    size: Fit

    @property
    def there(self) -> Fit:
        """Whether it lies where the fact says."""
        return worst(self.side, self.place)

    @property
    def whole(self) -> Fit:
        """Whether it is all that the fact says; "unknown" where it may be."""
        return worst(_KINDS[self.relation], self.there, self.size)

    @property
    def conflicts(self) -> tuple[Contradiction, ...]:
        """What is coded otherwise, the gravest first; nothing of kinds that say nothing of each other."""
        found: list[Contradiction] = []
        if self.relation == "apart":
            found.append("kind")
        if self.side == "no":
            found.append("side")
        if self.place == "no":
            found.append("anatomy")
        if self.size == "no":
            found.append("size")
        return tuple(found)


def held(fact: Fact, finding: Finding) -> Agreement:
    """One fact against one finding."""
    coded = kinds.kind_of(*_key(finding.code))
    relations = {kinds.relation(coded, kind) for kind in fact.kinds}
    site = None if finding.site is None else places.place_of(*_key(finding.site))
    return Agreement(
        finding=finding,
        relation=next(r for r in ("apart", "other", "finer", "is") if r in relations),
        side=worst(*(_side(finding.laterality, side) for side in fact.sides)),
        place=worst(*(places.lies_in(site, place) for place in fact.places)),
        size=_size(fact, finding),
    )


def worst(*fits: Fit) -> Fit:
    """No where one is no, else unknown where one is; yes of nothing."""
    return "no" if "no" in fits else "unknown" if "unknown" in fits else "yes"


def _side(coded: Code | None, said: str) -> Fit:
    side = None if coded is None else _SIDES.get(_key(coded))
    if side is None or said == "unresolved":
        return "unknown"
    if side == said:
        return "yes"
    return "unknown" if side == "bilateral" and said in ("left", "right") else "no"


def _size(fact: Fact, finding: Finding) -> Fit:
    long, short, volume = (
        finding.measured(codes.SCT.LongAxis),
        finding.measured(codes.SCT.ShortAxis),
        _volume_ml(finding),
    )
    fits = [_close(said, volume, VOLUME_TOLERANCE, LEAST_ML) for said in fact.volumes_ml]
    fits += [_length(said, short) for said in fact.short_mm]
    for lengths in fact.lengths_mm:
        fits += _lengths(lengths, long, short)
    return worst(*fits)


def _lengths(said: tuple[float, ...], long: float | None, short: float | None) -> list[Fit]:
    """One is the long axis, two are both; of three, the third was not measured, and the longest is no less than it."""
    ordered = sorted(said, reverse=True)
    if len(ordered) < 3:
        return [_length(one, measured) for one, measured in zip(ordered, (long, short), strict=False)]
    first = _length(ordered[0], long)
    return ["no" if first == "no" and long is not None and ordered[0] < long else "unknown"]


def _length(said: float, measured: float | None) -> Fit:
    return _close(said, measured, LENGTH_TOLERANCE, LEAST_MM)


def _close(said: float, measured: float | None, share: float, least: float) -> Fit:
    if measured is None:
        return "unknown"
    return "yes" if abs(said - measured) <= max(share * measured, least) else "no"


def _volume_ml(finding: Finding) -> float | None:
    units = [
        (m.value, _IN_ML.get(m.unit.value)) for m in finding.measurements if _key(m.code) == _key(codes.SCT.Volume)
    ]
    return next((value * factor for value, factor in units if factor is not None), None)


def _key(code: Code) -> tuple[str, str]:
    return code.scheme_designator, code.value
