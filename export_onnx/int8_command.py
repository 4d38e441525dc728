"""`export-onnx int8`: what 8-bit integers would cost a bundle in Dice, and save in time."""

import json
from pathlib import Path
from typing import Annotated

import typer


def int8(
    bundle: Annotated[Path, typer.Argument(help="Folder of a segment bundle that goes by single slices.")],
    data: Annotated[Path, typer.Argument(help="Labelled folder with folds, as `dicom-node evaluate` takes it.")],
    fold: Annotated[int, typer.Option(min=1, help="Fold whose masks are compared; scales come from the others.")] = 4,
    every: Annotated[int, typer.Option(min=1, help="Compare every n-th case of the fold.")] = 8,
    threads: Annotated[int, typer.Option(min=1, help="Threads of both.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,  # noqa: FBT002
) -> None:
    """Quantise a bundle's graph and hold it against itself: masks and speed. Nothing is written."""
    from export_onnx.int8 import CALIBRATION, trial
    from inference.bundle import load
    from inference.errors import InferenceError
    from inference.evaluation.folders import cases

    try:
        found = cases(data)
        others = [case for case in found if case.fold != fold]
        judged = [case for case in found if case.fold == fold][::every]
        told = trial(load(bundle), others[:: max(1, len(others) // CALIBRATION)][:CALIBRATION], judged, threads)
    except InferenceError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"Dice of int8 masks against fp32 masks: {told['dice']:.4f} over {told['n_cases']} cases\n"
        f"fp32 {told['fp32_ms']:.0f} ms, int8 {told['int8_ms']:.0f} ms: {told['ratio']:.2f} times as fast\n"
        f"fp32 {told['fp32_mb']:.1f} MB, int8 {told['int8_mb']:.1f} MB"
    )
