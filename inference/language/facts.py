"""An English clinical sentence as facts: what, where, which side, whether, how many, how large; knows no image.

Nothing is guessed: a word that is not known, or a form that can be read in two ways, is said to be there, and what
holds it is never taken for proved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inference.language import kinds
from inference.language.lexicon import Role, Token, lexed

Polarity = Literal["present", "absent", "uncertain"]

_SPLITS: tuple[Role, ...] = ("join", "or", "without")
_NOT, _END = Token(role="not"), Token(role="stop")


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many, from the least to the most; None: no upper end."""

    least: int
    most: int | None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that a sentence says.

    Attributes
    ----------
    kinds
        All of which it is said to be.
    places, sides
        In all of which it is said to lie; "unresolved" is a side that another word would tell.
    count
        None: at least one, or two of a plural.
    alone
        Whether it is said to be the only one of its kind.
    lengths_mm, short_mm, volumes_ml
        Lengths of one value or more, as they were said together; of the short axis alone; volumes.
    sure
        Whether it can be read in one way only.
    """

    kinds: tuple[str, ...]
    polarity: Polarity = "present"
    places: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    plural: bool = False
    count: Count | None = None
    alone: bool = False
    lengths_mm: tuple[tuple[float, ...], ...] = ()
    short_mm: tuple[float, ...] = ()
    volumes_ml: tuple[float, ...] = ()
    sure: bool = True


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A sentence.

    Attributes
    ----------
    understood
        Whether every word is known.
    prior, advice
        Whether it compares with an earlier examination, or recommends.
    """

    facts: tuple[Fact, ...]
    understood: bool
    prior: bool
    advice: bool


