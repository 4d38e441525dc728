"""A cage: limits hold, every end has its words, nothing outlives the parent."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dicom_node.errors import DefectError, StudyError, TransientError, UnsuitableError
from dicom_node.reading.cage import Cage, Limits
from dicom_node.reading.wire import Message

HELLO = Message(kind="hello", body={"n": 1}, buffers=(b"abc", b""))


def cage(entry: str, **limits: int | bool) -> Cage:
    return Cage(f"tests.cage_entries:{entry}", "test", Limits(**limits), maximum_bytes=2**20)  # type: ignore[arg-type]


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


def end_of(entry: str, message: Message = HELLO, seconds: float = 20.0, **limits: int | bool) -> StudyError:
    """The error that a cage ends with; afterwards the process must be gone and reaped."""
    with cage(entry, **limits) as it:
        it.send(message, soon())
        with pytest.raises(StudyError) as caught:
            it.receive(soon(seconds))
        assert not it.alive()
        assert not Path(f"/proc/{it.pid}").exists()
    return caught.value


def test_a_message_goes_there_and_back() -> None:
    with cage("echo") as it:
        for _ in range(3):
            it.send(HELLO, soon())
            answer = it.receive(soon())
            assert (answer.kind, answer.body) == (HELLO.kind, HELLO.body)
            assert [bytes(buffer) for buffer in answer.buffers] == list(HELLO.buffers)
        assert it.resident_bytes() > 2**20
    assert not it.alive()
    assert it.resident_bytes() == 0


def test_a_segmentation_fault_is_named() -> None:
    error = end_of("segfault")
    assert isinstance(error, TransientError)
    assert str(error) == "the test process ended: killed by signal 11 (SIGSEGV)"


def test_an_exit_is_named() -> None:
    assert str(end_of("leave")) == "the test process ended: exit status 3"


def test_a_hanging_child_is_killed_at_its_deadline() -> None:
    with cage("hang_in_native_code") as it:
        it.send(HELLO, soon())
        assert it.receive(soon()).kind == "hanging"
        started = time.monotonic()
        with pytest.raises(TransientError, match="no answer by its deadline"):
            it.receive(time.monotonic() + 0.5)
        assert time.monotonic() - started < 3
        assert not it.alive()


def test_address_space_is_limited() -> None:
    error = end_of("allocate", Message(kind="go", body={"bytes": 2**30}), address_space_bytes=2**29)
    assert isinstance(error, TransientError)
    assert str(error) == "out of memory"


def test_resident_memory_is_watched() -> None:
    with cage("allocate", resident_bytes=2**28) as it:
        it.send(Message(kind="go", body={"bytes": 2**29}), soon())
        with pytest.raises(TransientError, match=f"bytes resident, {2**28} allowed"):
            it.receive(soon())
        assert not it.alive()


def test_processor_time_is_limited() -> None:
    assert "processor time" in str(end_of("burn", cpu_s=1))


@pytest.mark.parametrize(("files", "answer"), [(False, "refused"), (True, "written")])
def test_files_are_written_only_where_allowed(tmp_path: Path, files: bool, answer: str) -> None:  # noqa: FBT001
    with cage("write_a_file", files=files) as it:
        it.send(Message(kind="go", body={"path": str(tmp_path / "x")}), soon())
        assert it.receive(soon()).body == {"answer": answer}


def test_no_network_where_the_cage_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, cage("connect") as it:
        it.send(Message(kind="go", body={"port": server.getsockname()[1]}), soon())
        assert it.receive(soon()).body == {"answer": "refused" if it.network == "none" else "connected"}


def test_a_child_gets_no_secret_and_no_descriptor_of_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "x")
    with Path(__file__).open(encoding="utf-8") as held, cage("describe") as it:
        os.set_inheritable(held.fileno(), True)  # noqa: FBT003
        it.send(HELLO, soon())
        body = it.receive(soon()).body
    assert "DATABASE_PASSWORD" not in body["environment"]
    assert len(body["descriptors"]) == 6  # stdin, stdout, stderr, channel, lifeline, and the listing itself
    assert body["core"] == 0


def test_an_error_of_the_family_arrives_as_itself() -> None:
    error = end_of("unsuitable")
    assert isinstance(error, UnsuitableError)
    assert str(error) == "slice gap of 10.0 mm at slice 41"


def test_any_other_error_arrives_without_its_text() -> None:
    error = end_of("defect", Message(kind="go", body={"text": "Phantom^One"}))
    assert isinstance(error, DefectError)
    assert "Phantom" not in str(error)
    assert str(error).startswith("RuntimeError at cage_entries.py:")


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<Q", 2**40),
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 3) + b"\xff\xfe\xfd",
        struct.pack("<Q", 10_000) + b"[" * 10_000,
        struct.pack("<Q", 16) + b'["a",{},[99999]]'[:16] + b"",
        struct.pack("<Q", 17) + b'["a",{},[999999]]',
        struct.pack("<Q", 18) + b'["a",{},[9999999]]',
        struct.pack("<Q", 13) + b'["a",{},[-1]]',
        struct.pack("<Q", 14) + b'["a",{},[1.5]]',
        struct.pack("<Q", 15) + b'["a",{},[true]]',
        struct.pack("<Q", 11) + b'["a",[],[]]',
        struct.pack("<Q", 18) + b'["a",{"x":NaN},[]]',
    ],
)
def test_nonsense_never_leaves_the_family(data: bytes) -> None:
    error = end_of("speak_nonsense", Message(kind="go", body={}, buffers=(data,)), seconds=1.0)
    assert isinstance(error, (DefectError, TransientError))


def test_a_child_that_cannot_start_says_why() -> None:
    with cage("absent") as it, pytest.raises(DefectError, match="AttributeError"):
        it.send(HELLO, soon())


def test_an_interpreter_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/absent/python")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(TransientError, match="the test process did not start: No such file or directory"):
        cage("echo")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_closed_cage_leaves_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        cage("echo").close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("entry", ["echo", "hang_in_native_code"])
def test_nothing_outlives_a_killed_parent(entry: str) -> None:
    code = f"""
import sys, threading, time
from dicom_node.reading.cage import Cage, Limits
from dicom_node.reading.wire import Message
def start():
    cage = Cage("tests.cage_entries:{entry}", "test", Limits())
    cage.send(Message(kind="hello", body={{}}), time.monotonic() + 30)
    cage.receive(time.monotonic() + 30)
    kept.append(cage)
kept = []
thread = threading.Thread(target=start)
thread.start()
thread.join()
time.sleep(0.5)
sys.stdout.write(f"{{kept[0].pid}} {{kept[0].alive()}}\\n")
sys.stdout.flush()
time.sleep(600)
"""
    root = Path(__file__).parent.parent
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root, text=True) as parent:
        assert parent.stdout is not None
        pid, alive = parent.stdout.readline().split()
        assert alive == "True"  # the thread that started it has ended, which must not end the child
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until = soon(5)
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
            return  # dead; whoever adopted it has yet to reap it
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
