"""A coded concept in a manifest: scheme, value and meaning, and whether the three belong together as far as we know."""

from functools import cache

from pydantic import Field, model_validator
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.strict import Strict


class Concept(Strict):
    """A code with its meaning (PS3.3 8.3); SNOMED CT is "SCT".

    Raises
    ------
    pydantic.ValidationError
        If the code tables of PS3.16 know the value under another meaning: published code mistakes one concept for
        another now and then, and the value alone would carry the mistake into every report.
    """

    scheme: str = Field(min_length=1, max_length=16)
    value: str = Field(min_length=1, max_length=64)
    meaning: str = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _means_what_it_says(self) -> "Concept":
        known = _meanings(self.scheme).get(self.value, ())
        if known and self.meaning.casefold() not in {meaning.casefold() for meaning in known}:
            raise ValueError(f"({self.value}, {self.scheme}) means {' or '.join(known)}, not {self.meaning}")
        return self

    def code(self) -> Code:
        """The same as pydicom writes it."""
        return Code(self.value, self.scheme, self.meaning)


@cache
def _meanings(scheme: str) -> dict[str, tuple[str, ...]]:
    """Every meaning each value has in PS3.16; some values have several, for example "Brain" and "Brain structure"."""
    meanings: dict[str, tuple[str, ...]] = {}
    if scheme in codes.schemes():
        for code in getattr(codes, scheme).concepts.values():
            meanings[code.value] = (*meanings.get(code.value, ()), code.meaning)
    return meanings
