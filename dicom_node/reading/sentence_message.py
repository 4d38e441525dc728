"""A sentence, with what it says apart from any language, as JSON values and back."""

from typing import Any, get_args

from pydantic import TypeAdapter

from inference.draft import Draft
from inference.findings import Sentence
from inference.statements import Statement

_KINDS: dict[str, TypeAdapter[Statement]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Statement)}
_DRAFT = TypeAdapter(Draft)


def sentence_out(sentence: Sentence) -> list[Any]:
    """Text, label of the finding or None, name of the statement or None, its values, and the verdict or None."""
    draft = None if sentence.draft is None else _DRAFT.dump_python(sentence.draft, mode="json")
    if sentence.says is None:
        return [sentence.text, sentence.finding, None, None, draft]
    kind = type(sentence.says).__name__
    return [sentence.text, sentence.finding, kind, _KINDS[kind].dump_python(sentence.says, mode="json"), draft]


def sentence_in(text: Any, finding: Any, kind: Any, values: Any, draft: Any) -> Sentence:
    """The sentence; to be called through `dicom_node.reading.wire.decoded`.

    Raises
    ------
    ValueError, TypeError, LookupError
        If the values are not those of a sentence.
    """
    if not isinstance(text, str) or not isinstance(finding, str | None):
        raise TypeError("text expected")
    return Sentence(
        text=text,
        finding=finding,
        says=None if kind is None else _KINDS[kind].validate_python(values, strict=False),
        draft=None if draft is None else _DRAFT.validate_python(draft, strict=False),
    )
