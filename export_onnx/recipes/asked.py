"""What a site wants to ask a vision-language model, in one JSON file, because no checkpoint says it."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from export_onnx.errors import ExportError
from inference.catalogue import describe
from inference.inputs import Inputs
from inference.manifests.identity import BundleReference, Name, Version
from inference.manifests.talk import Chat, KindQuestion, Question, Request
from inference.operations import Operation
from inference.strict import Strict


class EvidenceName(Strict):
    """The bundle that marks and measures what the model speaks of: one that ships, or lies where bundles are written.

    Attributes
    ----------
    name, version
        As its folder has them; its digest is taken from there.
    """

    name: Name
    version: Version


class Asked(Strict):
    """Each as in `inference.manifests.talk`.

    Attributes
    ----------
    inputs
        Which series are read.
    questions, requests
        Something has to be asked.
    evidence, kinds, locate
        Kinds are asked, and texts written, of findings of the evidence.
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
    evidence: EvidenceName | None = None
    kinds: KindQuestion | None = None
    locate: bool = False
    chat: Chat | None = None
    preprocess: tuple[Operation, ...] | None = None
    slices: int = Field(default=1, ge=1)
    max_seconds: float = Field(default=600.0, gt=0)

    def values(self, out: Path) -> dict[str, Any]:
        """Keys of the manifest that say what is asked, of whatever looks.

        Parameters
        ----------
        out
            Folder where bundles are written; the evidence may lie there.

        Raises
        ------
        BundleError
            If the evidence is not there, or does not hold together.
        """
        return {
            "inputs": self.inputs,
            "questions": self.questions,
            "requests": self.requests,
            "evidence": None if self.evidence is None else _reference(self.evidence, out),
            "kinds": self.kinds,
            "locate": self.locate,
            "max_seconds": self.max_seconds,
        }


def _reference(wanted: EvidenceName, out: Path) -> BundleReference:
    found = describe(f"{wanted.name}-{wanted.version}", out if out.is_dir() else None)
    return BundleReference(name=wanted.name, version=wanted.version, digest=found.algorithm.digest)


def read(path: Path) -> Asked:
    """Read the file; raises ExportError where it cannot be read or is another."""
    try:
        return Asked.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ExportError(f"{path.name}: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ExportError(f"{path.name}: {faults}") from error
