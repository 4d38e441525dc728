"""Findings and answers as plain JSON values, in the shape that commands print, and findings back from them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydicom.sr.coding import Code

from dicom_node.results.answers import Answer, answers
from dicom_node.results.drafts import drafted
from dicom_node.results.identity import Identity
from dicom_node.results.placement import tracking_uid
from dicom_node.results.spoken import spoken
from dicom_node.study import Language
from inference.findings import Finding, Findings, Measurement, Narrative


def summarised(findings: Findings, identity: Identity) -> tuple[dict[str, Any], ...]:
    """One mapping for each finding: label, code, site, laterality, probability, measurements, tracking_uid."""
    return tuple(_finding(finding, identity) for finding in findings.findings)


def _finding(finding: Finding, identity: Identity) -> dict[str, Any]:
    return {
        "label": finding.label,
        "code": _code(finding.code),
        "site": _code(finding.site) if finding.site else None,
        "laterality": _code(finding.laterality) if finding.laterality else None,
        "probability": float(finding.probability) if finding.probability is not None else None,
        "measurements": [
            {"code": _code(m.code), "value": float(m.value), "unit": m.unit.value} for m in finding.measurements
        ],
        "tracking_uid": tracking_uid(identity, finding.label),
    }


def found(summaries: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> tuple[tuple[Finding, str], ...]:
    """Findings without regions, each with its Tracking Unique Identifier, from the summaries of several algorithms.

    Parameters
    ----------
    summaries
        Name of the algorithm and what `summarised` gave. Where two have a label in common, the later one is named with
        its algorithm.
    """
    back: dict[str, tuple[Finding, str]] = {}
    for algorithm, values in summaries:
        for number, each in enumerate(values, start=1):
            label = str(each.get("label") or f"finding {number}")
            label = f"{label} of {algorithm}" if label in back else label
            back[label] = (_finding_back(label, each), str(each["tracking_uid"]))
    return tuple(back.values())


def _finding_back(label: str, values: dict[str, Any]) -> Finding:
    return Finding(
        label=label,
        code=_code_back(values["code"]),
        site=_code_back(values["site"]) if values["site"] else None,
        laterality=_code_back(values["laterality"]) if values["laterality"] else None,
        probability=values["probability"],
        measurements=tuple(
            Measurement(code=_code_back(m["code"]), value=m["value"], unit=Code(m["unit"], "UCUM", m["unit"]))
            for m in values["measurements"]
        ),
    )


def answered(findings: Findings, language: Language) -> tuple[dict[str, Any], ...]:
    """One mapping for each answer of an exchange: mode, text, option, probability, slice, notes, sentences, marked.

    `sentences` are the generated ones with their verdicts; `marked` are the same as a person reads them, none withheld.
    """
    return tuple(_answer(answer, language) for answer in answers(findings))


def _answer(answer: Answer, language: Language) -> dict[str, Any]:
    drafts = [(s, s.draft) for s in answer.findings.narrative.sentences if s.draft is not None]
    open_ones = tuple(replace(s, draft=replace(draft, withheld=False)) for s, draft in drafts)
    shown = replace(answer.findings, narrative=Narrative(sentences=open_ones))
    return {
        "mode": answer.mode,
        "text": answer.text,
        "option": answer.choice.option if answer.choice else None,
        "probability": answer.choice.probability if answer.choice else None,
        "slice": None if answer.plane is None else answer.plane + 1,
        "notes": [s.text for s in spoken(answer.findings, language) if s.finding is None],
        "sentences": [
            {
                "text": s.text,
                "verdict": draft.verdict,
                "reason": draft.reason,
                "evidence": list(draft.evidence),
                "withheld": draft.withheld,
            }
            for s, draft in drafts
        ],
        "marked": [one.text for one in drafted(shown, language)],
    }


def _code_back(values: dict[str, str]) -> Code:
    return Code(values["value"], values["scheme"], values["meaning"])


def _code(code: Code) -> dict[str, str]:
    return {"scheme": code.scheme_designator, "value": code.value, "meaning": code.meaning}
