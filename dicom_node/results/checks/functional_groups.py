"""Reading functional groups (PS3.3 C.7.6.16), a frame's own or shared, of segmentations and of multi-frame sources."""

from pydicom import Dataset


def functional_group(dataset: Dataset, frame_number: int, keyword: str) -> Dataset | None:
    """The first item of a functional group macro of a frame, None where there is none.

    Parameters
    ----------
    frame_number
        1-based.
    keyword
        Of the macro's sequence.
    """
    own = dataset.PerFrameFunctionalGroupsSequence[frame_number - 1]
    for group in (own, *dataset.get("SharedFunctionalGroupsSequence", ())):
        if items := group.get(keyword):
            first: Dataset = items[0]
            return first
    return None
