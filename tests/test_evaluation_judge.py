"""A judge's answer is read as published, and one that cannot be read is no score instead of a perfect one."""

from dataclasses import dataclass

import pytest

from inference.errors import UnsuitableTextError
from inference.evaluation.judge import MOST_WORDS, Verdict, judged, verdict

ANSWER = """[Explanation]:
    The candidate misses the effusion. It reports [a] stable heart.

    [Clinically Significant Errors]:
    (a) False report of a finding in the candidate: {a}. Edema
    (b) Missing a finding present in the reference: {b}. Effusion; Atelectasis
    (c) Misidentification of a finding's anatomic location/position: 0.

    [Clinically Insignificant Errors]:
    (a) False report of a finding in the candidate: 7. Old fracture
    (d) Misassessment of the severity of a finding: 2. Small; Large

    [Matched Findings]:
    {matched}. 3 wires in place; Heart size is normal
"""


@pytest.mark.parametrize(
    ("matched", "a", "b", "green"),
    [(0, 2, 1, 0.0), (1, 3, 2, 1 / 6), (1, 1, 1, 1 / 3), (2, 0, 2, 1 / 2), (1, 2, 1, 1 / 4), (4, 0, 0, 1.0)],
)
def test_the_formula(matched: int, a: int, b: int, green: float) -> None:
    """Matched over matched and significant errors: insignificant ones and numbers within the words do not count."""
    told = verdict(ANSWER.format(matched=matched, a=a, b=b))
    assert told == Verdict(matched=matched, errors={"a": a, "b": b, "c": 0})
    assert told.green == pytest.approx(green)


def test_none_in_words() -> None:
    text = "[Clinically Significant Errors]:\nNo errors.\n\n[Matched Findings]:\n2. One; Two"
    assert verdict(text) == Verdict(matched=2, errors={})
    assert verdict(text).green == 1.0
    assert verdict(text.replace("2. One; Two", "No matched findings.")).green == 0.0


def test_kinds_by_number() -> None:
    text = "[Clinically Significant Errors]:\n(1) False: 1. X\n(2) Missing: None\n(6) Omitted: 2. Y; Z\n"
    text += "[Matched Findings]:\n3. A; B; C"
    assert verdict(text) == Verdict(matched=3, errors={"a": 1, "b": 0, "f": 2})


def test_a_prompt_that_is_repeated_does_not_count() -> None:
    prompt = (
        "[Clinically Significant Errors]:\n(a) <Error Type>: <The number of errors>. <Error 1>\n"
        "[Matched Findings]:\n<The number of matched findings>. <Finding 1>\n"
    )
    assert verdict(prompt + ANSWER.format(matched=1, a=1, b=0)).green == 0.5


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("I cannot compare these.", r"no section \[Matched Findings\]"),
        ("[Matched Findings]:\n2. A; B", r"no section \[Clinically Significant Errors\]"),
        ("[Clinically Significant Errors]:\n(a) False: 1. X", r"no section \[Matched Findings\]"),
        ("[Clinically Significant Errors]:\nNo\n[Matched Findings]:\nsome", r"\[Matched Findings\] .* no number"),
        ("[Clinically Significant Errors]:\n(a) False: some.\n[Matched Findings]:\n1. A", "kind of error uncounted"),
        ("[Clinically Significant Errors]:\n(a) False: 1.\n(b) Missing: a few\n[Matched Findings]:\n1. A", "uncounted"),
        ("[Clinically Significant Errors]:\n\n[Matched Findings]:\n1. A", "uncounted"),
    ],
)
def test_what_cannot_be_read_is_refused_and_not_repeated(text: str, fault: str) -> None:
    with pytest.raises(UnsuitableTextError, match=fault) as caught:
        verdict(text)
    assert "cannot compare" not in str(caught.value)


@dataclass
class _Scripted:
    answers: list[str]
    longest: int = 0

    def compare(self, reference: str, candidate: str) -> str:
        self.longest = max(self.longest, len(reference.split()), len(candidate.split()))
        return self.answers.pop(0)


def test_reports_are_cut_and_unreadable_answers_are_none() -> None:
    judge = _Scripted([ANSWER.format(matched=1, a=1, b=0), "?"])
    assert judged(judge, [("word " * 400, "mass"), ("mass", "mass")]) == [0.5, None]
    assert judge.longest == MOST_WORDS
