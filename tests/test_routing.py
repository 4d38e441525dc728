from dataclasses import replace

from dicom_node.config import Match, Pattern, RuleTable
from dicom_node.reading.routing import explain, plans
from dicom_node.study import Series, SeriesInstanceUID, Study, StudyInstanceUID


def series(
    number: int, *, modality: str = "MR", description: str = "", slices: int = 100, contrast: bool = False
) -> Series:
    return Series(
        uid=SeriesInstanceUID(f"1.2.{number}"),
        modality=modality,
        body_part_examined="HEAD",
        description=description,
        protocol_name="routine head",
        contrast=contrast,
        calling_ae="PACS",
        slices=slices,
        sop_class_uids=frozenset({"1.2.840.10008.5.1.4.1.1.4"}),
    )


def study(*present: Series) -> Study:
    return Study(uid=StudyInstanceUID("1.2.3"), version=1, series=present)


T1 = RuleTable(
    name="t1",
    algorithms=("brain-lesions", "lesion-segmenter"),
    destinations=("pacs",),
    match=Match(modality="MR", series_description=Pattern(pattern="t1"), minimum_slices=20),
)
MR = RuleTable(name="mr", algorithms=("brain-lesions",), destinations=("research",), match=Match(modality="mr"))


def test_every_matching_rule_adds_its_algorithms_once() -> None:
    first, second = plans(study(series(1, description="Sag T1 MPRAGE"), series(2, description="T2")), (T1, MR), ())
    assert (first.algorithm, first.rule, first.destinations) == ("brain-lesions", "t1", ("pacs", "research"))
    assert first.series == ("1.2.1", "1.2.2")
    assert (second.algorithm, second.destinations, second.series) == ("lesion-segmenter", ("pacs",), ("1.2.1",))


def test_a_study_no_rule_wants_still_gets_its_outcome() -> None:
    (plan,) = plans(study(series(1, modality="CT")), (T1, MR), ("pacs",))
    assert (plan.algorithm, plan.rule, plan.destinations, plan.series) == ("", "", ("pacs",), ("1.2.1",))


def test_explain_says_why_each_rule_does_not_match() -> None:
    told = explain((series(1, description="localizer", slices=3),), (T1, MR))
    assert [e.rule for e in told] == ["t1", "mr"]
    assert told[0].why_not == ("series_description does not hold 't1'", "3 slices, minimum_slices is 20")
    assert told[1].why_not == ()


def test_contrast_body_part_caller_and_slices_are_compared() -> None:
    match = Match(
        body_part="brain", calling_ae="MR1", contrast=True, maximum_slices=50, protocol_name=Pattern(pattern="^foot")
    )
    (told,) = explain((series(1),), (RuleTable(name="r", algorithms=("a",), match=match),))
    assert told.why_not == (
        "body_part is not 'brain'",
        "protocol_name does not hold '^foot'",
        "calling_ae is not 'MR1'",
        "no contrast agent given",
        "100 slices, maximum_slices is 50",
    )
    (told,) = explain(
        (series(1, contrast=True),), (RuleTable(name="r", algorithms=("a",), match=Match(contrast=False)),)
    )
    assert told.why_not == ("contrast agent given",)


def test_a_pattern_is_searched_never_run() -> None:
    rule = RuleTable(name="r", algorithms=("a",), match=Match(series_description=Pattern(pattern="__import__")))
    (told,) = explain((series(1, description="t1"),), (rule,))
    assert told.why_not


def test_a_rule_for_reports_gives_their_series_to_an_algorithm_that_reads_text() -> None:
    report = replace(series(5, modality="SR", slices=1), sop_class_uids=frozenset({"1.2.840.10008.5.1.4.1.1.88.11"}))
    rule = RuleTable(name="reports", algorithms=("report-bert",), destinations=("pacs",), match=Match(modality="SR"))
    image, text = plans(study(series(1), report), (MR, rule), ())
    assert (image.algorithm, image.series) == ("brain-lesions", ("1.2.1",))
    assert (text.algorithm, text.series) == ("report-bert", ("1.2.5",))
