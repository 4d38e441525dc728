"""Files in, objects out: reads studies as the node would, with no network and no database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.errors import ConfigError, NodeError
from dicom_node.operation.folder import StudyFiles, studies_in
from dicom_node.reading.admission import admit, beside
from dicom_node.reading.study_reader import StudyReader
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.reading.worker import summary
from dicom_node.records.arrivals import study_outcome
from dicom_node.results.profiles import GENERIC, PROFILES
from dicom_node.results.rendering import Rendering, choose
from dicom_node.study import Outcome, ResultObject
from inference.catalogue import Description
from inference.inputs import TextInputs

LARGEST_REPORT_BYTES = 2**20
"""Of a text given with `--report`."""


def process_paths(
    paths: Sequence[Path],
    out: Path,
    algorithms: Sequence[str],
    config: Config,
    progress: Console,
    report: str | None = None,
    profile: str = GENERIC.name,
) -> dict[str, Any]:
    """Read every study found under `paths` with every algorithm and write the objects below `out`.

    Parameters
    ----------
    progress
        Where to show how far it is, if that is a terminal.
    report
        Text for the algorithms that read text, of the one study that is there; None: they look for it in the study.
    profile
        Name of the destination profile that the objects are rendered by.

    Returns
    -------
    dict
        {"studies": [...], "left": {reason: number of files}}, the form of `process --json`.

    Raises
    ------
    ConfigError
        If an algorithm may not serve, no profile has the name, or a report is given where none is read, or with more
        studies than one.
    """
    rendering = _rendering(profile)
    descriptions = [admit(name, config.inference) for name in algorithms]
    found = studies_in(paths)
    if report is not None:
        _check_report(descriptions, config, len(found.studies))
    out.mkdir(parents=True, exist_ok=True)
    several = len(found.studies) * len(descriptions) > 1
    told = []
    with StudyReader(config.inference, keep_spare=several) as reader, progress.status("reading") as line:
        for number, study in enumerate(found.studies, start=1):
            line.update(f"study {number} of {len(found.studies)}, {len(study.files)} images")
            readings = [
                _reading(
                    study, out / f"study-{number}" / description.name, description, config, reader, report, rendering
                )
                for description in descriptions
            ]
            told.append(_study(study, readings))
    return {"studies": told, "left": dict(found.left)}


def read_report(path: Path) -> str:
    """The text of a file given with `--report`.

    Raises
    ------
    ConfigError
        If it cannot be read, is larger than `LARGEST_REPORT_BYTES` or is not UTF-8; without a word of it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_REPORT_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"--report: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST_REPORT_BYTES:
        raise ConfigError(f"--report: larger than {LARGEST_REPORT_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("--report: not UTF-8 text") from None  # the error of the decoder holds the bytes


def _rendering(profile: str) -> Rendering:
    if profile not in PROFILES:
        raise ConfigError(f"--profile: no profile is called {profile!r}; known: {', '.join(PROFILES)}")
    return choose(PROFILES[profile])


def _check_report(descriptions: Sequence[Description], config: Config, studies: int) -> None:
    if not any(_takes_text(description, config) for description in descriptions):
        raise ConfigError(f"--report: none of {', '.join(d.name for d in descriptions)} reads text")
    if studies != 1:
        raise ConfigError(f"--report: the text of one study, {studies} studies found")


def _takes_text(description: Description, config: Config) -> bool:
    return isinstance(description.inputs, TextInputs) or beside(description, config.inference) is not None


def _study(study: StudyFiles, readings: list[dict[str, Any]]) -> dict[str, Any]:
    outcome = study_outcome([reading["outcome"] for reading in readings])
    return {
        "study_instance_uid": study.uid,
        "outcome": outcome,
        "reason": "; ".join(r["reason"] for r in readings if r["outcome"] == outcome and r["reason"]),
        "algorithms": readings,
    }


def _reading(
    study: StudyFiles,
    folder: Path,
    description: Description,
    config: Config,
    reader: StudyReader,
    report: str | None,
    rendering: Rendering,
) -> dict[str, Any]:
    """One algorithm on one study; an error of this study is its outcome, not the end of the run."""
    task = Task(
        instances=tuple(path.read_bytes() for path in study.files),
        algorithm=description.name,
        algorithm_digest=description.algorithm.digest,
        inputs=description.inputs,
        configuration_digest=config.reading_digest,
        language=config.node.language,
        software_version=__version__,
        renderings=(rendering,),
        analysed_at=None,
        outcome_report=Outcome.ABSTAINED in config.inference.outcome_report,
        report=report if _takes_text(description, config) else None,
        beside=beside(description, config.inference),
    )
    try:
        read = reader.read(task)
    except NodeError as error:
        read = ReadingResult(outcome=Outcome.FAILED, reason=str(error), objects=(), instances_digest="")
    return {
        "name": description.name,
        "digest": description.algorithm.digest,
        "outcome": read.outcome,
        "reason": read.reason,
        "provider": read.provider or None,
        "seconds": read.seconds or None,
        "objects": [_write(made, folder) for made in read.objects],
        **summary(read, description),
    }


def _write(made: ResultObject, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.kind.lower()}.dcm"
    path.write_bytes(made.data)
    return {
        "kind": made.kind,
        "profile": made.rendering.partition(":")[0],
        "sop_class_uid": made.sop_class_uid,
        "sop_instance_uid": made.sop_instance_uid,
        "bytes": len(made.data),
        "path": str(path),
    }
