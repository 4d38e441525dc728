"""The inside of the process that reads one study and ends: takes the task, asks for the analysis, sends the result."""

from dicom_node.reading.analysis import read_study
from dicom_node.reading.analysis_message import analysis_from_message
from dicom_node.reading.request_message import request_to_message
from dicom_node.reading.task import Analysis, Given
from dicom_node.reading.task_message import error_from_message, result_to_message, task_from_message
from dicom_node.reading.wire import Channel, decoded


def read(channel: Channel) -> None:
    """Read the one study that comes over the channel; an error ends the process and reaches the parent as its last."""
    task = decoded(task_from_message, channel.receive())

    def analyse(name: str, given: Given) -> Analysis:
        channel.send(request_to_message(name, given))
        answer = channel.receive()
        if answer.kind != "analysis":
            raise decoded(error_from_message, answer)
        return decoded(analysis_from_message, answer)

    channel.send(result_to_message(read_study(task, analyse)))
