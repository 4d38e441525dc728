"""`dicom-node models bench`: time and memory of each bundle's graphs on each provider of this machine."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.reading.admission import bundles_dir
from inference.catalogue import describe, names
from inference.errors import BundleError
from inference.timing import timings


def bench_models(settings: InferenceTable, name: str | None = None) -> dict[str, Any]:
    """Time one bundle, or every one.

    Returns
    -------
    dict
        {"models": [{"name", "digest", "graphs": [{"role", "file", "provider", "inputs", "ms", "runs", "file_mb",
        "resident_mb", "fault"}]}]}; algorithms without weights are not listed.

    Raises
    ------
    ConfigError
        If no bundle is called so, or one does not hold together.
    InferenceError
        If a run fails.
    """
    try:
        described = [describe(n, bundles_dir(settings)) for n in ([name] if name else names(bundles_dir(settings)))]
    except BundleError as error:
        raise ConfigError(str(error)) from error
    if name is not None and described[0].bundle is None:
        raise ConfigError(f"{name} has no bundle: there is no graph to time")
    return {
        "models": [
            {
                "name": d.name,
                "digest": d.algorithm.digest,
                "graphs": [asdict(timing) for timing in timings(d.bundle, settings.threads)],
            }
            for d in described
            if d.bundle is not None
        ]
    }


def show_bench(console: Console, told: dict[str, Any]) -> None:
    """The timings for people."""
    table = Table("bundle", "graph", "provider", "input", "ms", "file MB", "memory MB", box=None, header_style="bold")
    for model in told["models"]:
        for graph in model["graphs"]:
            shapes = ", ".join("x".join(map(str, shape)) for shape in graph["inputs"].values())
            time = "did not start" if graph["ms"] is None else f"{graph['ms']:.1f}"
            memory = "" if graph["resident_mb"] is None else f"{graph['resident_mb']:.0f}"
            provider = graph["provider"].removesuffix("ExecutionProvider")
            row = (model["name"], graph["role"], provider, shapes, time, f"{graph['file_mb']:.1f}", memory)
            table.add_row(*row)
    console.print(table)
    for model in told["models"]:
        for graph in model["graphs"]:
            if graph["fault"]:
                console.print(f"{model['name']}: {graph['fault']}", style="red", markup=False)
