"""`dicom-node models`: the commands about the bundles on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dicom_node.config import Config, load
from dicom_node.operation import report
from dicom_node.operation.options import EXIT_NO, JsonOption, OptionalConfig

models_app = typer.Typer(help="The bundles on this machine.", no_args_is_help=True)


@models_app.command("list")
def models_list(config: OptionalConfig = None, json: JsonOption = False) -> None:  # noqa: FBT002
    """Name, version, digest, licence, what each reads, and whether this configuration lets it serve."""
    from dicom_node.operation.models import list_models, show_list

    told = list_models((load(config) if config else Config()).inference)
    typer.echo(report.as_json(told)) if json else show_list(Console(), told)


@models_app.command("verify")
def models_verify(config: OptionalConfig = None, json: JsonOption = False) -> None:  # noqa: FBT002
    """Check every byte against its checksum and every graph against the outputs it came with, on this machine."""
    from dicom_node.operation.models import show_verdicts, verify_models

    told = verify_models((load(config) if config else Config()).inference)
    typer.echo(report.as_json(told)) if json else show_verdicts(Console(), told)
    raise typer.Exit(0 if told["ok"] else EXIT_NO)


@models_app.command("bench")
def models_bench(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One bundle; default: every one.")] = None,
    config: OptionalConfig = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Time and memory of every graph on every provider of this machine, on the inputs that came with the bundle."""
    from dicom_node.operation.bench import bench_models, show_bench

    told = bench_models((load(config) if config else Config()).inference, name)
    typer.echo(report.as_json(told)) if json else show_bench(Console(), told)
    failed = any(graph["fault"] for model in told["models"] for graph in model["graphs"])
    raise typer.Exit(EXIT_NO if failed else 0)


@models_app.command("prompts")
def models_prompts(
    name: Annotated[str, typer.Argument(metavar="BUNDLE", help="Its folder, or its name as `models list` shows it.")],
    prompts: Annotated[Path, typer.Option(help='JSON with the lists "normal" and "abnormal".', metavar="FILE")],
    version: Annotated[str, typer.Option(help="Of the new bundle, MAJOR.MINOR.PATCH.")],
    out: Annotated[Path, typer.Option(help="Folder that the new bundle is written to.", metavar="DIR")],
    config: OptionalConfig = None,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Give a localiser other texts, without training: a new bundle with a digest of its own."""
    from dicom_node.operation.other_prompts import change_prompts, show_changed

    told = change_prompts(name, prompts, version, out, (load(config) if config else Config()).inference)
    typer.echo(report.as_json(told)) if json else show_changed(Console(), told)
