"""What the commands show: tables for people, one JSON object for scripts; asks nothing and decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dicom_node.records.views import Counts, StudyLine
from dicom_node.result_classes import name_of


def as_json(value: Mapping[str, Any]) -> str:
    """One JSON object with stable keys; times as ISO 8601."""
    return json.dumps(value, indent=2, default=_plain)


def status_json(
    counts: Counts, audit_rows: int, audit_fault: str | None, destinations: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`status --json`; `destinations` as `operation.destinations` tells them."""
    audit = {"rows": audit_rows, "fault": audit_fault}
    return {**asdict(counts), "audit": audit, "destinations": list(destinations)}


def show_status(
    console: Console,
    counts: Counts,
    audit_rows: int,
    audit_fault: str | None,
    destinations: Sequence[Mapping[str, Any]],
) -> None:
    """What is where, in a few lines."""
    table = Table("what", "how many", box=None, header_style="bold", pad_edge=False)
    for state, number in counts.studies.items():
        table.add_row(f"studies {state.lower()}", str(number))
    for outcome, number in counts.outcomes.items():
        table.add_row(f"  ended in {outcome}", str(number))
    for state, number in counts.workitems.items():
        table.add_row(f"workitems {state.lower()}", str(number))
    for destination, states in counts.deliveries.items():
        for state, number in states.items():
            table.add_row(f"objects {state} for {destination}", str(number))
    table.add_row("audit rows", str(audit_rows))
    console.print(table)
    for each in destinations:
        since = f"asked {_minute(each['asked_at'])}" if each["asked_at"] else "not asked what it takes"
        line = f"destination {each['name']}, profile {each['profile']}, {since}: gets {each['gets']}"
        console.print(line, markup=False, highlight=False)
    if counts.oldest_waiting_delivery is not None:
        console.print(f"oldest object not yet delivered was made at {_minute(counts.oldest_waiting_delivery)}")
    console.print(f"[red]audit chain broken: {audit_fault}[/red]" if audit_fault else "audit chain intact")


def studies_json(lines: list[StudyLine]) -> dict[str, Any]:
    """`studies --json`."""
    return {"studies": [asdict(line) for line in lines]}


def show_studies(console: Console, lines: list[StudyLine]) -> None:
    """The studies that moved last."""
    table = Table(
        "study", "version", "state", "outcome", "instances", "last arrival", "reason", box=None, header_style="bold"
    )
    for line in lines:
        table.add_row(
            line.pseudonym,
            str(line.version),
            line.state,
            line.outcome or "",
            str(line.instances),
            _minute(line.last_received_at),
            escape(line.reason or ""),
        )
    console.print(table if lines else "no studies yet")


def study_json(
    line: StudyLine, readings: list[dict[str, Any]], questions: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """`show --json`: the form that `process --json` prints too, and what was asked about the study."""
    return {"studies": [{**asdict(line), "algorithms": readings, "questions": list(questions)}]}


def show_study(console: Console, study: Mapping[str, Any]) -> None:
    """One study in the form of `study_json`: outcome, what was read and why, objects, findings in words."""
    console.print(f"[bold]study {study['study_instance_uid']}[/bold]  outcome: {study['outcome'] or 'none yet'}")
    if study["reason"]:
        console.print(f"  {study['reason']}", markup=False)
    for reading in study["algorithms"]:
        _show_reading(console, reading)
    for question in study.get("questions", ()):
        _show_question(console, question)


def _show_question(console: Console, question: Mapping[str, Any]) -> None:
    asked = f"question {question['number']} to {question['algorithm']}, {_minute(question['asked_at'])}"
    console.print(f"\n{asked}: {question['outcome'] or question['state']}", style="bold", markup=False)
    console.print(f"  {question['question']}", markup=False)
    for answer in question["answers"]:
        for line in (*answer["notes"], *answer["marked"]):
            console.print(f"  {line}", markup=False)
    if question["reason"]:
        console.print(f"  {question['reason']}", markup=False)


def _show_reading(console: Console, reading: Mapping[str, Any]) -> None:
    name = reading["name"] or "no algorithm"
    took = f", {reading['seconds']:.1f} s on {reading['provider']}" if reading.get("seconds") is not None else ""
    console.print(f"\n{name}: {reading['outcome'] or reading.get('state', '')}{took}", style="bold", markup=False)
    if reading["reason"]:
        console.print(f"  {reading['reason']}", markup=False)
    if reading["narrative"]:
        console.print(f"  {reading['narrative']}", markup=False)
    if reading["objects"]:
        console.print(_objects(reading["objects"]))


def _objects(objects: list[dict[str, Any]]) -> Table:
    table = Table("object", "as", "bytes", "SOP Instance UID", "where", box=None, header_style="bold", padding=(0, 2))
    for made in objects:
        states = [f"{d['destination']}: {d['state']}" for d in made.get("deliveries", [])]
        deliveries = ", ".join([*states, "WITHDRAWN"] if made.get("withdrawn") else states)
        table.add_row(
            made["kind"],
            name_of(made["sop_class_uid"]),
            f"{made['bytes']:,}",
            made["sop_instance_uid"],
            deliveries or made.get("path", ""),
        )
    return table


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
