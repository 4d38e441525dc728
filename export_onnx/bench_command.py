"""`export-onnx bench`: the networks that ship, in torch and in ONNX Runtime, in one run."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def bench(
    threads: Annotated[int, typer.Option(min=1, help="Threads of both.")] = 2,
    turns: Annotated[int, typer.Option(min=1, help="How often each is timed, turn by turn.")] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,  # noqa: FBT002
) -> None:
    """Time the networks that ship in torch eager and in ONNX Runtime, side by side on this machine's CPU."""
    from export_onnx.bench import bench as timed

    told = timed(threads, turns)
    if as_json:
        typer.echo(json.dumps({"threads": threads, "networks": told}))
        return
    table = Table("network", "torch ms", "ONNX Runtime ms", "times as fast", "turns")
    for one in told:
        ratio = f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
        table.add_row(one["name"], f"{one['torch_ms']:.1f}", f"{one['onnx_ms']:.1f}", ratio, str(one["turns"]))
    Console().print(table)
