import json
import logging

import pytest
import structlog

from dicom_node.config import LogTable
from dicom_node.operation.logs import set_up


def test_json_lines_have_the_process_and_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogTable(format="json"), "listener")
    structlog.get_logger("x").info("study_closed", instances=192)
    line = json.loads(capsys.readouterr().err)
    assert (line["process"], line["event"], line["instances"], line["level"]) == (
        "listener",
        "study_closed",
        192,
        "info",
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_feed_in_a_value_begins_no_line(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up(LogTable.model_validate({"format": form}), "listener")
    structlog.get_logger("x").warning("refused", calling_ae="EVIL\n2026-01-01 [info] all is well\x1b[2J")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogTable(level="warning"), "listener")
    structlog.get_logger("x").info("quiet")
    assert capsys.readouterr().err == ""


def test_libraries_that_log_what_came_over_the_wire_are_silenced() -> None:
    set_up(LogTable(level="debug"), "listener")
    assert not logging.getLogger("pynetdicom.acse").isEnabledFor(logging.ERROR)
    assert not logging.getLogger("pydicom").isEnabledFor(logging.WARNING)
