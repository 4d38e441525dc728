"""A reading task, its result and its failure as messages and back."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from dicom_node.errors import DefectError, StudyError, TransientError, UnsuitableError
from dicom_node.reading.question_message import question_from_body, question_to_body
from dicom_node.reading.task import Question, ReadingResult, Task, TextReading
from dicom_node.reading.wire import Body, Message
from dicom_node.results.identity import Predecessor
from dicom_node.results.rendering import Rendering
from dicom_node.results.segmentation_form import SegForm
from dicom_node.study import (
    ObjectKind,
    Outcome,
    ResultObject,
    SeriesInstanceUID,
    SOPClassUID,
    SOPInstanceUID,
    is_uid,
)
from inference.inputs import Inputs, TextInputs

LONGEST_TEXT = 4000
"""Characters of a reason or an error taken from another process."""

_INPUTS: TypeAdapter[Inputs | TextInputs] = TypeAdapter(Inputs | TextInputs)
_FAMILY: dict[str, type[StudyError]] = {
    "UnsuitableError": UnsuitableError,
    "TransientError": TransientError,
    "DefectError": DefectError,
}


def task_to_message(task: Task) -> Message:
    """A task with its instances."""
    body = {
        "algorithm": task.algorithm,
        "algorithm_digest": task.algorithm_digest,
        "inputs": task.inputs.model_dump(mode="json") if task.inputs else None,
        "configuration_digest": task.configuration_digest,
        "software_version": task.software_version,
        "renderings": [_rendering_to_body(rendering) for rendering in task.renderings],
        "analysed_at": task.analysed_at.isoformat() if task.analysed_at else None,
        "version": task.version,
        "predecessors": [
            [p.kind, p.sop_class_uid, p.sop_instance_uid, p.series_instance_uid, p.rendering] for p in task.predecessors
        ],
        "earlier": len(task.earlier),
        "forced": list(task.forced) if task.forced else None,
        "outcome_report": task.outcome_report,
        "report": task.report,
        "language": task.language,
        "beside": [task.beside.name, task.beside.digest, task.beside.inputs.model_dump(mode="json")]
        if task.beside
        else None,
        "question": [question_to_body(task.question.asked), [list(pair) for pair in task.question.tracked]]
        if task.question
        else None,
    }
    return Message(kind="task", body=body, buffers=(*task.instances, *task.earlier))


def task_from_message(message: Message) -> Task:
    """The task; to be called through `dicom_node.reading.wire.decoded`."""
    body = message.body
    files = tuple(bytes(buffer) for buffer in message.buffers)
    instances = len(files) - int(body["earlier"])
    return Task(
        instances=files[:instances],
        earlier=files[instances:],
        algorithm=_text(body["algorithm"]),
        algorithm_digest=_text(body["algorithm_digest"]),
        inputs=_INPUTS.validate_python(body["inputs"]) if body["inputs"] is not None else None,
        configuration_digest=_text(body["configuration_digest"]),
        software_version=_text(body["software_version"]),
        renderings=tuple(_rendering(**fields) for fields in body["renderings"]),
        analysed_at=datetime.fromisoformat(body["analysed_at"]) if body["analysed_at"] else None,
        version=int(body["version"]),
        predecessors=tuple(_predecessor(*values) for values in body["predecessors"]),
        forced=(Outcome(body["forced"][0]), _text(body["forced"][1])) if body["forced"] is not None else None,
        outcome_report=body["outcome_report"] is True,
        report=_text(body["report"]) if body["report"] is not None else None,
        beside=_text_reading(*body["beside"]) if body["beside"] is not None else None,
        language=body["language"],
        question=_question(*body["question"]) if body["question"] is not None else None,
    )


def _question(asked: Any, tracked: Any) -> Question:
    return Question(
        asked=question_from_body(_mapping(asked)), tracked=tuple((_text(label), _uid(uid)) for label, uid in tracked)
    )


def _text_reading(name: Any, digest: Any, inputs: Any) -> TextReading:
    return TextReading(name=_text(name), digest=_text(digest), inputs=TextInputs.model_validate(inputs))


def result_to_message(result: ReadingResult) -> Message:
    """A result with the bytes of its objects."""
    body: Body = {
        "outcome": result.outcome,
        "reason": result.reason,
        "objects": [
            [o.kind, o.sop_class_uid, o.sop_instance_uid, o.series_instance_uid, o.rendering] for o in result.objects
        ],
        "instances_digest": result.instances_digest,
        "series": result.series,
        "left": [list(pair) for pair in result.left],
        "notes": list(result.notes),
        "findings": list(result.findings),
        "narrative": result.narrative,
        "provider": result.provider,
        "seconds": result.seconds,
        "answers": list(result.answers),
    }
    return Message(kind="result", body=body, buffers=tuple(o.data for o in result.objects))


def result_from_message(message: Message) -> ReadingResult:
    """The result; to be called through `dicom_node.reading.wire.decoded`."""
    body = message.body
    return ReadingResult(
        outcome=Outcome(body["outcome"]),
        reason=_text(body["reason"])[:LONGEST_TEXT],
        objects=tuple(
            _object(*values, data=bytes(data)) for values, data in zip(body["objects"], message.buffers, strict=True)
        ),
        instances_digest=_text(body["instances_digest"]),
        series=_text(body["series"]),
        left=tuple((_text(uid), _text(why)[:LONGEST_TEXT]) for uid, why in body["left"]),
        notes=tuple(_text(note)[:LONGEST_TEXT] for note in body["notes"]),
        findings=tuple(_mapping(finding) for finding in body["findings"]),
        narrative=_text(body["narrative"]),
        provider=_text(body["provider"]),
        seconds=float(body["seconds"]),
        answers=tuple(_mapping(answer) for answer in body["answers"]),
    )


def error_to_message(error: StudyError) -> Message:
    """An error of the family, by the name of its branch."""
    branch = next((name for name, kind in _FAMILY.items() if isinstance(error, kind)), "DefectError")
    return Message(kind="error", body={"branch": branch, "text": str(error)[:LONGEST_TEXT]})


def error_from_message(message: Message) -> StudyError:
    """The error; to be called through `dicom_node.reading.wire.decoded`."""
    return _FAMILY[message.body["branch"]](_text(message.body["text"])[:LONGEST_TEXT])


def _predecessor(
    kind: Any, sop_class_uid: Any, sop_instance_uid: Any, series_instance_uid: Any, rendering: Any
) -> Predecessor:
    return Predecessor(
        kind=ObjectKind(kind),
        sop_class_uid=SOPClassUID(_uid(sop_class_uid)),
        sop_instance_uid=SOPInstanceUID(_uid(sop_instance_uid)),
        series_instance_uid=SeriesInstanceUID(_uid(series_instance_uid)),
        rendering=_text(rendering),
    )


def _object(
    kind: Any, sop_class_uid: Any, sop_instance_uid: Any, series_instance_uid: Any, rendering: Any, *, data: bytes
) -> ResultObject:
    return ResultObject(
        kind=ObjectKind(kind),
        sop_class_uid=SOPClassUID(_uid(sop_class_uid)),
        sop_instance_uid=SOPInstanceUID(_uid(sop_instance_uid)),
        series_instance_uid=SeriesInstanceUID(_uid(series_instance_uid)),
        data=data,
        rendering=_text(rendering),
    )


def _rendering_to_body(rendering: Rendering) -> Body:
    return {
        "profile": rendering.profile,
        "seg_form": rendering.seg_form,
        "measurement_class": rendering.measurement_class,
        "narrative_class": rendering.narrative_class,
        "original_source": rendering.original_source,
        "secondary_capture": rendering.secondary_capture,
    }


def _rendering(
    profile: Any,
    seg_form: Any,
    measurement_class: Any,
    narrative_class: Any,
    *,
    original_source: Any,
    secondary_capture: Any,
) -> Rendering:
    return Rendering(
        profile=_text(profile),
        seg_form=SegForm(seg_form) if seg_form is not None else None,
        measurement_class=SOPClassUID(_uid(measurement_class)) if measurement_class is not None else None,
        narrative_class=SOPClassUID(_uid(narrative_class)) if narrative_class is not None else None,
        original_source=original_source is True,
        secondary_capture=secondary_capture is True,
    )


def _uid(value: Any) -> str:
    if not is_uid(_text(value)):
        raise ValueError("not a UID")
    return str(value)


def _mapping(value: Any) -> Body:
    if not isinstance(value, dict):
        raise TypeError("a mapping expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
