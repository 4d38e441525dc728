"""A whole node in processes of its own, for stories: started, asked, killed."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dicom_node.config import Config, DestinationTable, load
from dicom_node.delivery.echo import echo
from dicom_node.reading.admission import admit_all
from dicom_node.reading.geometry_gate import RECORD, pass_gate
from dicom_node.records.ledger import Ledger, open_ledger
from tests.loopback import free_port, wait_until

CONFIG = """\
[node]
ae_title = "NODE"
state_dir = "{state}"
[listener]
port = {port}
minimum_free_bytes = 0
[closing]
quiet_period_s = {quiet}
[[caller]]
ae_title = "{pacs}"
address = "127.0.0.1"
[[destination]]
name = "pacs"
ae_title = "{pacs}"
host = "127.0.0.1"
port = {pacs_port}
first_delay_s = 0.5
longest_delay_s = 2.0
[[rule]]
name = "heads"
algorithms = ["{algorithm}"]
destinations = ["pacs"]
match = {{ minimum_slices = 10 }}
[inference]
bundles_dir = "{bundles}"
allow_synthetic = true
lease_s = {lease}
[log]
level = "warning"
"""


_PROVED = Path(tempfile.mkdtemp(prefix="geometry-proof-"))
atexit.register(shutil.rmtree, _PROVED, ignore_errors=True)


def prove_once(config: Config) -> None:
    """Give a new node the proof of its geometry that this test run made already, so that not each start takes it."""
    pass_gate(admit_all(config).values(), _PROVED)
    config.node.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_PROVED / RECORD, config.node.state_dir / RECORD)


@dataclass(frozen=True, kw_only=True)
class RunningNode:
    """A node under `dicom-node serve`."""

    process: subprocess.Popen[bytes]
    config: Config
    config_path: Path
    port: int

    def ledger(self) -> Ledger:
        """A view of its ledger."""
        return open_ledger(self.config, "test")

    def pids(self, role: str) -> list[int]:
        """Process ids of its `listen`, `work`, `send` or `clock` process."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    arguments = (entry / "cmdline").read_bytes().split(b"\0")
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except (OSError, IndexError):
                    continue
                if parent == self.process.pid and role.encode() in arguments:
                    found.append(int(entry.name))
        return found

    def kill(self, role: str) -> bool:
        """kill -9 its process of a role; False if none runs at this moment."""
        for pid in self.pids(role):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def answers(self, calling_ae: str) -> bool:
        """Whether its listener answers C-ECHO."""
        there = DestinationTable(name="n", ae_title="NODE", host="127.0.0.1", port=self.port, connect_timeout_s=2.0)
        return echo(there, calling_ae) is None


@contextmanager
def running_node(
    folder: Path,
    *,
    pacs: str,
    pacs_port: int,
    port: int | None = None,
    algorithm: str = "brain-lesions",
    quiet_s: float = 1.0,
    lease_s: float = 20.0,
    bundles: Path | str = "",
) -> Iterator[RunningNode]:
    """Start a node that takes studies from `pacs` and sends results back to it; stop it at the end."""
    port, path = port or free_port(), folder / "config.toml"
    text = CONFIG.format(
        state=folder / "state",
        port=port,
        quiet=quiet_s,
        pacs=pacs,
        pacs_port=pacs_port,
        algorithm=algorithm,
        lease=lease_s,
        bundles=bundles,
    )
    path.write_text(text, encoding="utf-8")
    prove_once(load(path))
    command = [sys.executable, "-m", "dicom_node", "serve", "--config", str(path)]
    process = subprocess.Popen(command)
    node = RunningNode(process=process, config=load(path), config_path=path, port=port)
    try:
        wait_until(lambda: node.answers(pacs), 60, "the node to answer C-ECHO")
        yield node
    finally:
        process.terminate()
        process.wait(timeout=60)
