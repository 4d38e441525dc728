"""The command line; the only place that builds and joins the parts."""

import inference  # noqa: F401, I001  (first: it switches telemetry off before anything imports onnxruntime)

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from dicom_node import __version__
from dicom_node.config import Config, load
from dicom_node.errors import ConfigError, NodeError
from dicom_node.operation import report
from dicom_node.operation.administration import administrators_ledger, park, retry, withdraw
from dicom_node.operation.ask import ask
from dicom_node.operation.logs import set_up
from dicom_node.operation.models_commands import models_app
from dicom_node.operation.options import (
    EXIT_NO,
    EXIT_WRONG_USE,
    ConfigOption,
    JsonOption,
    OptionalConfig,
    StudyArgument,
)
from dicom_node.records.audit import Event
from dicom_node.records.ledger import Ledger, open_ledger
from dicom_node.study import Language
from inference.errors import InferenceError

app = typer.Typer(
    name="dicom-node",
    help="A hospital's own AI node: studies arrive over DICOM, ONNX models read them here, SEG and SR go back. "
    "Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(models_app, name="models")

SupervisorOption = Annotated[int | None, typer.Option("--supervisor", hidden=True, help="Process id to end with.")]

_WATCH_S = 0.5


def main() -> None:
    """Run the command line: 0 on success, 1 when the answer is no, 2 on wrong use."""
    try:
        app()
    except ConfigError as error:
        _say("configuration:", str(error))
        sys.exit(EXIT_WRONG_USE)
    except (NodeError, InferenceError) as error:
        _say("error:", str(error))
        sys.exit(EXIT_NO)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:  # noqa: FBT002
    if version:
        typer.echo(f"dicom-node {__version__}")
        raise typer.Exit


# -- the processes -------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="Run")
def serve(config: ConfigOption) -> None:
    """Run the whole node: listener, workers, sender and clock, started again when one dies."""
    from dicom_node.operation.supervision import serve as supervise
    from dicom_node.reading.admission import admit_all
    from dicom_node.reading.renderings import check_forms

    settings = load(config)
    set_up(settings.log, "serve")
    admit_all(settings)
    check_forms(settings)
    open_ledger(settings, "serve").close()  # a wrong database stops the start here, once and clearly
    supervise(settings, config, _stop_on_signal())


@app.command(rich_help_panel="Run")
def listen(config: ConfigOption, supervisor: SupervisorOption = None) -> None:
    """Run the listener alone: receives and keeps, decodes nothing."""
    from dicom_node.intake.listener import Listener
    from dicom_node.records.spool import Spool

    with _process(config, "listener", supervisor=supervisor) as (settings, ledger, stop):
        spool = Spool(settings.spool_dir, settings.listener.minimum_free_bytes)
        spool.sweep()
        listener = Listener(settings, spool, ledger)
        listener.start()
        stop.wait()
        listener.stop()


@app.command(rich_help_panel="Run")
def work(
    config: ConfigOption,
    name: Annotated[
        str, typer.Option(help="Name of this worker in ledger and audit; unique on the machine.")
    ] = "worker-1",
    supervisor: SupervisorOption = None,
) -> None:
    """Run one worker: reads studies; needs no network."""
    from dicom_node.reading.worker import Worker
    from dicom_node.records.spool import Spool

    with _process(config, name, supervisor=supervisor) as (settings, ledger, stop):
        Worker(settings, ledger, Spool(settings.spool_dir, 0), name).run(stop)


@app.command(rich_help_panel="Run")
def send(config: ConfigOption, supervisor: SupervisorOption = None) -> None:
    """Run the sender alone: delivers results to their destinations."""
    from dicom_node.delivery import sender
    from dicom_node.records.spool import Spool

    with _process(config, "sender", supervisor=supervisor) as (settings, ledger, stop):
        sender.run(ledger, Spool(settings.spool_dir, 0), settings, stop, "sender")


@app.command(rich_help_panel="Run")
def clock(config: ConfigOption, supervisor: SupervisorOption = None) -> None:
    """Run the clock alone: closes studies when they are complete."""
    from dicom_node.operation import schedule

    with _process(config, "clock", supervisor=supervisor) as (settings, ledger, stop):
        schedule.run(ledger, settings, stop)


# -- without a node ------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="Try")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the objects and the picture.", metavar="DIR")] = Path(
        "demo-out"
    ),
) -> None:
    """Start a node and a small PACS on loopback, send a synthetic head, show what comes back."""
    from dicom_node.operation.demo import run

    raise typer.Exit(0 if run(out, Console()) else EXIT_NO)