def parsed(sentence: str) -> Parsed:
    """What one English sentence says."""
    tokens = lexed(sentence)
    roles = {token.role for token in tokens}
    facts = tuple(fact for clause in _clauses(tokens) for fact in _facts(clause))
    question = any(character in sentence for character in "?\uff1f")
    return Parsed(
        facts=facts,
        understood=not roles & {"unknown", "loose"} and not question,
        prior="prior" in roles,
        advice="advice" in roles,
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What stands between two separators."""

    opened: Role | None
    tokens: tuple[Token, ...]

    @property
    def names(self) -> bool:
        """Whether it names something that can be there or not."""
        return _names(self.tokens)

    @property
    def negations(self) -> int:
        return sum(token.role == "not" for token in self.tokens)

    @property
    def negated_at_once(self) -> bool:
        """Whether the negation stands before what is named."""
        return next((t.role for t in self.tokens if t.role in ("not", "kind")), None) == "not"


def _clauses(tokens: Sequence[Token]) -> list[list[Token]]:
    """Clauses that name something; what names nothing belongs to what follows its colon, else to what it follows."""
    clauses: list[list[Token]] = []
    ahead: list[Token] = []
    clause: list[Token] = []
    for token in (*tokens, _END):
        if token.role != "stop":
            clause.append(token)
            continue
        if _names(clause):
            clauses.append([*ahead, *clause])
            ahead = []
        elif token.value == ":" or not clauses:
            ahead += clause
        else:
            clauses[-1] += [Token(role="join"), *clause]
        clause = []
    if ahead and clauses:
        clauses[-1] += [Token(role="join"), *ahead]
    return clauses


def _parts(clause: Sequence[Token]) -> list[_Part]:
    """The parts of a clause; one that names nothing is joined to the one before it, the first to the next."""
    parts = [_Part(opened=None, tokens=())]
    for token in clause:
        if token.role in _SPLITS:
            parts.append(_Part(opened=token.role, tokens=(_NOT,) if token.role == "without" else ()))
        else:
            parts[-1] = replace(parts[-1], tokens=(*parts[-1].tokens, token))
    joined = parts[:1]
    for part in parts[1:]:
        if part.names and joined[-1].names:
            joined.append(part)
        else:
            joined[-1] = replace(joined[-1], tokens=(*joined[-1].tokens, *part.tokens))
    return joined


def _facts(clause: Sequence[Token]) -> Iterator[Fact]:
    """The facts of one clause; a negation holds for the parts behind it until one begins with "a"."""
    parts = _parts(clause)
    said = [_fact(part) for part in parts]
    several = len(parts) > 1
    unclear = several and any(part.negations and not part.negated_at_once for part in parts)
    unclear = unclear or (several and not _even([f for f, p in zip(said, parts, strict=True) if not p.negations]))
    alternatives = any(token.role == "or" for token in clause)
    negated = False
    for part, one in zip(parts, said, strict=True):
        polarity, sure = one.polarity, one.sure and not unclear and not negated
        if negated and not part.negations and (part.opened == "or" or not _begins_anew(part)):
            polarity = "absent"
        if alternatives and polarity == "present":
            polarity, sure = "uncertain" if several else "present", False
        negated = negated or bool(part.negations)
        fact = replace(one, polarity=polarity, sure=sure)
        others = any(token.role == "loose" and token.value == "other" for token in part.tokens)
        yield from _by_side(_alone(fact) if others and polarity == "absent" else fact)


def _alone(fact: Fact) -> Fact:
    """No other one: at most one."""
    return Fact(kinds=fact.kinds, alone=True, sure=False)


def _even(said: Sequence[Fact]) -> bool:
    """Whether each of several things has the same kinds of facts said of it, so that none is meant for another."""
    forms = {(bool(f.places), bool(f.sides), bool(f.lengths_mm or f.volumes_ml), bool(f.count)) for f in said}
    return len(forms) < 2


def _begins_anew(part: _Part) -> bool:
    """Whether a part can hardly stand under the negation of an earlier one."""
    return bool(part.tokens) and part.tokens[0].role == "filler"


def _names(tokens: Sequence[Token]) -> bool:
    return any(token.role in ("kind", "normal") for token in tokens)


def _by_side(fact: Fact) -> Iterator[Fact]:
    """Several things on several sides or in several places may be shared out between them."""
    if not (fact.plural or fact.count) or (len(fact.sides) < 2 and len(fact.places) < 2):
        yield fact
        return
    for side in fact.sides or (None,):
        for place in fact.places or (None,):
            yield replace(
                fact,
                sides=(side,) if side else (),
                places=(place,) if place else (),
                count=None,
                plural=False,
                lengths_mm=(),
                short_mm=(),
                volumes_ml=(),
                sure=False,
            )


def _fact(part: _Part) -> Fact:
    tokens = part.tokens
    named = [token for token in tokens if token.role == "kind"]
    special = [token for token in named if token.value != kinds.ANYTHING] or named
    normal = any(token.role == "normal" for token in tokens)
    negations = part.negations + (normal and not special)
    perhaps = any(token.role == "perhaps" for token in tokens)
    polarity: Polarity = "uncertain" if perhaps else "absent" if negations % 2 else "present"
    count, counted = _count(tokens)
    lengths, short, volumes, measured = _sizes(tokens)
    return Fact(
        kinds=tuple(dict.fromkeys(token.value for token in special)) or (kinds.ANYTHING,),
        polarity=polarity,
        places=tuple(dict.fromkeys(token.value for token in tokens if token.role == "place")),
        sides=tuple(dict.fromkeys(token.value for token in tokens if token.role == "side")),
        plural=any(token.plural for token in special),
        count=count,
        alone=any(token.role == "alone" for token in tokens),
        lengths_mm=lengths,
        short_mm=short,
        volumes_ml=volumes,
        sure=counted
        and measured
        and negations < 2
        and not (normal and special)
        and not (perhaps and negations)
        and not any(token.value == "unresolved" for token in tokens),
    )


def _count(tokens: Sequence[Token]) -> tuple[Count | None, bool]:
    """How many, and whether that is said in a way that is known: once, and before what is counted."""
    places = [index for index, token in enumerate(tokens) if token.role == "count"]
    if not places:
        return None, True
    first = next((index for index, token in enumerate(tokens) if token.role == "kind"), -1)
    value = tokens[places[0]].value
    least = int(value.rstrip("+"))
    count = Count(least=least, most=None if value.endswith("+") else least)
    if places[0] > first:
        return None, False
    between = {token.role for token in tokens[places[0] + 1 : first]}
    return count, len(places) == 1 and between <= {"side", "place", "filler", "size", "perhaps"}


_Sizes = tuple[tuple[tuple[float, ...], ...], tuple[float, ...], tuple[float, ...], bool]


def _sizes(tokens: Sequence[Token]) -> _Sizes:
    """Lengths, lengths of the short axis, volumes; and whether each axis that is named has its length."""
    if any(token.role == "loose" for token in tokens):
        return (), (), (), True
    sizes = [token.size for token in tokens if token.size is not None]
    volumes = tuple(size.volume_ml for size in sizes if size.volume_ml is not None)
    marks = [token for token in tokens if token.role == "axis" or (token.size and token.size.lengths_mm)]
    ahead = bool(marks) and marks[0].role == "axis"
    lengths: list[tuple[float, ...]] = []
    short: list[float] = []
    named = 0
    for index, size in enumerate(token.size for token in marks):
        if size is None:
            continue
        axis = _axis(marks, index - 1 if ahead else index + 1)
        named += axis is not None
        if axis == "short":
            short += size.lengths_mm
        else:
            lengths.append(size.lengths_mm)
    return tuple(lengths), tuple(short), volumes, named == sum(token.role == "axis" for token in marks)


def _axis(marks: Sequence[Token], index: int) -> str | None:
    return marks[index].value if 0 <= index < len(marks) and marks[index].role == "axis" else None
