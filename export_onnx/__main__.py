"""The workshop's command line: `export-onnx train NAME`, `export-onnx head-asset`."""

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="From data or checkpoint to bundle, with proof.")


class Trainable(StrEnum):
    """What `train` can make."""

    LESION_SEGMENTER = "lesion-segmenter"


@app.command()
def train(
    name: Annotated[Trainable, typer.Argument(help="Which of the shipped bundles to make.")],
    data: Annotated[Path, typer.Option(help="Folder for the data it learns from; made or downloaded data stay there.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, weights and the bundle.")],
    quick: Annotated[bool, typer.Option("--quick", help="A few steps on a few cases, to try the way.")] = False,  # noqa: FBT002
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch; the weights depend on them.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,  # noqa: FBT002
) -> None:
    """Train, export, prove, test and package one of the bundles that ship."""
    try:
        import torch
    except ImportError:
        typer.echo("training needs torch: install dicom-node[export]", err=True)
        raise typer.Exit(2) from None
    from export_onnx.training import lesion_segmenter

    torch.set_num_threads(threads)
    setting = lesion_segmenter.QUICK if quick else lesion_segmenter.REAL
    command = shlex.join(
        ["export-onnx", "train", name, "--data", "DATA", "--out", "OUT", *(["--quick"] if quick else [])]
    )
    bundle = lesion_segmenter.train(data, out, setting, f"{command} --threads {threads}", _told)
    if as_json:
        metrics = json.loads((bundle.path / "metrics.json").read_text(encoding="utf-8"))
        typer.echo(json.dumps({"path": str(bundle.path), **metrics}))
    else:
        typer.echo(f"{bundle.path}\ndigest {bundle.digest}")


@app.command("head-asset")
def head_asset(
    wheel: Annotated[Path, typer.Argument(help="nilearn 0.14.1 as a wheel, which carries the ICBM 2009a template.")],
    out: Annotated[Path, typer.Argument(help="File to write; the program's own is inference/assets/head.npz.")],
) -> None:
    """Reduce the ICBM 2009a template to the asset that synthetic heads grow from."""
    from export_onnx.training.head_asset import write

    write(wheel, out)
    typer.echo(f"{out}: {out.stat().st_size} bytes")


def main() -> None:
    """Entry point of `export-onnx`."""
    app()


def _told(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    main()
