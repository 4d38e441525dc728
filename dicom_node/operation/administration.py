"""The commands that change what was read or sent: they write to the ledger beside the node, which need not stop."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dicom_node.config import Config, load
from dicom_node.errors import ConfigError, NodeError
from dicom_node.operation import report
from dicom_node.operation.logs import set_up
from dicom_node.operation.options import EXIT_NO, ConfigOption, JsonOption, StudyArgument
from dicom_node.records.ledger import Ledger, open_ledger
from dicom_node.study import Rejection

ForceOption = Annotated[bool, typer.Option("--force", help="Read a study that is done once more, as its next version.")]


def retry(
    study: StudyArgument,
    config: ConfigOption,
    force: ForceOption = False,  # noqa: FBT002
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Try again what is parked: failed readings and undelivered objects; with --force, read a finished study anew."""
    with administrators_ledger(config) as (_, ledger):
        uid = ledger.find_study(study).study_instance_uid
        if force:
            _read_again(ledger.read_again(uid, now=datetime.now(UTC)), json=json)
        changed = ledger.retry_study(uid, now=datetime.now(UTC))
    typer.echo(report.as_json({"scheduled": changed}) if json else f"{changed} scheduled again")
    raise typer.Exit(0 if changed else EXIT_NO)


def park(study: StudyArgument, config: ConfigOption, json: JsonOption = False) -> None:  # noqa: FBT002
    """Stop what is scheduled or waiting for a study until `retry`."""
    with administrators_ledger(config) as (_, ledger):
        changed = ledger.park_study(ledger.find_study(study).study_instance_uid, now=datetime.now(UTC))
    typer.echo(report.as_json({"parked": changed}) if json else f"{changed} parked")
    raise typer.Exit(0 if changed else EXIT_NO)


def withdraw(
    study: StudyArgument,
    config: ConfigOption,
    reason: Annotated[Rejection, typer.Option(help="Rejected for quality, or for patient safety.")],
    algorithm: Annotated[str | None, typer.Option(help="Only its results; default: all.", metavar="NAME")] = None,
    version: Annotated[
        int | None, typer.Option(help="Results of this version of the study; default: the newest.", metavar="N", min=1)
    ] = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Take results back: a rejection note follows them, and what was not sent yet never is."""
    from dicom_node.operation.withdrawal import show_withdrawn, withdraw_study

    with administrators_ledger(config) as (settings, ledger):
        check_owner(settings)
        uid, now = ledger.find_study(study).study_instance_uid, datetime.now(UTC)
        told = withdraw_study(ledger, settings, uid, reason, algorithm=algorithm, version=version, now=now)
    typer.echo(report.as_json(told)) if json else show_withdrawn(Console(), told)
    raise typer.Exit(0 if told["withdrawn"] else EXIT_NO)


@contextmanager
def administrators_ledger(path: Path) -> Iterator[tuple[Config, Ledger]]:
    """The settings and the ledger of a node that has run, as its administrator opens it.

    Raises
    ------
    ConfigError
        If the configuration is wrong, or no node has run there yet.
    """
    settings = load(path)
    set_up(settings.log.model_copy(update={"level": "error"}), "administrator")
    if not settings.node.state_dir.is_dir():
        raise ConfigError(f"[node] state_dir = {settings.node.state_dir}: no node has run here yet")
    ledger = open_ledger(settings, "administrator")
    try:
        yield settings, ledger
    finally:
        ledger.close()


def _read_again(version: int | None, *, json: bool) -> None:
    """Tell what a forced reading will be, and end."""
    words = "the study is still being received or read: nothing was changed"
    if version is not None:
        words = f"to be read again as version {version}; a reading that comes out as before sends nothing new"
    typer.echo(report.as_json({"version": version}) if json else words)
    raise typer.Exit(EXIT_NO if version is None else 0)


def check_owner(settings: Config) -> None:
    """Raise NodeError for another user than the node's: what one puts into spool or state, the node could not read."""
    if os.getuid() != settings.node.state_dir.stat().st_uid:
        raise NodeError(f"run this as the user that the node runs as, who owns {settings.node.state_dir}")
