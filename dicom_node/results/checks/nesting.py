"""Walking every item of every sequence of a dataset, without decoding any other element; knows no attribute."""

from collections.abc import Collection, Iterator

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag


def nested(dataset: Dataset, but: Collection[str] = ()) -> Iterator[tuple[str, Dataset]]:
    """Every item at any depth with the keyword of its sequence, parents first.

    Parameters
    ----------
    but
        Keywords of sequences that are not entered.
    """
    for tag in dataset.keys():  # noqa: SIM118 - iterating a dataset decodes its elements
        if dataset.get_item(tag).VR != "SQ":
            continue
        keyword = keyword_for_tag(tag)
        if keyword in but:
            continue
        for item in dataset[tag].value:
            yield keyword, item
            yield from nested(item, but)
