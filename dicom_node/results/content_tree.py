"""Walking a content tree that was read back from a file; knows no template."""

from collections.abc import Iterator

from pydicom import Dataset


def content_items(root: Dataset) -> Iterator[Dataset]:
    """Every content item below `root`, parents first."""
    for item in root.get("ContentSequence", ()):
        yield item
        yield from content_items(item)


def concept(item: Dataset) -> str:
    """Code value of an item's concept name; empty where it has none."""
    return next((str(name.get("CodeValue", "")) for name in item.get("ConceptNameCodeSequence", ())), "")


def texts(root: Dataset, code_value: str) -> set[str]:
    """Values of all TEXT and UIDREF items named by a code of DCM."""
    return {
        str(item.get("TextValue") or item.get("UID"))
        for item in content_items(root)
        if item.ValueType in {"TEXT", "UIDREF"} and concept(item) == code_value
    }
