"""What a site wants to ask a vision-language model, in one JSON file, because no checkpoint says it."""

from pathlib import Path

from pydantic import Field, ValidationError

from export_onnx.errors import ExportError
from inference.inputs import Inputs
from inference.manifests.talk import Chat, Question, Request
from inference.operations import Operation
from inference.strict import Strict


class Asked(Strict):
    """Each as in `inference.manifests.talk`.

    Attributes
    ----------
    inputs
        Which series are read.
    questions, requests
        Something has to be asked.
    chat
        None: as the model's family was taught.
    preprocess
        None: as the recipe says.
    slices
        Looked at, where single slices are.
    max_seconds
        For one text.
    """

    inputs: Inputs
    questions: tuple[Question, ...] = ()
    requests: tuple[Request, ...] = ()
    chat: Chat | None = None
    preprocess: tuple[Operation, ...] | None = None
    slices: int = Field(default=1, ge=1)
    max_seconds: float = Field(default=600.0, gt=0)


def read(path: Path) -> Asked:
    """Read the file; raises ExportError where it cannot be read or is another."""
    try:
        return Asked.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ExportError(f"{path.name}: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ExportError(f"{path.name}: {faults}") from error
