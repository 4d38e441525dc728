"""The demo: a node and a small PACS on loopback, a synthetic head sent, a question asked; held against the truth."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dicom_node.config import DestinationTable
from dicom_node.delivery.echo import echo
from dicom_node.operation.came_back import Agreement, agreement, file_size, in_words, kind
from dicom_node.operation.picture import Scene, draw
from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.synthetic.head import SyntheticHead, synthetic_head

_SEED = 20277  # a head whose lesion is found and called by its kind; the cards say how often it is not
_NODE, _PACS = "DEMONODE", "DEMOPACS"
_START_S, _RESULT_S, _POLL_S = 180.0, 300.0, 0.2
_OBJECTS_EACH = 3  # SEG, measurement report, narrative report
_ALGORITHM = "mini-volume-report"  # marks and measures with lesion-segmenter, and writes about each lesion
_QUESTION = "What kind of lesion is the largest one?"
_CONFIG = """\
[node]
ae_title = "{node}"
state_dir = "{state}"
[listener]
port = {port}
minimum_free_bytes = 0
[closing]
quiet_period_s = 1.0
[[caller]]
ae_title = "{pacs}"
address = "127.0.0.1"
[[destination]]
name = "small-pacs"
ae_title = "{pacs}"
host = "127.0.0.1"
port = {pacs_port}
[[rule]]
name = "synthetic-heads"
algorithms = ["{algorithm}"]
destinations = ["small-pacs"]
match = {{ modality = "MR", minimum_slices = 20 }}
[inference]
allow_synthetic = true
[log]
level = "warning"
"""


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """What went to the node."""

    head: SyntheticHead
    datasets: list[Dataset]


def run(out: Path, console: Console) -> bool:
    """Run the demo; True if every object came back and agrees with what was planted."""
    out.mkdir(parents=True, exist_ok=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        sent, received, answer = _round_trip(progress)
    if len(received) <= _OBJECTS_EACH:
        console.print(f"[red]{len(received)} of {_OBJECTS_EACH + 1} objects came back within {_RESULT_S:.0f} s[/red]")
        return False
    for dataset in received:
        dataset.save_as(out / f"{kind(dataset).lower()}.dcm", enforce_file_format=True)
    verdict = agreement(sent.head, sent.datasets, received)
    picture = out / "finding.png"
    _draw(sent, verdict, picture)
    _tell(console, received, answer, verdict, picture)
    return verdict.agrees


def _round_trip(progress: Progress) -> tuple[_Sent, list[Dataset], str]:
    step = progress.add_task("making a synthetic head with planted lesions")
    sent = _head()
    with tempfile.TemporaryDirectory(prefix="dicom-node-demo-") as folder:
        progress.update(step, description="starting a small PACS and a node on loopback")
        pacs = SmallPacs(_PACS)
        pacs.start()
        try:
            with _node(Path(folder), pacs.port) as (port, config):
                progress.update(step, description=f"sending {len(sent.datasets)} images to the node")
                pacs.send(sent.datasets, host="127.0.0.1", port=port, called_ae=_NODE)
                progress.update(step, description="the node keeps, closes, routes, reads, writes and sends back")
                _wait(pacs, _OBJECTS_EACH)
                progress.update(step, description="asking a question about the study")
                answer = _asked(str(sent.datasets[0].StudyInstanceUID), config)
                received = _wait(pacs, _OBJECTS_EACH + 1)
        finally:
            pacs.stop()
        progress.update(step, description=f"{len(received)} objects came back")
    return sent, received, answer


def _head() -> _Sent:
    head = synthetic_head(_SEED, lesions=1)
    labels = Labels(seed=f"demo-{_SEED}", patient_name="Synthetic^Head", patient_id="DEMO-1")
    return _Sent(head=head, datasets=series_from_volume(head.image.volume, labels=labels))


def _asked(study: str, config: Path) -> str:
    """What `dicom-node ask` shows: the question goes in on stdin, never as an argument."""
    command = [sys.executable, "-m", "dicom_node", "ask", study, "--config", str(config)]
    done = subprocess.run(  # noqa: S603 (our own interpreter and module)
        command, input=_QUESTION, stdout=subprocess.PIPE, text=True, check=False, timeout=_RESULT_S
    )
    return done.stdout.strip()


@contextmanager
def _node(folder: Path, pacs_port: int) -> Iterator[tuple[int, Path]]:
    """A whole node in processes of its own; yields its port, once it answers, and its configuration."""
    port = _free_port()
    config = folder / "config.toml"
    values = {"node": _NODE, "pacs": _PACS, "state": folder / "state", "port": port, "pacs_port": pacs_port}
    config.write_text(_CONFIG.format(algorithm=_ALGORITHM, **values), encoding="utf-8")
    command = [sys.executable, "-m", "dicom_node", "serve", "--config", str(config)]
    process = subprocess.Popen(command)  # noqa: S603 (our own interpreter and module)
    try:
        _wait_for_echo(port, process)
        yield port, config
    finally:
        process.terminate()
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_echo(port: int, process: subprocess.Popen[bytes]) -> None:
    node = DestinationTable(name="node", ae_title=_NODE, host="127.0.0.1", port=port, connect_timeout_s=2.0)
    until = time.monotonic() + _START_S
    while echo(node, _PACS) is not None:
        if process.poll() is not None or time.monotonic() > until:
            raise TimeoutError("the node did not start; its messages stand above")
        time.sleep(_POLL_S)


def _wait(pacs: SmallPacs, count: int) -> list[Dataset]:
    until = time.monotonic() + _RESULT_S
    while len(pacs.received()) < count and time.monotonic() < until:
        time.sleep(_POLL_S)
    return sorted(pacs.received(), key=lambda ds: int(ds.SeriesNumber))


def _draw(sent: _Sent, verdict: Agreement, path: Path) -> None:
    """The slice on which the mask that came back is largest."""
    volume = sent.head.image.volume
    index = int(np.argmax(verdict.mask.sum(axis=(1, 2))))
    scene = Scene(
        plane=volume.array[index],
        mask=verdict.mask[index],
        spacing_mm=(volume.spacing[1], volume.spacing[2]),
        title=f"Synthetic head, slice {index + 1} of {volume.shape[0]}, as the PACS would show it",
        caption=verdict.caption,
        footer="Synthetic study, no patient. AI, unverified. RESEARCH USE.",
    )
    draw(scene, path)


def _tell(console: Console, received: list[Dataset], answer: str, verdict: Agreement, picture: Path) -> None:
    table = Table(title="objects that came back to the PACS", title_justify="left", header_style="bold", box=None)
    for heading in ("what", "kB", "SOP Instance UID"):
        table.add_column(heading, no_wrap=True)
    for dataset in received:
        table.add_row(kind(dataset), f"{file_size(dataset) / 1024:.1f}", str(dataset.SOPInstanceUID))
    console.print(table)
    for dataset in received:
        console.print(f"\n{kind(dataset)}: {in_words(dataset)}", markup=False, highlight=False)
    console.print(f"\nasked: {_QUESTION}\n{answer}\n", markup=False, highlight=False)
    for line in verdict.lines:
        console.print(line, markup=False, highlight=False)
    console.print("[green]agrees with what was planted[/green]" if verdict.agrees else "[red]does not agree[/red]")
    console.print(f"picture: {picture}", markup=False, highlight=False)
