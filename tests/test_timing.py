import sys
from pathlib import Path

import pytest

from inference import timing
from inference.errors import ProviderError
from inference.session import available
from tests import tiny_bundles


def test_a_graph_is_timed_on_its_own_inputs(tmp_path: Path) -> None:
    bundle = tiny_bundles.written(tmp_path)
    found = {t.provider: t for t in timing.timings(bundle, threads=1)}
    told = found["CPUExecutionProvider"]
    assert told.ms is not None
    assert told.ms > 0
    assert told.runs == timing.RUNS
    assert told.file_mb == pytest.approx((bundle.path / "graphs" / "segment.onnx").stat().st_size / 1e6)
    assert told.fault == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_memory_is_the_growth_while_it_ran(tmp_path: Path) -> None:
    (told, *_) = timing.timings(tiny_bundles.written(tmp_path), threads=1)
    if told.resident_mb is None:
        pytest.skip("/proc/self/clear_refs cannot be written here")
    assert 0 <= told.resident_mb < 500


def test_a_provider_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ProviderError("no such device")

    monkeypatch.setattr(timing, "Session", refuses)
    (told, *_) = timing.timings(tiny_bundles.written(tmp_path / "b"), threads=1)
    assert (told.ms, told.runs, told.fault) == (None, 0, "no such device")


def test_the_cpu_is_always_there() -> None:
    assert "cpu" in available()
