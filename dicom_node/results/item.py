"""Items of sequences, made without the detours of attribute access; knows no module and no template."""

from functools import cache
from typing import Any

from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.sr.coding import Code
from pydicom.tag import BaseTag, Tag


def item(**values: Any) -> Dataset:
    """A dataset of attributes by keyword; a sequence is a list of items.

    Raises
    ------
    ValueError
        If a value is not one of its value representation.
    """
    elements: dict[BaseTag, Any] = {}
    for keyword, value in values.items():
        tag, representation = _known(keyword)
        elements[tag] = DataElement(tag, representation, value, validation_mode=RAISE)
    return Dataset(elements)


def coded(code: Code) -> Dataset:
    """A code as the item of a code sequence (PS3.3 8.8).

    Raises
    ------
    ValueError
        If its meaning is longer than 64 characters, or a value is not one of its value representation.
    """
    value = "CodeValue" if len(code.value) <= 16 else "LongCodeValue"
    version = {"CodingSchemeVersion": code.scheme_version} if code.scheme_version else {}
    return item(
        **{value: code.value}, CodingSchemeDesignator=code.scheme_designator, **version, CodeMeaning=code.meaning
    )


@cache
def _known(keyword: str) -> tuple[BaseTag, str]:
    tag = Tag(keyword)
    return tag, dictionary_VR(tag)
