"""Logs for the journal: one line an event, text or JSON, on stderr.

Control characters escaped, no dataset ever formatted.
"""

import logging
import sys

import structlog

from dicom_node.config import LogTable

# These libraries write what came over the wire into their messages; a name in a log is worse than a missing line.
_SILENCED = ("pynetdicom", "pydicom", "highdicom", "PIL")


def set_up(log: LogTable, process: str) -> None:
    """Send structlog's events, and the warnings of libraries, to stderr; `process` stands in every line."""
    level = getattr(logging, log.level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if log.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _escape_control_characters,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _escape_control_characters(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A line feed in a value must not begin a line of the attacker's own."""
    return {
        key: value.encode("unicode_escape").decode("ascii")
        if isinstance(value, str) and not value.isprintable()
        else value
        for key, value in event.items()
    }
