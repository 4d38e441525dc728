"""A contrast agent is known from its own attribute, else from the words of the series."""

import pytest
from pydicom import Dataset

from dicom_node.reading.contrast_agent import contrast_agent_given


def header(agent: str | None, description: str = "", protocol: str = "") -> Dataset:
    made = Dataset()
    if agent is not None:
        made.ContrastBolusAgent = agent
    made.SeriesDescription, made.ProtocolName = description, protocol
    return made


@pytest.mark.parametrize(
    "description",
    ["t1_mprage post", "T1 +C", "AX T1 GD", "T1 KM", "t1c", "SAG T1 POST GAD", "T1 C+", "T1 CE", "T1 with contrast"],
)
def test_words_tell_of_an_agent_that_has_no_attribute(description: str) -> None:
    assert contrast_agent_given(header(None, description))
    assert contrast_agent_given(header("", "scan", description))


@pytest.mark.parametrize(
    "description",
    [
        "t1_mprage",
        "T1 pre contrast",
        "T1 without contrast",
        "T1 nativ",
        "posterior fossa",
        "T1 W/O contrast",
        "facet T1",
    ],
)
def test_other_words_do_not(description: str) -> None:
    assert not contrast_agent_given(header(None, description))


def test_the_attribute_is_believed_before_the_words() -> None:
    assert contrast_agent_given(header("Gadobutrol", "T1 pre"))
    assert not contrast_agent_given(header("NONE", "T1 post"))
