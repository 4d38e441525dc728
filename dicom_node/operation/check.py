"""Is this node fit to start: settings, what is insecure, disk, database, bundles, providers, destinations."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from dicom_node.config import Config, DestinationTable
from dicom_node.delivery.echo import echo
from dicom_node.errors import ConfigError, NodeError, TransientError
from dicom_node.operation.destinations import ask_and_record, destination_told
from dicom_node.reading.admission import admit, bundles_dir
from dicom_node.reading.geometry_gate import pass_gate
from dicom_node.reading.renderings import check_forms
from dicom_node.records.ledger import Ledger, open_ledger
from inference.algorithms import Runtime
from inference.catalogue import Description, open_reader
from inference.errors import InferenceError
from inference.inputs import Inputs

Verdict = Literal["ok", "warning", "fault"]
_MARKS: dict[Verdict, str] = {
    "ok": "[green]ok[/green]     ",
    "warning": "[yellow]warning[/yellow]",
    "fault": "[red]fault[/red]  ",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was checked."""

    what: str
    verdict: Verdict
    text: str


def check_node(config: Config, path: Path, *, ask: bool = False) -> dict[str, Any]:
    """Check everything a start depends on, and name what is insecure; sends nothing but C-ECHO to the destinations.

    Those that never were are asked what they take; with `ask` all are, but for those of profile `generic`.
    """
    lines = [
        *_configuration_file(path),
        *_settings(config),
        *_state(config),
        *_algorithms(config),
        *_destinations(config, ask=ask),
    ]
    return {"ok": not any(line.verdict == "fault" for line in lines), "checks": [asdict(line) for line in lines]}


def show_check(console: Console, told: dict[str, Any]) -> None:
    """The same for people."""
    for line in told["checks"]:
        console.print(f"{_MARKS[line['verdict']]}  [bold]{line['what']}[/bold]  ", end="")
        console.print(line["text"], markup=False, highlight=False)
    console.print("fit to start" if told["ok"] else "[red]not fit to start[/red]")


def _configuration_file(path: Path) -> Iterator[Line]:
    mode = path.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Line(what="configuration", verdict="warning", text=f"{path} can be written by others: chmod 640")
    else:
        yield Line(what="configuration", verdict="ok", text=f"{path}: every key known, every value fits")


def _settings(config: Config) -> Iterator[Line]:
    """What is legal and yet unwise."""
    warnings = (
        (not config.caller, "[[caller]] is empty: nobody may send"),
        (not config.rule, "[[rule]] is empty: every study ends not-applicable"),
        (not config.destination, "[[destination]] is empty: results stay in the ledger"),
        (
            any(c.address.num_addresses > 256 for c in config.caller),
            "a [[caller]] address is a network of more than 256 addresses",
        ),
        (config.listener.host in ("0.0.0.0", "::"), "[listener] host: listens on every interface, without TLS"),  # noqa: S104
        (
            config.inference.allow_synthetic,
            "[inference] allow_synthetic: bundles trained on synthetic findings may serve",
        ),
        (
            config.inference.allow_research,
            "[inference] allow_research: bundles whose licence forbids clinical use may serve",
        ),
        (config.log.level == "debug", "[log] level debug: for looking for a fault, not for every day"),
    )
    for present, text in warnings:
        if present:
            yield Line(what="settings", verdict="warning", text=text)
    unsent = [rule.name for rule in config.rule if not rule.destinations]
    if unsent:
        yield Line(
            what="settings", verdict="warning", text=f"results of {', '.join(unsent)} go nowhere: no destinations"
        )


def _state(config: Config) -> Iterator[Line]:
    folder = config.node.state_dir
    try:
        ledger = open_ledger(config, "administrator")
    except (NodeError, OSError) as error:
        yield Line(what="database", verdict="fault", text=str(error))
        return
    verdict = ledger.audit_verdict()
    ledger.close()
    yield Line(what="database", verdict="ok", text="opens, migrated, synchronous=FULL")
    if folder.stat().st_mode & 0o077:
        yield Line(what="state folder", verdict="warning", text=f"{folder} can be read by others: chmod 700")
    free = shutil.disk_usage(folder).free
    enough = free > config.listener.minimum_free_bytes
    text = f"{free / 2**30:.1f} GiB free, stores are refused below {config.listener.minimum_free_bytes / 2**30:.1f} GiB"
    yield Line(what="disk", verdict="ok" if enough else "fault", text=text)
    chain = f"chain of {verdict.rows} rows intact" if verdict.fault is None else verdict.fault
    yield Line(what="audit", verdict="ok" if verdict.fault is None else "fault", text=chain)


def _algorithms(config: Config) -> Iterator[Line]:
    """Each algorithm a rule names is opened as a worker would: weights, provider, parity on this machine."""
    runtime = Runtime(providers=config.inference.providers, threads=config.inference.threads)
    for name in dict.fromkeys(name for rule in config.rule for name in rule.algorithms):
        try:
            description = admit(name, config.inference)
            reader = open_reader(name, bundles_dir(config.inference), runtime)
        except (ConfigError, InferenceError) as error:
            yield Line(what=f"algorithm {name}", verdict="fault", text=str(error))
            continue
        digest = description.algorithm.digest[:12]
        text = (
            f"{description.algorithm.version}, {digest}, on {reader.provider}, {description.algorithm.clinical_use} use"
        )
        yield Line(what=f"algorithm {name}", verdict="ok", text=text)
        yield _geometry(description, config.node.state_dir)


def _geometry(description: Description, state_dir: Path) -> Line:
    """The phantom in every orientation through the algorithm's way, as before a worker starts."""
    what = f"geometry {description.name}"
    try:
        (count,) = pass_gate([description], state_dir).values()
    except ConfigError as error:
        return Line(what=what, verdict="fault", text=str(error))
    if not isinstance(description.inputs, Inputs):
        return Line(what=what, verdict="ok", text="reads text, draws nothing")
    return Line(what=what, verdict="ok", text=f"{count} phantoms came back to where they were drawn")


def _destinations(config: Config, *, ask: bool) -> Iterator[Line]:
    try:
        check_forms(config)
        ledger = open_ledger(config, "administrator")
    except ConfigError as error:
        yield Line(what="destinations", verdict="fault", text=str(error))
        return
    for destination in config.destination:
        verdict, text = _destination(destination, config.node.ae_title, ledger, ask=ask)
        where = f"{destination.ae_title} at {destination.host}:{destination.port}"
        yield Line(what=f"destination {destination.name}", verdict=verdict, text=f"{where}{text}")
    ledger.close()


def _destination(destination: DestinationTable, calling_ae: str, ledger: Ledger, *, ask: bool) -> tuple[Verdict, str]:
    fault = echo(destination, calling_ae)
    try:
        if fault is None:
            ask_and_record(destination, calling_ae, ledger, now=datetime.now(UTC), again=ask)
    except TransientError as error:
        fault = f"answers C-ECHO, but not what it takes: {error}"
    if fault is not None:
        return "fault", f": {fault}"
    told = destination_told(destination, calling_ae, ledger)
    if told["takes"] == {}:
        return "warning", " answers C-ECHO, but takes no class that results are written in: they will be parked"
    return "ok", f" answers C-ECHO; profile {destination.profile}; gets {told['gets']}"
