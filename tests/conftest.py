"""What every test runs under: no telemetry, valid values enforced when writing, logs as they are before any command."""

from collections.abc import Iterator

import pytest
import structlog

import inference  # noqa: F401  (sets the environment before anything imports onnxruntime)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command run in this process sends its logs to the stderr of then, which is closed when the test ends."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
