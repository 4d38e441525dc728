import re
import subprocess
from pathlib import Path

import pytest

from tests import peers

UNITS = sorted((Path(__file__).parent.parent / "systemd").glob("*.service"))


@pytest.mark.peer
@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_exposure_is_at_most_two(unit: Path) -> None:
    command = [
        peers.program("systemd-analyze"),
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        str(unit),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_target_wants_every_process() -> None:
    target = (UNITS[0].parent / "dicom-node.target").read_text(encoding="utf-8")
    wanted = set(re.findall(r"dicom-node-[a-z]+", target))
    assert wanted == {re.sub(r"@?\.service", "", u.name) for u in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda p: p.name)
def test_telemetry_is_off_before_the_program_starts(unit: Path) -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in unit.read_text(encoding="utf-8")


def test_what_parses_and_infers_has_no_network() -> None:
    worker = (UNITS[0].parent / "dicom-node-worker@.service").read_text(encoding="utf-8")
    assert "\nPrivateNetwork=yes\n" in worker
