"""What can read on this machine: algorithms and bundles, whether they may serve, whether they compute as made."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dicom_node.config import InferenceTable
from dicom_node.reading.admission import bundles_dir
from inference.algorithms import Runtime
from inference.catalogue import describe, names
from inference.errors import InferenceError
from inference.parity import measured


def list_models(settings: InferenceTable) -> dict[str, Any]:
    """Every algorithm and bundle, and whether it may serve.

    Returns
    -------
    dict
        {"models": [{"name", "version", "digest", "training", "clinical_use", "reads", "serves", "why_not"}]}.
    """
    return {"models": [_listed(name, settings) for name in names(bundles_dir(settings))]}


def verify_models(settings: InferenceTable) -> dict[str, Any]:
    """Every byte against its checksum, every graph against the outputs it came with, on the configured provider.

    Returns
    -------
    dict
        {"ok", "models": [{"name", "digest", "ok", "provider", "max_abs", "atol", "fault"}]}.
    """
    told = [_verified(name, settings) for name in names(bundles_dir(settings))]
    return {"ok": all(model["ok"] for model in told), "models": told}


def show_list(console: Console, told: dict[str, Any]) -> None:
    """The list for people."""
    table = Table("name", "version", "digest", "learnt from", "use", "reads", "serves", box=None, header_style="bold")
    for model in told["models"]:
        serves = "yes" if model["serves"] else f"no: {escape(model['why_not'])}"
        digest = model["digest"][:12]
        table.add_row(
            model["name"], model["version"], digest, model["training"], model["clinical_use"], model["reads"], serves
        )
    console.print(table)


def show_verdicts(console: Console, told: dict[str, Any]) -> None:
    """The verdicts for people."""
    for model in told["models"]:
        if not model["ok"]:
            console.print(f"{model['name']}: {model['fault']}", style="red", markup=False)
        elif model["max_abs"] is None:
            console.print(f"{model['name']}: no weights, nothing to verify", markup=False)
        else:
            largest = max(model["max_abs"].values())
            difference = f"outputs on {model['provider']} differ by {largest:.2g}, {model['atol']:.2g} is allowed"
            console.print(f"{model['name']}: bytes as made; {difference}", markup=False)


def _listed(name: str, settings: InferenceTable) -> dict[str, Any]:
    try:
        description = describe(name, bundles_dir(settings))
    except InferenceError as error:
        unknown = dict.fromkeys(("version", "digest", "training", "clinical_use", "reads"), "")
        return {"name": name, **unknown, "serves": False, "why_not": str(error)}
    why_not = description.refusal(allow_synthetic=settings.allow_synthetic, allow_research=settings.allow_research)
    algorithm, inputs = description.algorithm, description.inputs
    return {
        "name": name,
        "version": algorithm.version,
        "digest": algorithm.digest,
        "training": algorithm.training,
        "clinical_use": algorithm.clinical_use,
        "reads": inputs.words,
        "serves": why_not is None,
        "why_not": why_not or "",
    }


def _verified(name: str, settings: InferenceTable) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": name,
        "digest": "",
        "ok": True,
        "provider": None,
        "max_abs": None,
        "atol": None,
        "fault": "",
    }
    try:
        description = describe(name, bundles_dir(settings))
        told["digest"] = description.algorithm.digest
        if description.bundle is None:
            return told
        report = measured(description.bundle, Runtime(providers=settings.providers, threads=settings.threads))
    except InferenceError as error:
        return {**told, "ok": False, "fault": str(error)}
    fault = (
        "" if report.agrees else f"outputs differ by {max(report.max_abs.values()):.3g}, {report.atol:.3g} is allowed"
    )
    return {
        **told,
        "ok": report.agrees,
        "provider": report.provider,
        "max_abs": report.max_abs,
        "atol": report.atol,
        "fault": fault,
    }
