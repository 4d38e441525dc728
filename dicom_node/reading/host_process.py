"""The inside of the session host: opens readers, keeps them warm, answers request after request; knows no dataset."""

import select
import time
from pathlib import Path

from dicom_node.errors import DefectError, TransientError, UnsuitableError
from dicom_node.reading.analysis_message import analysis_to_message
from dicom_node.reading.question_message import CANCEL, piece_to_message
from dicom_node.reading.request_message import request_from_message
from dicom_node.reading.task import Analysis, Given
from dicom_node.reading.task_message import error_to_message
from dicom_node.reading.wire import Channel, Message, decoded
from inference.algorithms import Reader, Runtime, TextReader
from inference.algorithms.joined import read_joined
from inference.asked import Answerer, ImageWithQuestion, Mode
from inference.catalogue import open_reader
from inference.errors import (
    BundleError,
    InferenceError,
    ProviderError,
    UnsuitableImageError,
    UnsuitableTextError,
)
from inference.findings import Findings
from inference.image import Image
from inference.report_text import ReportText
from inference.text_opinion import ImageWithText


def serve(channel: Channel) -> None:
    """Answer requests until the channel closes.

    A failed run and an error that no branch of the family names end the process, and its excepthook tells the parent:
    what they left behind in memory, or on a GPU, serves no other study.
    """
    desk = _Desk(decoded(_settings, channel.receive()), channel)
    while True:
        request = channel.receive()
        if request.kind != CANCEL:  # one that came too late: the answer was complete
            channel.send(desk.answer(request))


class _Desk:
    """The open readers."""

    def __init__(self, settings: tuple[Path | None, Runtime], channel: Channel) -> None:
        self._bundles_dir, self._runtime = settings
        self._channel = channel
        self._readers: dict[str, Reader | TextReader] = {}

    def answer(self, request: Message) -> Message:
        """The analysis, or in its place the error that leaves the readers as they were."""
        try:
            return analysis_to_message(self._analyse(request))
        except (UnsuitableError, DefectError) as error:
            return error_to_message(error)

    def _analyse(self, request: Message) -> Analysis:
        name, given = decoded(request_from_message, request)
        try:
            reader = self._reader(name)
            started = time.perf_counter()
            findings = self._findings(reader, given)
        except (UnsuitableImageError, UnsuitableTextError) as error:
            raise UnsuitableError(str(error)) from error
        except (BundleError, ProviderError) as error:
            raise DefectError(str(error)) from error
        except InferenceError as error:
            raise TransientError(str(error)) from error
        return Analysis(findings=findings, provider=reader.provider, seconds=time.perf_counter() - started)

    def _findings(self, reader: Reader | TextReader, given: Given) -> Findings:
        if isinstance(given, ImageWithQuestion):
            return self._answered(reader, given)
        if isinstance(given, ImageWithText):
            return read_joined(reader, self._reader(given.text_reader), given)
        return _read(reader, given)

    def _answered(self, reader: Reader | TextReader, given: ImageWithQuestion) -> Findings:
        """Each piece of the answer is sent as it comes, until the other side wants no more."""
        if not isinstance(reader, Answerer):
            raise DefectError(f"{reader.algorithm.name} does not speak: it answers no questions")
        cancelled = False

        def is_cancelled() -> bool:
            nonlocal cancelled
            if not cancelled and select.select([self._channel], [], [], 0)[0]:
                cancelled = self._channel.receive().kind == CANCEL
            return cancelled

        def told(mode: Mode, text: str) -> None:
            self._channel.send(piece_to_message(mode, text))

        return reader.answered(given.image, given.asked, told, is_cancelled)

    def _reader(self, name: str) -> Reader | TextReader:
        if name not in self._readers:
            self._readers[name] = open_reader(name, self._bundles_dir, self._runtime)
        return self._readers[name]


def _read(reader: Reader | TextReader, given: Image | ReportText) -> Findings:
    if isinstance(reader, TextReader):
        if isinstance(given, ReportText):
            return reader.read_text(given)
    elif isinstance(given, Image):
        return reader.read(given)
    raise DefectError(f"{reader.algorithm.name} was given a {type(given).__name__}, which it does not read")


def _settings(message: Message) -> tuple[Path | None, Runtime]:
    body = message.body
    runtime = Runtime(providers=tuple(body["providers"]), threads=int(body["threads"]))
    return Path(body["bundles_dir"]) if body["bundles_dir"] is not None else None, runtime
