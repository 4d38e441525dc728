"""`dicom-node evaluate`: a bundle's figures over folders of labelled images, as metrics.json has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from rich.console import Console
from rich.progress import Progress

from dicom_node.config import InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.operation.evaluate_answers import evaluate_answers
from dicom_node.operation.evaluate_studies import StudiesAsked, evaluate_studies
from dicom_node.operation.labelled_studies import holds_dicom, segmented_series
from dicom_node.reading.admission import bundles_dir
from inference.algorithms import Reader, Runtime, Scorer, TextReader
from inference.algorithms.image_dialogue import ImageDialogue
from inference.algorithms.report_judge import ReportJudge
from inference.algorithms.talker import Talker
from inference.algorithms.volume_report import VolumeReport
from inference.bundle import MANIFEST, Bundle, load
from inference.catalogue import describe, open_bundle, open_reader
from inference.errors import BundleError, DataError
from inference.evaluation import folders
from inference.evaluation.cases import Case
from inference.evaluation.run import comparison, report
from inference.evaluation.study_answers import Mode
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

    @property
    def named(self) -> list[tuple[str, Path]]:
        """Folders with the names of their subsets: their own, the whole path where two are called the same."""
        names = [folder.resolve().name for folder in self.folders]
        if len(set(names)) < len(names) or "all" in names:
            names = [str(folder) for folder in self.folders]
        return list(zip(names, self.folders, strict=True))


@dataclass(frozen=True, kw_only=True)
class Asks:
    """How a bundle that speaks about volumes is asked.

    Attributes
    ----------
    modes, letters
        As of `StudiesAsked`.
    localiser
        A bundle, named as those that are evaluated; None: location and masks of the data.
    judge
        A report-judge bundle, for GREEN; None: no GREEN.
    """

    modes: Sequence[Mode] = ("plain",)
    letters: bool = False
    localiser: str | None = None
    judge: str | None = None


def asks_of(
    mode: Literal["plain", "localised", "both"] | None,
    choices: Literal["words", "letters"] | None,
    localiser: str | None,
    judge: str | None,
) -> Asks | None:
    """From the options of the command line; None where none is given."""
    if mode is None and choices is None and localiser is None and judge is None:
        return None
    modes: dict[str | None, tuple[Mode, ...]] = {"localised": ("localised",), "both": ("plain", "localised")}
    return Asks(modes=modes.get(mode, ("plain",)), letters=choices == "letters", localiser=localiser, judge=judge)


def evaluate_bundle(
    name: str,
    data: Data,
    settings: InferenceTable,
    progress: Console,
    against: str | None = None,
    asks: Asks | None = None,
) -> dict[str, Any]:
    """Figures of a bundle, and of another one beside it.

    Parameters
    ----------
    name, against
        A bundle's folder, or an algorithm's or a bundle's name as `models list` shows it.
    progress
        Where to show how far it is, if that is a terminal.
    asks
        Of a volume-report bundle alone.

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
    if isinstance(readers[0], Talker):
        if against is not None:
            raise ConfigError("--against compares bundles that draw into images")
        return _of_talker(readers[0], data, settings, progress, asks)
    if asks is not None:
        raise ConfigError(f"{readers[0].algorithm.name} speaks of no volumes: {_ASKS} are not for it")
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


_ASKS = "--prompt-mode, --choices, --localiser and --judge"


class _ScoringReader(Scorer, Protocol):
    @property
    def inputs(self) -> Inputs: ...


def _of_talker(
    reader: Reader, data: Data, settings: InferenceTable, console: Console, asks: Asks | None
) -> dict[str, Any]:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        told = _advance(bar, reader.algorithm.name)
        if isinstance(reader, VolumeReport):
            return evaluate_studies(reader, data.named, data.fold, _asked(asks or Asks(), settings), told)
        if asks is not None or not isinstance(reader, ImageDialogue):
            raise ConfigError(f"{reader.algorithm.name} speaks of no volumes: {_ASKS} are not for it")
        return evaluate_answers(reader, data.folders, data.fold, told)


def _asked(asks: Asks, settings: InferenceTable) -> StudiesAsked:
    localiser = None if asks.localiser is None else _opened(asks.localiser, settings)
    if isinstance(localiser, TextReader):
        raise ConfigError(f"{localiser.algorithm.name} locates nothing: it reads text")
    judge = None if asks.judge is None else _judge(asks.judge, settings)
    return StudiesAsked(modes=asks.modes, letters=asks.letters, localiser=localiser, judge=judge)


def _judge(name: str, settings: InferenceTable) -> ReportJudge:
    try:
        bundle = _bundle(name, settings)
        if bundle is None:
            raise ConfigError(f"{name} judges no reports: it is no bundle")
        return ReportJudge.opened(bundle, _runtime(settings))
    except BundleError as error:
        raise ConfigError(str(error)) from error


def _opened(name: str, settings: InferenceTable) -> Reader | TextReader:
    try:
        bundle, site = _bundle(name, settings), bundles_dir(settings)
        runtime = _runtime(settings)
        return open_reader(name, site, runtime) if bundle is None else open_bundle(bundle, site, runtime)
    except BundleError as error:
        raise ConfigError(str(error)) from error


def _bundle(name: str, settings: InferenceTable) -> Bundle | None:
    """By its folder or by name; None of an algorithm in code."""
    own = (Path(name) / MANIFEST).is_file()
    return load(Path(name)) if own else describe(name, bundles_dir(settings)).bundle


def _runtime(settings: InferenceTable) -> Runtime:
    return Runtime(providers=settings.providers, threads=settings.threads)


def _scoring(reader: Reader | TextReader) -> _ScoringReader:
    if not isinstance(reader, Scorer):
        raise ConfigError(f"{reader.algorithm.name} draws nothing into images and answers no questions about pictures")
    return cast("_ScoringReader", reader)


def _subsets(data: Data, inputs: Inputs) -> Subsets:
    return [(name, _cases(folder, data, inputs)) for name, folder in data.named]


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
