import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dicom_node.config import Config, InferenceTable
from dicom_node.operation import supervision
from dicom_node.operation.supervision import commands, serve
from tests.loopback import wait_until

BEAT = """
import os, pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGTERM, lambda *_: ((folder / f"{name}.stopped").touch(), sys.exit(0)))
(folder / f"{name}.{os.getpid()}").touch()
time.sleep(60)
"""


def test_a_node_is_a_listener_a_sender_a_clock_and_its_workers() -> None:
    made = commands(Config(inference=InferenceTable(workers=2)), Path("node.toml"))
    assert set(made) == {"listener", "sender", "clock", "worker-1", "worker-2"}
    roles = {name: command[3] for name, command in made.items()}
    assert roles == {"listener": "listen", "sender": "send", "clock": "clock", "worker-1": "work", "worker-2": "work"}
    names = [command[command.index("--name") + 1] for name, command in made.items() if name.startswith("worker")]
    assert names == ["worker-1", "worker-2"]


def test_a_process_that_dies_is_started_again_and_all_end_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = {name: [sys.executable, "-c", BEAT, str(tmp_path), name] for name in ("one", "two")}
    monkeypatch.setattr(supervision, "commands", lambda _config, _path: beats)
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(Config(), Path("unused"), stop))
    thread.start()
    wait_until(lambda: len(starts(tmp_path, "one")) == 1 and len(starts(tmp_path, "two")) == 1, 10, "both to start")
    os.kill(starts(tmp_path, "one")[0], signal.SIGKILL)
    wait_until(lambda: len(starts(tmp_path, "one")) == 2, 10, "the killed one to be started again")
    assert len(starts(tmp_path, "two")) == 1
    time.sleep(0.3)  # let the new one set its handler
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert (tmp_path / "one.stopped").exists()
    assert (tmp_path / "two.stopped").exists()


def starts(folder: Path, name: str) -> list[int]:
    """Process ids of the starts of a process so far."""
    return [int(p.suffix[1:]) for p in folder.glob(f"{name}.*") if p.suffix[1:].isdigit()]


def test_supervised_processes_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[node]\nstate_dir = "{tmp_path / "state"}"\n[listener]\nport = 0\n', encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "dicom_node", "serve", "--config", str(config)])
    try:
        wait_until(lambda: len(children(process.pid)) == 4, 30, "four processes")
        time.sleep(3)  # past their imports, so that each watches its parent
        orphans = children(process.pid)
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), 30, "the orphans to end")


def children(parent: int) -> list[int]:
    """Process ids whose parent is `parent`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                    found.append(int(entry.name))
            except (OSError, IndexError):
                continue
    return found
