"""`dicom-node models prompts`: a localiser with other texts, told to people and as JSON."""

from pathlib import Path
from typing import Any

from rich.console import Console

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.reading.admission import bundles_dir
from inference.algorithms import Runtime
from inference.algorithms.other_prompts import with_prompts
from inference.bundle import MANIFEST, load
from inference.catalogue import describe
from inference.errors import BundleError
from inference.language.prompts import read_prompts


def change_prompts(name: str, prompts: Path, version: str, out: Path, settings: InferenceTable) -> dict[str, Any]:
    """Write a bundle with other prompts.

    Parameters
    ----------
    name
        A bundle's folder, or its name as `models list` shows it.
    prompts
        JSON with the lists "normal" and "abnormal".
    version, out
        Of the new bundle, and the folder it is written to.

    Returns
    -------
    dict
        {"path", "digest", "from"}, the last the digest of the bundle that was changed.

    Raises
    ------
    ConfigError
        If no bundle is called so, it cannot take other prompts, or the file does not hold prompts.
    InferenceError
        If the text graph does not run.
    """
    try:
        bundle = load(Path(name)) if (Path(name) / MANIFEST).is_file() else describe(name, bundles_dir(settings)).bundle
        if bundle is None:
            raise ConfigError(f"{name} has no bundle: it compares nothing with texts")
        runtime = Runtime(providers=("cpu",), threads=settings.threads)
        changed = with_prompts(bundle, read_prompts(prompts), version, out, runtime)
    except BundleError as error:
        raise ConfigError(str(error)) from error
    return {"path": str(changed.path), "digest": changed.digest, "from": bundle.digest}


def show_changed(console: Console, told: dict[str, Any]) -> None:
    """Where the new bundle lies, and what it is still without."""
    console.print(f"{told['path']}\ndigest {told['digest']}", markup=False, soft_wrap=True)
    console.print("It has no calibration and no figures yet: `dicom-node evaluate` takes them.", markup=False)
