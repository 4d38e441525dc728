"""`dicom-node evaluate`: a bundle's figures over folders of labelled images, for people and as metrics.json."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.evaluate_answers import evaluate_answers
from dicom_node.operation.labelled_studies import holds_dicom, segmented_series
from dicom_node.reading.admission import bundles_dir
from inference.algorithms import Reader, Runtime, Scorer, TextReader
from inference.algorithms.image_dialogue import ImageDialogue
from inference.bundle import MANIFEST, load
from inference.catalogue import open_bundle, open_reader
from inference.errors import BundleError, DataError
from inference.evaluation import folders
from inference.evaluation.cases import Case
from inference.evaluation.run import comparison, report
from inference.evaluation.tallies import Gathered, Subsets, gather
from inference.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class Data:
    """What to evaluate on.

    Attributes
    ----------
    folders
        Each a subset.
    fold
        Only cases of this fold; those of folders without folds are kept. None: all.
    segment
        Label of the segments that are the truth in folders of DICOM; None: all of them together.
    """

    folders: Sequence[Path]
    fold: int | None = None
    segment: str | None = None


def evaluate_bundle(
    name: str, data: Data, settings: InferenceTable, progress: Console, against: str | None = None
) -> dict[str, Any]:
    """Figures of a bundle, and of another one beside it.

    Parameters
    ----------
    name, against
        A bundle's folder, or an algorithm's or a bundle's name as `models list` shows it.
    progress
        Where to show how far it is, if that is a terminal.

    Returns
    -------
    dict
        As `inference.evaluation.run.report`; with `against` another such under that key, each of whose subsets has
        "differences": paired tests of this bundle minus that one.

    Raises
    ------
    ConfigError
        If no bundle is called so, or it does not hold together.
    DataError
        If the data cannot be read, no case is left, or there are fewer than 2 patients to compare over.
    """
    readers = [_opened(called, settings) for called in (name, against) if called is not None]
    if isinstance(readers[0], ImageDialogue):
        return _of_answers(readers, data, progress)
    scorers = [_scoring(reader) for reader in readers]
    subsets = [_subsets(data, scorer.inputs) for scorer in scorers]
    if against is not None and len({(s, c.patient) for s, (_, cases) in enumerate(subsets[0]) for c in cases}) < 2:
        raise DataError("a comparison needs 2 patients or more, the data have 1")
    found = [_gathered(*pair, progress) for pair in zip(scorers, subsets, strict=True)]
    told = report(found[0])
    if against is None:
        return told
    other = report(found[1])
    for subset, compared in zip(other["subsets"], comparison(*found), strict=True):
        subset["differences"] = compared["differences"]
    return {**told, "against": other}


def show_evaluation(console: Console, told: dict[str, Any]) -> None:
    """The figures for people: one table a subset."""
    for figures in (told, *([told["against"]] if "against" in told else [])):
        console.print(f"{figures['bundle']}  {figures['digest'][:12]}", style="bold", markup=False)
        alone = len(figures["subsets"]) == 2  # one folder, and the same again as "all"
        for subset in figures["subsets"][:1] if alone else figures["subsets"]:
            console.print(_heading(subset), markup=False, soft_wrap=True)
            if subset["metrics"]:
                console.print(_table(subset))
            for name, test in subset.get("differences", {}).items():
                console.print(_in_words(name, test), markup=False, soft_wrap=True)


class _ScoringReader(Scorer, Protocol):
    @property
    def inputs(self) -> Inputs: ...


def _of_answers(readers: Sequence[Reader | TextReader], data: Data, console: Console) -> dict[str, Any]:
    dialogue, *others = readers
    if others or not isinstance(dialogue, ImageDialogue):
        raise ConfigError("--against compares bundles that draw into images")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        return evaluate_answers(dialogue, data.folders, data.fold, _advance(bar, dialogue.algorithm.name))


def _opened(name: str, settings: InferenceTable) -> Reader | TextReader:
    runtime = Runtime(providers=settings.providers, threads=settings.threads)
    site = bundles_dir(settings)
    try:
        folder = Path(name)
        own = (folder / MANIFEST).is_file()
        return open_bundle(load(folder), site, runtime) if own else open_reader(name, site, runtime)
    except BundleError as error:
        raise ConfigError(str(error)) from error


def _scoring(reader: Reader | TextReader) -> _ScoringReader:
    if not isinstance(reader, Scorer):
        raise ConfigError(f"{reader.algorithm.name} draws nothing into images and answers no questions about pictures")
    return cast("_ScoringReader", reader)


def _subsets(data: Data, inputs: Inputs) -> Subsets:
    names = [folder.resolve().name for folder in data.folders]
    if len(set(names)) < len(names) or "all" in names:
        names = [str(folder) for folder in data.folders]
    return [(name, _cases(folder, data, inputs)) for name, folder in zip(names, data.folders, strict=True)]


def _cases(folder: Path, data: Data, inputs: Inputs) -> Sequence[Case]:
    found: Sequence[Case]
    if holds_dicom(folder):
        found = segmented_series(folder, segment=data.segment, inputs=inputs)
    else:
        found = folders.cases(folder)
    kept = [case for case in found if data.fold is None or case.fold in (None, data.fold)]
    if not kept:
        raise DataError(f"{folder.name}: none of its {len(found)} cases is of fold {data.fold}")
    return kept


def _gathered(scorer: Scorer, subsets: Subsets, console: Console) -> Gathered:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        return gather(scorer, subsets, _advance(bar, f"{scorer.algorithm.name}-{scorer.algorithm.version}"))


def _advance(bar: Progress, name: str) -> Callable[[int, int], None]:
    line = bar.add_task(name, total=None)
    return lambda done, whole: bar.update(line, completed=done, total=whole)


def _heading(subset: dict[str, Any]) -> str:
    if "n_images" in subset:
        asked, pictures = (
            f"{subset['n_closed']} closed, {subset['n_open']} open",
            _plural(subset["n_images"], "picture"),
        )
        return f"\n{subset['name']}: {_plural(subset['n_cases'], 'question')} ({asked}) about {pictures}"
    cases, patients = _plural(subset["n_cases"], "case"), _plural(subset["n_patients"], "patient")
    counted = f"\n{subset['name']}: {cases} of {patients}"
    left = f", {subset['n_abstained']} abstained from" if subset["n_abstained"] else ""
    mixed = "; several sources: beside image_auroc see image_auroc_by_source" if subset["mixes_sources"] else ""
    return counted + left + mixed


def _table(subset: dict[str, Any]) -> Table:
    table = Table("figure", "value", "95 % interval", box=None, header_style="bold")
    for name, figure in subset["metrics"].items():
        ends = figure["ci95"]
        table.add_row(name, f"{figure['value']:.4f}", f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else "")
    for name, value in subset["baselines"].items():
        table.add_row(name, f"{value:.4f}", "baseline", style="dim")
    return table


def _in_words(name: str, test: dict[str, Any]) -> str:
    t = "" if test["t"] is None else f"t = {test['t']:.2f}, "
    tests = f"{t}p = {test['p']:.3g}, Wilcoxon p = {test['wilcoxon_p']:.3g}"
    return f"  {name}: the first bundle's minus this one's is {test['mean']:+.4f} over {test['n']} patients ({tests})"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
