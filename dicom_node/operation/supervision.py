"""All processes of one machine under one: starts them, starts them again when they die, stops them together."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from dicom_node.config import Config

log = structlog.get_logger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0
_STEADY_S = 10.0  # a process that lived this long died of something new: its pause starts anew
_STOP_S = 25.0
_POLL_S = 0.2


@dataclass
class _Child:
    """One process that is to be there, and when it may be started again."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    starts: int = field(default=0)

    def tend(self, now: float) -> None:
        """Start the process if it is due, note its death and when to start it again; `now` is monotonic, s."""
        if self.process is None:
            if now >= self.start_at:
                self.process = subprocess.Popen(self.command)  # noqa: S603 (our own interpreter and module)
                self.started_at, self.starts = now, self.starts + 1
            return
        code = self.process.poll()
        if code is None:
            return
        self.pause_s = _FIRST_PAUSE_S if now - self.started_at > _STEADY_S else min(self.pause_s * 2, _LONGEST_PAUSE_S)
        self.process, self.start_at = None, now + self.pause_s
        log.error("process_died", name=self.name, code=code, restart_in_s=self.pause_s)


def commands(config: Config, config_path: Path) -> dict[str, list[str]]:
    """The processes of a node: name to command line."""
    roles = {"listener": ["listen"], "sender": ["send"], "clock": ["clock"]}
    for number in range(1, config.inference.workers + 1):
        roles[f"worker-{number}"] = ["work", "--name", f"worker-{number}"]
    base, options = (
        [sys.executable, "-m", "dicom_node"],
        ["--config", str(config_path), "--supervisor", str(os.getpid())],
    )
    return {name: [*base, *role, *options] for name, role in roles.items()}


def serve(config: Config, config_path: Path, stop: threading.Event) -> None:
    """Keep every process of the node running until `stop` is set, then end them in an orderly way."""
    children = [_Child(name, command) for name, command in commands(config, config_path).items()]
    log.info("node_started", processes=len(children))
    try:
        while not stop.wait(_POLL_S):
            for child in children:
                child.tend(time.monotonic())
    finally:
        _stop(children)
        log.info("node_stopped")


def _stop(children: list[_Child]) -> None:
    running = [c.process for c in children if c.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in running:
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
