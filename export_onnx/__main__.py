"""The workshop's command line: recipes by name, `train`, `bench`, and what feeds them."""

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from export_onnx.bench_command import bench
from export_onnx.errors import ExportError
from export_onnx.int8_command import int8
from export_onnx.recipes.bert_command import bert
from export_onnx.recipes.clip_command import clip
from export_onnx.recipes.talk_command import llava, m3d
from export_onnx.training.shipped import MODULES, WITH_CLIP, Order, trainer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="From data or checkpoint to bundle, with proof.")
app.command()(bench)
app.command()(int8)
app.command()(bert)
app.command()(clip)
app.command()(llava)
app.command()(m3d)


Trainable = StrEnum("Trainable", {name.upper().replace("-", "_"): name for name in MODULES})  # type: ignore[misc]


@app.command()
def train(
    name: Annotated[Trainable, typer.Argument(help="Which of the shipped bundles to make.")],
    data: Annotated[Path, typer.Option(help="Folder for the data it learns from; made or downloaded data stay there.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, weights and the bundle.")],
    fold: Annotated[int, typer.Option(min=1, help="Fold of the data that is kept to test, where they have folds.")] = 4,
    repeats: Annotated[int, typer.Option(min=1, help="report-classifier: trainings from other seeds.")] = 15,
    epochs: Annotated[int, typer.Option(min=1, help="report-classifier: how often each sees the data.")] = 10,
    mae: Annotated[
        float | None, typer.Option(min=0.0, max=0.95, help="ccm-or-aih: share hidden in pretraining; 0: none.")
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option(help="tumour-localiser: folder of a CLIPModel; decoders alone learn over it, as published."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few steps on a few cases, to try the way.")] = False,  # noqa: FBT002
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch; the weights depend on them.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,  # noqa: FBT002
) -> None:
    """Train, export, prove, test and package one of the bundles that ship."""
    if clip is not None and name not in WITH_CLIP:
        raise typer.BadParameter(f"only {', '.join(WITH_CLIP)} learns over a CLIP", param_hint="--clip")
    try:
        import torch
    except ImportError:
        typer.echo("training needs torch: install dicom-node[export]", err=True)
        raise typer.Exit(2) from None
    torch.set_num_threads(threads)
    asked = ["--quick"] if quick else ["--fold", str(fold)]
    over = ["--clip", "CHECKPOINT"] if clip is not None else []
    command = shlex.join(["export-onnx", "train", name, *over, "--data", "DATA", "--out", "OUT", *asked])
    out.mkdir(parents=True, exist_ok=True)
    repeated = f" --repeats {repeats} --epochs {epochs}" if name == "report-classifier" and not quick else ""
    hidden = f" --mae {mae:g}" if mae is not None else ""
    order = Order(
        data=data,
        out=out,
        quick=quick,
        fold=fold,
        command=f"{command}{repeated}{hidden} --threads {threads}",
        report=_told,
        repeats=repeats,
        epochs=epochs,
        mae=mae,
        clip=clip,
    )
    try:
        bundle = trainer(name, with_clip=clip is not None)(order)
    except ExportError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
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


@app.command("heads-with-brain")
def heads_with_brain(
    dicom: Annotated[Path, typer.Argument(help="Folder with a folder for each series of a head.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; `evaluate` and `train brain-extractor` read it.")],
    deepbet: Annotated[Path, typer.Option(help="Python of an environment that has deepbet 1.0.2.")],
) -> None:
    """Write real heads with the brain masks of deepbet, to hold brain-extractor against."""
    from export_onnx.training.brain_reference import write

    try:
        write(dicom, out, deepbet, _told)
    except ExportError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def main() -> None:
    """Entry point of `export-onnx`."""
    app()


def _told(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    main()
