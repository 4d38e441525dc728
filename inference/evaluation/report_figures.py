"""Figures of written reports: the rule score over its templates, BLEU, ROUGE, token F1, and a judge's GREEN.

Patients are resampled. A reference that states no fact is left out and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.evaluation import bleu, statistics
from inference.evaluation.judge import Judge, judged
from inference.evaluation.ranking import ratio
from inference.evaluation.report_facts import Facts, facts_of
from inference.evaluation.report_score import Comparison, compare
from inference.evaluation.report_templates import all_normal, most_frequent
from inference.evaluation.rouge import rouge
from inference.evaluation.statistics import Values
from inference.evaluation.words import token_f1, words

SCORE = "report_rule_score"
TEMPLATE = "report_template"


@dataclass(frozen=True, kw_only=True)
class WrittenReport:
    """What a reader wrote and what it should have. Patient data: never in a message, a log or a result.

    Attributes
    ----------
    facts
        Of the reference, where they are known; None: those that its words say.
    """

    name: str
    patient: str
    reference: str
    candidate: str
    facts: Facts | None = None

    @property
    def wanted(self) -> Facts:
        """Facts that the reference states."""
        return facts_of(self.reference) if self.facts is None else self.facts

    def __repr__(self) -> str:
        return f"WrittenReport({self.name}: {len(self.candidate)} characters for {len(self.reference)})"


def subset(
    name: str, reports: Sequence[WrittenReport], training: Sequence[str], judge: Judge | None = None
) -> dict[str, Any]:
    """Figures of reports as a subset of `run.report`.

    Parameters
    ----------
    training
        References of other patients, from which the most frequent report is taken.
    judge
        Gives the metric "green"; answers that cannot be read are left out of it and counted in "n_green_unread".

    Returns
    -------
    dict
        {"name", "n_patients", "n_cases", "n_unread", "metrics", "baselines", "over_baselines"}. The baseline
        "report_template" is the better of "report_template_normal" and "report_template_frequent". "over_baselines" is
        {"report_rule_score": {BASELINE: `statistics.gain`}} of those two, empty with fewer than 2 patients.

    Raises
    ------
    DataError
        If there is no report to train on.
    """
    read = [report for report in reports if report.wanted.findings]
    told: dict[str, Any] = {"name": name, "n_patients": 0, "n_cases": len(read), "n_unread": len(reports) - len(read)}
    if not read:
        return {**told, "metrics": {}, "baselines": {}, "over_baselines": {}}
    names, units = np.unique([report.patient for report in read], return_inverse=True)
    rows = statistics.weights(len(names))
    templates = {"normal": all_normal(), "frequent": most_frequent(training)}
    wanted = [report.wanted for report in read]
    compared = [compare(facts_of(report.candidate), facts) for report, facts in zip(read, wanted, strict=True)]
    ours = np.array([one.score for one in compared])
    theirs = {f"{TEMPLATE}_{kind}": _scores([facts_of(text)] * len(read), wanted) for kind, text in templates.items()}
    found = {SCORE: statistics.means(rows, units, ours)} | _findings(rows, units, compared) | _texts(rows, units, read)
    if judge is not None:
        green = judged(judge, [(report.reference, report.candidate) for report in read])
        known = np.array([value is not None for value in green])
        found["green"] = statistics.means(rows, units[known], np.array([v for v in green if v is not None]))
        told["n_green_unread"] = int((~known).sum())
    means = {kind: float(values.mean()) for kind, values in theirs.items()}
    metrics = {kind: statistics.interval(values, len(names)) for kind, values in found.items()}
    return {
        **told,
        "n_patients": len(names),
        "metrics": {kind: figure for kind, figure in metrics.items() if figure is not None},
        "baselines": {TEMPLATE: max(means.values()), **means},
        "over_baselines": {SCORE: _gains(units, ours, theirs)} if len(names) > 1 else {},
    }


def _scores(candidates: Sequence[Facts], references: Sequence[Facts]) -> Values:
    return np.array([compare(*pair).score for pair in zip(candidates, references, strict=True)])


def _findings(rows: Values, units: NDArray[np.int64], compared: Sequence[Comparison]) -> dict[str, Values]:
    """Precision, recall and F1 over all facts, with the share of details as credit."""
    counts = np.array([[one.credit, one.found, one.wanted] for one in compared])
    credit, found, wanted = (rows @ statistics.summed(units, counts, rows.shape[1])).T
    return {
        "report_finding_precision": ratio(credit, found),
        "report_finding_recall": ratio(credit, wanted),
        "report_finding_f1": ratio(2 * credit, found + wanted),
    }


def _texts(rows: Values, units: NDArray[np.int64], reports: Sequence[WrittenReport]) -> dict[str, Values]:
    pairs = [(words(report.candidate), words(report.reference)) for report in reports]
    counts = np.array([bleu.counts(*pair) for pair in pairs])
    of_corpus = bleu.corpus(rows @ statistics.summed(units, counts, rows.shape[1]))
    told = {f"report_bleu{order + 1}": of_corpus[:, order] for order in range(bleu.ORDERS)}
    overlaps = [rouge(*pair) | {"token_f1": token_f1(*pair)} for pair in pairs]
    for kind in overlaps[0]:
        told[f"report_{kind}"] = statistics.means(rows, units, np.array([overlap[kind] for overlap in overlaps]))
    return told


def _gains(units: NDArray[np.int64], ours: Values, theirs: Mapping[str, Values]) -> dict[str, Any]:
    count = int(units.max()) + 1
    cases = statistics.summed(units, np.ones(len(ours)), count)
    return {
        kind: statistics.gain(statistics.summed(units, ours - values, count), cases) for kind, values in theirs.items()
    }
