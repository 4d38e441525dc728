"""Reading through processes: the same as without them, and no study harms the one who reads it."""

import os
import resource
import signal
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from dicom_node.config import InferenceTable
from dicom_node.errors import DefectError, StudyError, TransientError
from dicom_node.reading.analysis import read_study
from dicom_node.reading.cage import Cage, Limits
from dicom_node.reading.host import HostSettings, SessionHost
from dicom_node.reading.study_reader import StudyReader, read_in_cage, reading_limits
from dicom_node.reading.task import ReadingResult, Task
from dicom_node.study import Outcome
from inference.algorithms import Runtime
from inference.inputs import Inputs
from tests.analyses import analyse, task
from tests.series_files import as_bytes, enhanced, headers, phantom

TABLE = InferenceTable()


@pytest.fixture(scope="module")
def host() -> Iterator[SessionHost]:
    settings = HostSettings(
        bundles_dir=None, runtime=Runtime(threads=1), resident_bytes=2**31, entry="tests.host_entries:serve"
    )
    with SessionHost(settings) as it:
        yield it


@pytest.fixture(scope="module")
def reader(host: SessionHost) -> Iterator[StudyReader]:
    with StudyReader(TABLE, host=host) as it:
        it.start()
        yield it


def study() -> Task:
    volume = phantom(shape=(9, 24, 20))
    volume.array[...] %= 100
    volume.array[2:5, 3:9, 12:17] = 1000
    return task(headers(volume))


def timeless(result: ReadingResult) -> ReadingResult:
    return replace(result, seconds=0.0)


def test_through_processes_it_is_the_same_byte_for_byte(reader: StudyReader) -> None:
    result = reader.read(study())
    assert result.outcome is Outcome.RESULT
    here = read_study(study(), lambda name, image: replace(analyse(name, image), provider=result.provider))
    assert timeless(result) == timeless(here)


def test_every_study_has_a_process_of_its_own(reader: StudyReader) -> None:
    first, second = reader.read(study()), reader.read(study())
    assert first.provider.split()[0] == second.provider.split()[0]  # the host is the same
    assert first.outcome is second.outcome is Outcome.RESULT


def test_an_abstention_comes_with_its_report(reader: StudyReader) -> None:
    result = reader.read(replace(study(), algorithm="declines"))
    assert (result.outcome, result.reason) == (Outcome.ABSTAINED, "no brain found: 3 mL")
    assert len(result.objects) == 1


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("broken-bundle", DefectError), ("has-a-bug", DefectError), ("segfault", TransientError)],
)
def test_a_failing_model_fails_the_study_and_not_the_reader(
    reader: StudyReader, algorithm: str, kind: type[StudyError]
) -> None:
    with pytest.raises(kind):
        reader.read(replace(study(), algorithm=algorithm))
    assert reader.read(study()).outcome is Outcome.RESULT


