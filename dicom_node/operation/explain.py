"""Which rule matches which series of a folder, and why the others do not."""

from pathlib import Path
from typing import Any

from rich.console import Console

from dicom_node.config import Config
from dicom_node.operation.folder import series_of, studies_in
from dicom_node.reading.routing import explain


def explain_folder(folder: Path, config: Config) -> dict[str, Any]:
    """Hold every rule against every series found below `folder`.

    Returns
    -------
    dict
        {"series": [{"series_instance_uid", "modality", "description", "slices", "rules": [{"rule", "matches",
        "why_not"}]}], "left": {reason: number of files}}.
    """
    found = studies_in([folder])
    told = []
    for study in found.studies:
        for series in series_of(study):
            rules = [
                {"rule": e.rule, "matches": not e.why_not, "why_not": list(e.why_not)}
                for e in explain([series], config.rule)
            ]
            told.append(
                {
                    "series_instance_uid": series.uid,
                    "modality": series.modality,
                    "description": series.description,
                    "slices": series.slices,
                    "rules": rules,
                }
            )
    return {"series": told, "left": dict(found.left)}


def show_explanation(console: Console, told: dict[str, Any]) -> None:
    """The same in words."""
    for series in told["series"]:
        name = series["description"] or "(no description)"
        console.print(f"\n{series['modality']}, {series['slices']} slices, {name}", style="bold", markup=False)
        for rule in series["rules"]:
            verdict = "matches" if rule["matches"] else "does not match: " + "; ".join(rule["why_not"])
            console.print(f"  rule {rule['rule']}: {verdict}", markup=False, style="green" if rule["matches"] else None)
        if not any(rule["matches"] for rule in series["rules"]):
            console.print("  no rule matches: not read", style="yellow")
    for reason, number in told["left"].items():
        console.print(f"\n{number} files left: {reason}", markup=False)
