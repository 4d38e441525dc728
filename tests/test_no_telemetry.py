"""ONNX Runtime's uploader never starts: no thread, no file, no socket of it after a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

_SCRIPT = """
import json, os, sys, threading
from pathlib import Path

def tasks():
    return sorted(Path(f"/proc/self/task/{t}/comm").read_text().strip() for t in os.listdir("/proc/self/task"))

import inference.catalogue
assert "onnxruntime" not in sys.modules
before = tasks()
import numpy as np
from inference.session import Session
from tests.test_session import SPEC
from tests.tiny_bundles import CPU, identity
imported = tasks()
session = Session(identity(), SPEC, CPU)
session.run({"image": np.zeros((1, 1, 8, 8), dtype=np.float32)})
open_files = [Path(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
links = [os.readlink(path) for path in open_files if os.path.lexists(path)]
print(json.dumps({
    "before": before, "imported": imported, "after": tasks(),
    "sockets": [link for link in links if link.startswith("socket:")],
    "outside": [link for link in links if "Microsoft" in link or "onnxruntime.db" in link],
    "switch": os.environ["ORT_DISABLE_TELEMETRY"],
}))
"""


def test_a_session_leaves_no_thread_no_file_and_no_socket(tmp_path: Path) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    cache.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment |= {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(cache),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["switch"] == "1"
    # a session of one thread runs in the caller's: whatever else there is would be somebody else's
    assert found["after"] == found["imported"] == found["before"]
    assert found["sockets"] == []
    assert found["outside"] == []
    assert [path for folder in (home, cache) for path in folder.rglob("*")] == []