def test_a_killed_spare_is_replaced(reader: StudyReader) -> None:
    reader.read(study())
    assert reader._spare is not None
    os.kill(reader._spare.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert reader.read(study()).outcome is Outcome.RESULT


def test_one_study_needs_no_start_and_leaves_no_spare(host: SessionHost) -> None:
    reader = StudyReader(TABLE, keep_spare=False, host=host)
    assert reader.read(study()).outcome is Outcome.RESULT
    assert reader._spare is None


def caged(host: SessionHost, entry: str, timeout_s: float = 20.0) -> StudyError:
    with Cage(entry, "reading", reading_limits(TABLE)) as cage, pytest.raises(StudyError) as caught:
        read_in_cage(study(), host, cage, timeout_s)
    return caught.value


@pytest.mark.parametrize(
    ("entry", "kind", "text"),
    [
        ("segfault", TransientError, "the reading process ended: killed by signal 11 (SIGSEGV)"),
        ("leave", TransientError, "the reading process ended: exit status 3"),
        ("ask_for_another_algorithm", DefectError, "asked for something else than its algorithm"),
        ("claim_a_result", DefectError, "malformed 'result' message"),
        ("echo", DefectError, "asked for something else than its algorithm"),
    ],
)
def test_a_study_process_gone_wrong(host: SessionHost, entry: str, kind: type[StudyError], text: str) -> None:
    error = caged(host, f"tests.cage_entries:{entry}")
    assert isinstance(error, kind)
    assert text in str(error)


def test_a_study_process_that_hangs(host: SessionHost) -> None:
    started = time.monotonic()
    with Cage("tests.cage_entries:burn", "reading", reading_limits(TABLE)) as cage:
        cage.wait_ready()
        started = time.monotonic()
        with pytest.raises(TransientError, match="no answer by its deadline"):
            read_in_cage(study(), host, cage, 0.5)
    assert time.monotonic() - started < 5


def bomb_of_empty_elements(count: int) -> bytes:
    made = headers()[0]
    del made.PixelData
    elements = (struct.pack("<HH2sH", 0x0009 + 2 * (k >> 16), k & 0xFFFF, b"LO", 0) for k in range(count))
    data = as_bytes(made)
    start = data.index(b"\x08\x00\x18\x00UI")
    return data[:start] + b"".join(elements) + data[start:]


def bomb_of_empty_items(count: int) -> bytes:
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * count
    return as_bytes(headers()[0]) + b"\xfc\x7f\x10\x00SQ\0\0" + struct.pack("<I", len(items)) + items


def bomb_of_nested_sequences(depth: int) -> bytes:
    made = headers()[0]
    del made.PixelData
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return as_bytes(made) + start * depth


def bomb_of_rle(rows: int, columns: int) -> bytes:
    made = headers()[0]
    made.file_meta.TransferSyntaxUID = RLELossless
    made.Rows, made.Columns = rows, columns
    made.PixelData = encapsulate([struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\x80\0\x80\0"])
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    return as_bytes(made)


def bomb_of_rle_frames(frames: int) -> bytes:
    """Frames of 16 MiB that take half a megabyte each."""
    made = enhanced(phantom(shape=(frames, 2, 2)), range(frames))
    made.file_meta.TransferSyntaxUID = RLELossless
    made.Rows = made.Columns = 2896
    half = b"\x81\0" * (2896 * 2896 // 128 + 1)
    frame = struct.pack("<16I", 2, 64, 64 + len(half), *[0] * 13) + half + half
    made.PixelData = encapsulate([frame] * frames)
    made["PixelData"].is_undefined_length = True
    made["PixelData"].VR = "OB"
    return as_bytes(made)


BOMBS: dict[str, tuple[Callable[..., bytes], tuple[int, ...], str]] = {
    "empty elements": (bomb_of_empty_elements, (4_000_000,), "TransientError "),  # at times no memory is left to say so
    "empty items": (bomb_of_empty_items, (2_000_000,), "result "),
    "nested sequences": (bomb_of_nested_sequences, (100_000,), "RecursionError"),
    "a small file that declares 65535 x 65535": (bomb_of_rle, (65535, 65535), "more than is read"),
    "a small file that declares 8192 x 8192": (bomb_of_rle, (8192, 8192), "cannot be decoded"),
    "a large file that inflates in memory": (bomb_of_rle_frames, (60,), "TransientError out of memory"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_own_process_and_no_more(host: SessionHost, name: str) -> None:
    make, size, expected = BOMBS[name]
    bomb = replace(study(), instances=(make(*size),), inputs=Inputs(modality=("MR",)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = Limits(address_space_bytes=3 * 2**28, cpu_s=20)
    with Cage("dicom_node.reading.study_process:read", "reading", limits) as cage:
        assert expected in how_it_ended(bomb, host, cage)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024  # KiB
    with Cage("dicom_node.reading.study_process:read", "reading", reading_limits(TABLE)) as cage:
        assert how_it_ended(study(), host, cage) == "result "


def how_it_ended(wanted: Task, host: SessionHost, cage: Cage) -> str:
    try:
        result = read_in_cage(wanted, host, cage, 120)
    except StudyError as error:
        return f"{type(error).__name__} {error}"
    return f"{result.outcome} {result.reason}"