@app.command(rich_help_panel="Try")
def process(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="DICOM files or folders of them.", exists=True)
    ],
    out: Annotated[Path, typer.Option(help="Folder for the objects; made if it is not there.", metavar="DIR")],
    algorithm: Annotated[
        list[str] | None,
        typer.Option(help="What to run; may be given several times. Default: brain-lesions.", metavar="NAME"),
    ] = None,
    report_file: Annotated[
        Path | None,
        typer.Option(
            "--report", help="Text of the study's report, UTF-8, for algorithms that read text.", metavar="FILE"
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Destination profile: generic, ohif, weasis, slicer or stone.", metavar="NAME")
    ] = "generic",
    language: Annotated[
        Language | None,
        typer.Option(help="What the sentences are written in. Default: as the configuration says, else English."),
    ] = None,
    config: OptionalConfig = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Read files, write objects; no network and no database."""
    from dicom_node.operation.process import process_paths, read_report

    settings = load(config) if config else Config()
    if language:
        settings = settings.model_copy(update={"node": settings.node.model_copy(update={"language": language})})
    set_up(settings.log.model_copy(update={"level": "warning"}), "process")
    text = read_report(report_file) if report_file else None
    names = tuple(algorithm or ("brain-lesions",))
    done = process_paths(paths, out, names, settings, Console(stderr=True), text, profile)
    if json:
        typer.echo(report.as_json(done))
    else:
        for study in done["studies"]:
            report.show_study(Console(), study)
    failed = not done["studies"] or any(study["outcome"] == "failed" for study in done["studies"])
    raise typer.Exit(EXIT_NO if failed else 0)


@app.command(rich_help_panel="Try")
def evaluate(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle's name, or its folder.")],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA...",
            help="Folders of labelled images: pairs with index.csv, plain images without finding, NIfTI by patient, "
            "DICOM with SEG, questions about pictures (train.json and images/), or volumes with questions and reports "
            "(studies.json).",
            exists=True,
            file_okay=False,
        ),
    ],
    fold: Annotated[
        int | None,
        typer.Option(help="Only cases of this fold, where the data have folds; needed for questions about pictures."),
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option(help="Label of the segments that are the truth in DICOM; default: all.", metavar="LABEL"),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another bundle: its figures too, and paired tests.", metavar="BUNDLE")
    ] = None,
    prompt_mode: Annotated[
        Literal["plain", "localised", "both"] | None,
        typer.Option(help="Questions about volumes as they are, with what was located before them, or both in pairs."),
    ] = None,
    choices: Annotated[
        Literal["words", "letters"] | None,
        typer.Option(help="Whether a closed question is answered by an option, or by its letter in a list behind it."),
    ] = None,
    localiser: Annotated[
        str | None,
        typer.Option(help="What says what was located; default: location or mask of studies.json.", metavar="BUNDLE"),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(help="A report-judge bundle of yours: GREEN of the reports by its answers.", metavar="BUNDLE"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the JSON object there too.", metavar="FILE")] = None,
    config: OptionalConfig = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """How well a bundle reads labelled images: figures with 95 % intervals beside their baselines."""
    from dicom_node.operation.evaluate import Data, asks_of, evaluate_bundle
    from dicom_node.operation.show_evaluation import show_evaluation

    if out is not None and not out.resolve().parent.is_dir():
        raise typer.BadParameter(f"the folder of {out} is not there", param_hint="--out")
    settings = load(config) if config else Config()
    set_up(settings.log.model_copy(update={"level": "warning"}), "evaluate")
    of_cases = Data(folders=data, fold=fold, segment=segment)
    asks = asks_of(prompt_mode, choices, localiser, judge)
    told = evaluate_bundle(bundle, of_cases, settings.inference, Console(stderr=True), against, asks)
    typer.echo(report.as_json(told)) if json else show_evaluation(Console(), told)
    if out is not None:
        _write(out, report.as_json(told) + "\n")
    raise typer.Exit(0 if told["subsets"][-1]["n_cases"] else EXIT_NO)


# -- the administrator ---------------------------------------------------------------------------------------------


@app.command(rich_help_panel="Operate")
def check(
    config: ConfigOption,
    explain: Annotated[
        Path | None,
        typer.Option(
            help="A folder of DICOM files: which rule matches which series, and why not.", metavar="FOLDER", exists=True
        ),
    ] = None,
    ask: Annotated[  # noqa: FBT002
        bool, typer.Option("--ask", help="Ask every destination again what it takes, and remember the answer.")
    ] = False,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Check configuration, insecure settings, database, bundles, providers and each destination."""
    from dicom_node.operation.check import check_node, show_check
    from dicom_node.operation.explain import explain_folder, show_explanation

    settings = load(config)
    set_up(settings.log.model_copy(update={"level": "error"}), "check")
    if explain is not None:
        told = explain_folder(explain, settings)
        typer.echo(report.as_json(told)) if json else show_explanation(Console(), told)
        return
    told = check_node(settings, config, ask=ask)
    typer.echo(report.as_json(told)) if json else show_check(Console(), told)
    raise typer.Exit(0 if told["ok"] else EXIT_NO)


@app.command(rich_help_panel="Operate")
def status(config: ConfigOption, json: JsonOption = False) -> None:  # noqa: FBT002
    """What is where: studies, work, deliveries, audit chain."""
    from dicom_node.operation.destinations import destinations_told

    with administrators_ledger(config) as (settings, ledger):
        counts, verdict = ledger.counts(), ledger.audit_verdict()
        destinations = destinations_told(settings, ledger)
    if json:
        typer.echo(report.as_json(report.status_json(counts, verdict.rows, verdict.fault, destinations)))
    else:
        report.show_status(Console(), counts, verdict.rows, verdict.fault, destinations)
    raise typer.Exit(EXIT_NO if verdict.fault else 0)


@app.command(rich_help_panel="Operate")
def studies(
    config: ConfigOption,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """The studies that moved last."""
    with administrators_ledger(config) as (_, ledger):
        lines = ledger.studies(limit=limit)
    typer.echo(report.as_json(report.studies_json(lines))) if json else report.show_studies(Console(), lines)


@app.command(rich_help_panel="Operate")
def show(study: StudyArgument, config: ConfigOption, json: JsonOption = False) -> None:  # noqa: FBT002
    """One study: outcome, what was read and why, objects and where they are."""
    with administrators_ledger(config) as (_, ledger):
        line = ledger.find_study(study)
        uid = line.study_instance_uid
        told = report.study_json(line, ledger.readings(uid), ledger.questions(uid))
    typer.echo(report.as_json(told)) if json else report.show_study(Console(), told["studies"][0])


for _lever in (ask, retry, park, withdraw):
    app.command(rich_help_panel="Operate")(_lever)


# -- joining the parts ---------------------------------------------------------------------------------------------


@contextmanager
def _process(path: Path, name: str, *, supervisor: int | None) -> Iterator[tuple[Config, Ledger, threading.Event]]:
    """One process of the node: settings, its ledger, and an event that a signal sets; start and stop are audited."""
    settings = load(path)
    set_up(settings.log, name)
    stop = _stop_on_signal()
    if supervisor is not None:
        _end_with(supervisor)
    ledger = open_ledger(settings, name)
    ledger.record_event(Event.APPLICATION_START, now=datetime.now(UTC), detail={"version": __version__})
    try:
        yield settings, ledger, stop
    finally:
        ledger.record_event(Event.APPLICATION_STOP, now=datetime.now(UTC))
        ledger.close()


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _end_with(supervisor: int) -> None:
    """A supervised process ends when its supervisor has died, even by kill -9 and even while this one was starting."""

    def watch() -> None:
        while os.getppid() == supervisor:
            time.sleep(_WATCH_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NodeError(f"{path} cannot be written: {error.strerror}") from error


def _say(label: str, text: str) -> None:
    """A sentence on stderr; what stands in brackets is a table's name, not markup."""
    Console(stderr=True, highlight=False).print(Text.assemble((label, "bold red"), " ", text), soft_wrap=True)


if __name__ == "__main__":
    main()
