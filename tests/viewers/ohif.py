"""What a person would see in OHIF: a study opened in headless Chromium, pictures and text of the page."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests import peers
from tests.orthancs import Orthanc
from tests.viewers.served_ohif import served_ohif

_SCRIPT = Path(__file__).parent / "ohif.cjs"
_VIEWERS = ("bin/node", "ohif", "node_modules")

Step = dict[str, Any]
"""One thing to do; the keys are listed in ohif.cjs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """The page at one moment.

    Attributes
    ----------
    picture
        (row, column, RGB), uint8.
    text
        Everything written on the page.
    sop_instance_uid
        Of the image shown; empty where none is.
    map
        (2, 4): from LPS, mm, to column and row of `picture`, as the viewer places its image; empty where none is shown.
    """

    picture: NDArray[np.uint8]
    text: str
    sop_instance_uid: str
    map: NDArray[np.float64]

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Column and row on the picture, (n, 2), of points in LPS, mm, (n, 3)."""
        return points @ self.map[:, :3].T + self.map[:, 3]

    def pixels(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """RGB, (n, 3), at points in LPS, mm, (n, 3), which must lie on the picture."""
        column, row = np.floor(self.at(points)).astype(int).T
        found: NDArray[np.int64] = self.picture[row, column].astype(np.int64)
        return found


@dataclass(frozen=True, kw_only=True)
class Visit:
    """All looks by name, in order, and what the browser complained of."""

    looks: dict[str, Look]
    complaints: list[str]


def installed() -> None:
    """Skip or fail a test where something that a visit needs is missing."""
    for name in _VIEWERS:
        peers.viewer(name)
    for name in ("chromium", "Orthanc"):
        peers.program(name)
    peers.plugin("libOrthancDicomWeb.so")


def visit(orthanc: Orthanc, study_instance_uid: str, steps: Sequence[Step], pictures: Path) -> Visit:
    """Open a study that Orthanc holds, do the steps, keep a picture of each look as `pictures`/NAME.png."""
    node, built, modules = (peers.viewer(name) for name in _VIEWERS)
    pictures.mkdir(parents=True, exist_ok=True)
    names = [step["look"] for step in steps if "look" in step]
    told = [{"look": str(pictures / f"{step['look']}.png")} if "look" in step else step for step in steps]
    with served_ohif(built, orthanc.http_port) as address:
        order = {
            "chromium": peers.program("chromium"),
            "address": f"{address}/viewer?StudyInstanceUIDs={study_instance_uid}",
            "steps": told,
        }
        run = subprocess.run(
            [node, _SCRIPT, json.dumps(order)],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            timeout=270,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    looks = [_look(found, pictures / f"{name}.png") for name, found in zip(names, answer["looks"], strict=True)]
    return Visit(looks=dict(zip(names, looks, strict=True)), complaints=answer["complaints"])


def _look(found: dict[str, Any], path: Path) -> Look:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    _, _, after = found["image"].partition("/instances/")
    return Look(
        picture=pixels,
        text=found["text"],
        sop_instance_uid=after.partition("/")[0],
        map=np.array(found["map"], dtype=np.float64),
    )
