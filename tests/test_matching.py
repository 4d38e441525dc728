import pytest

from dicom_node.config import Match, Pattern
from dicom_node.matching import matches, mismatches
from dicom_node.study import Series, SeriesInstanceUID

SERIES = Series(
    uid=SeriesInstanceUID("1.2.3"),
    modality="MR",
    body_part_examined="HEAD",
    description="Sag T1 MPRAGE",
    protocol_name="Routine Head",
    contrast=True,
    calling_ae="MR1",
    slices=192,
    sop_class_uids=frozenset(),
)


@pytest.mark.parametrize(
    "match",
    [
        Match(),
        Match(modality="mr", body_part="head", calling_ae="mr1"),
        Match(series_description=Pattern(pattern="t1.*mprage")),
        Match(protocol_name=Pattern(pattern="^routine")),
        Match(contrast=True, minimum_slices=192, maximum_slices=192),
    ],
)
def test_a_series_that_fits(match: Match) -> None:
    assert matches(match, SERIES)


def test_a_clause_never_repeats_what_the_header_says() -> None:
    match = Match(
        modality="CT",
        body_part="CHEST",
        calling_ae="CT1",
        series_description=Pattern(pattern="lung"),
        protocol_name=Pattern(pattern="chest"),
    )
    told = " ".join(mismatches(match, SERIES))
    assert len(mismatches(match, SERIES)) == 5
    assert not any(value in told for value in ("MPRAGE", "Routine", "MR1", "HEAD"))
