"""The session host: keeps readers warm, names what went wrong, and another one takes its place."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dicom_node.config import InferenceTable
from dicom_node.errors import DefectError, StudyError, TransientError, UnsuitableError
from dicom_node.reading.host import HostSettings, SessionHost
from inference.algorithms import Runtime
from inference.image import Image
from tests.analyses import ALGORITHM, bright
from tests.series_files import phantom

IMAGE = Image(volume=phantom(), modality="MR", weighting="T1")


def settings(resident_bytes: int = 2**30) -> HostSettings:
    return HostSettings(
        bundles_dir=Path("/bundles"),
        runtime=Runtime(providers=("cuda",), threads=1),
        resident_bytes=resident_bytes,
        entry="tests.host_entries:serve",
    )


@pytest.fixture(scope="module")
def host() -> Iterator[SessionHost]:
    with SessionHost(settings()) as it:
        yield it


def test_an_analysis_comes_back(host: SessionHost) -> None:
    analysis = host.analyse("bright-spots", IMAGE, 60)
    expected = bright(IMAGE, float(IMAGE.volume.array.max()) / 2)
    assert analysis.findings.algorithm == ALGORITHM
    np.testing.assert_array_equal(analysis.findings.segments[0].mask, expected.segments[0].mask)
    assert analysis.findings.findings[0].measurements == expected.findings[0].measurements
    assert analysis.seconds > 0


def test_a_reader_stays_warm(host: SessionHost) -> None:
    first = host.analyse("warm", IMAGE, 60).provider.split()
    second = host.analyse("warm", IMAGE, 60).provider.split()
    assert first[0] == second[0] == str(host.pid)
    assert [first[1], second[1]] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("declines", UnsuitableError, "no brain found: 3 mL"),
        ("broken-bundle", DefectError, "SHA256SUMS: graphs/a.onnx was changed"),
        ("wrong-provider", DefectError, "runs on CPU, asked for cuda in /bundles"),
    ],
)
def test_what_is_foreseen_leaves_the_host_alive(
    host: SessionHost, name: str, kind: type[StudyError], text: str
) -> None:
    host.analyse("warm", IMAGE, 60)
    before = host.pid
    with pytest.raises(kind) as caught:
        host.analyse(name, IMAGE, 60)
    assert str(caught.value) == text
    assert host.pid == before


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("segfault", TransientError, "the session host process ended: killed by signal 11 (SIGSEGV)"),
        ("device-lost", TransientError, "a.onnx failed on CUDAExecutionProvider"),
        ("runs-out", TransientError, "out of memory"),
        ("has-a-bug", DefectError, "ZeroDivisionError at host_entries.py:"),
    ],
)
def test_what_is_not_foreseen_costs_the_host_and_nothing_else(
    host: SessionHost, name: str, kind: type[StudyError], text: str
) -> None:
    host.analyse("warm", IMAGE, 60)
    before = host.pid
    with pytest.raises(kind) as caught:
        host.analyse(name, IMAGE, 60)
    assert str(caught.value).startswith(text)
    assert "CANARY" not in str(caught.value)
    assert host.analyse("warm", IMAGE, 60).provider.split()[0] == str(host.pid) != str(before)


def test_a_hanging_host_is_replaced_at_the_deadline(host: SessionHost) -> None:
    host.analyse("warm", IMAGE, 60)
    started = time.monotonic()
    with pytest.raises(TransientError, match="no answer by its deadline"):
        host.analyse("hangs", IMAGE, 0.5)
    assert time.monotonic() - started < 5
    assert host.pid is None
    assert host.analyse("warm", IMAGE, 60).provider.endswith(" 1")


def test_a_host_that_grew_is_replaced_after_its_answer() -> None:
    with SessionHost(settings(2**28)) as host:
        with suppress(TransientError):  # where it is seen while it works, and not after
            host.analyse("leaks", IMAGE, 60)
        assert host.pid is None
        assert host.analyse("warm", IMAGE, 60).provider.endswith(" 1")


def test_a_killed_host_is_replaced(host: SessionHost) -> None:
    host.analyse("warm", IMAGE, 60)
    before = host.pid
    assert before
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    assert host.pid is None
    assert host.analyse("warm", IMAGE, 60).provider.split()[0] == str(host.pid) != str(before)


def test_settings_are_those_of_the_configuration() -> None:
    table = InferenceTable(bundles_dir="/b", providers=("cuda", "cpu"), threads=3, host_memory_bytes=2**31)
    assert HostSettings.of(table) == HostSettings(
        bundles_dir=Path("/b"), runtime=Runtime(providers=("cuda", "cpu"), threads=3), resident_bytes=2**31
    )
    assert HostSettings.of(InferenceTable()).bundles_dir is None
