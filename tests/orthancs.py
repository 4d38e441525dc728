"""Orthanc on loopback with a configuration of the test's own."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset

from tests import peers
from tests.loopback import free_port


@dataclass(frozen=True, kw_only=True)
class Orthanc:
    """A running Orthanc."""

    http_port: int
    dicom_port: int

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """GET, or POST where there is a body; the answer's JSON."""
        return json.loads(self.fetch(path, body))

    def fetch(self, path: str, body: bytes | None = None) -> bytes:
        """GET, or POST where there is a body; the answer's bytes."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data=body)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def store(self, dataset: Dataset) -> str:
        """Put an instance in; its Orthanc identifier."""
        file = BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        return str(self.ask("/instances", file.getvalue())["ID"])

    def store_file(self, path: Path) -> str:
        """Put a file in; its Orthanc identifier."""
        return str(self.ask("/instances", path.read_bytes())["ID"])

    def send_to_node(self, *resources: str) -> None:
        """Send instances, series or studies to the node by C-STORE, as auto-routing does."""
        self.ask("/modalities/node/store", json.dumps({"Resources": resources, "Synchronous": True}).encode())

    def instances_of(self, *sop_class_uids: str) -> list[Dataset]:
        """Every instance it holds of some SOP classes."""
        found = [pydicom.dcmread(BytesIO(self.fetch(f"/instances/{i}/file"))) for i in self.ask("/instances")]
        return [dataset for dataset in found if dataset.SOPClassUID in sop_class_uids]

    def identifiers_of(self, sop_class_uid: str) -> list[str]:
        """Orthanc identifiers of the instances of a SOP class."""
        query = {"Level": "Instance", "Query": {"SOPClassUID": sop_class_uid}}
        return list(self.ask("/tools/find", json.dumps(query).encode()))


@contextmanager
def running_orthanc(
    folder: Path, *, node_port: int, dicom_port: int, auto_route: bool = False, dicom_web: bool = False
) -> Iterator[Orthanc]:
    """Start an Orthanc that knows the node as modality "node".

    With `auto_route` it sends images there; with `dicom_web` it answers viewers under /dicom-web.
    """
    program = peers.program("Orthanc")
    orthanc = Orthanc(http_port=free_port(), dicom_port=dicom_port)
    configuration: dict[str, Any] = {
        "Name": "Test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": orthanc.http_port,
        "DicomPort": orthanc.dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "HttpBindAddresses": ["127.0.0.1"],
        "AuthenticationEnabled": False,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "Plugins": [],
        "DicomModalities": {"node": ["NODE", "127.0.0.1", node_port]},
    }
    if auto_route:
        script = folder / "route.lua"
        script.write_text(_ROUTE, encoding="utf-8")
        configuration["LuaScripts"] = [str(script)]
    if dicom_web:
        configuration["Plugins"] = [str(peers.plugin("libOrthancDicomWeb.so"))]
        configuration["DicomWeb"] = {"Root": "/dicom-web/", "StudiesMetadata": "Full", "SeriesMetadata": "Full"}
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(path)], stdout=log, stderr=log)
        try:
            _wait(orthanc, process)
            yield orthanc
        finally:
            process.terminate()
            process.wait(timeout=30)


# What a PACS does on its own: every image goes to the node as it arrives, results that come back do not.
_ROUTE = """
function OnStoredInstance(instance, tags, metadata, origin)
  if tags["Modality"] == "MR" or tags["Modality"] == "CT" then
    SendToModality(instance, "node")
  end
end
"""


def _wait(orthanc: Orthanc, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            orthanc.ask("/system")
        except OSError:
            assert process.poll() is None, "Orthanc did not start"
            assert time.monotonic() < until, "Orthanc did not answer in 30 s"
            time.sleep(0.1)
        else:
            return
