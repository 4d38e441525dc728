"""What bundles have in common that look at images and speak: graphs, chat, questions with their codes, limits."""

from typing import Literal, Self

from pydantic import Field, model_validator

from inference.concept import Concept
from inference.graph import Graph, RelativePath
from inference.inputs import Inputs
from inference.manifests.base import Base
from inference.manifests.identity import BundleReference
from inference.operations import Operation
from inference.strict import Strict

TOKENIZER = "tokenizer/tokenizer.json"
"""One file, as the `tokenizers` library writes it."""

TABLE = "assets/embed.npy"
"""(vocabulary, hidden), float32 or float16: what each token is to the decoder. Mapped into memory, never read whole."""

QUESTION = "{question}"
"""Where the question stands in a chat."""

POSITIONS = ("inputs_embeds", "attention_mask", "position_ids")
"""Inputs of a decoder before its cache."""


class Chat(Strict):
    """How image and question are put before the decoder, and how it ends a text.

    Attributes
    ----------
    before, after
        Text around the image's features; `after` has the question.
    image_token
        The text is made into tokens whole, with this token where the image is; None: what is before the image and what
        is after it are made into tokens apart, the marks of a beginning before the first alone.
    stops
        Tokens that end a text.
    """

    before: str
    after: str
    image_token: str | None = None
    stops: tuple[int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.after.count(QUESTION) != 1 or QUESTION in self.before:
            raise ValueError(f"the text after the image has {QUESTION} once, the one before it never")
        return self


class Option(Strict):
    """One answer to a closed question.

    Attributes
    ----------
    text
        As the decoder writes it, with a blank before it where it would write one.
    present
        Whether it says that the finding is there.
    """

    text: str = Field(min_length=1, max_length=64)
    present: bool


class Question(Strict):
    """One closed question, answered by the option that the decoder is likeliest to write.

    Attributes
    ----------
    id
        Short name, unique in the bundle.
    text
        As it is asked.
    options
        Some of which say that the finding is there, and some that it is not.
    code, site
        What the finding is called, and where it is. Sides and sizes are never taken from a language model.
    least_probability
        That the finding is there, from which on it is listed as one.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=36)
    text: str = Field(min_length=1, max_length=500, pattern=r"\S")
    options: tuple[Option, ...] = Field(min_length=2, max_length=16)
    code: Concept
    site: Concept | None = None
    least_probability: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        if len({option.text for option in self.options}) != len(self.options):
            raise ValueError(f"{self.id}: two options are the same")
        if len({option.present for option in self.options}) != 2:
            raise ValueError(f"{self.id}: some option says that the finding is there, and some that it is not")
        return self


class KindOption(Strict):
    """One kind that a finding may be of.

    Attributes
    ----------
    text
        As of an option.
    code
        What the finding is called when it is of this kind.
    """

    text: str = Field(min_length=1, max_length=64)
    code: Concept


class KindQuestion(Strict):
    """The closed question that is asked of each finding of the evidence, with its localisation in the prompt.

    Attributes
    ----------
    id, text
        As of a question.
    options
        The finding is called by the code of the likeliest one.
    least_probability
        Below it no kind is named, and the finding keeps its code and its probability.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=36)
    text: str = Field(min_length=1, max_length=500, pattern=r"\S")
    options: tuple[KindOption, ...] = Field(min_length=2, max_length=8)
    least_probability: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        codes = {(option.code.scheme, option.code.value) for option in self.options}
        if len({option.text for option in self.options}) != len(self.options) or len(codes) != len(self.options):
            raise ValueError(f"{self.id}: each kind has a text and a code of its own")
        return self


class Request(Strict):
    """What the decoder is asked to write in its own words.

    Attributes
    ----------
    id, text
        As of a question.
    max_tokens
        Most that it writes.
    about
        "image": once, of the image; "finding": once for each finding of the evidence, with its localisation in the
        prompt.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=36)
    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    max_tokens: int = Field(default=256, ge=1, le=4096)
    about: Literal["image", "finding"] = "image"


class Talk(Base):
    """Graphs of role `vision` and `decoder`, and what is asked.

    Attributes
    ----------
    preprocess
        Before the vision graph.
    table
        What each token is to the decoder.
    evidence
        The bundle whose masks and measurements what is said is held against; None: there are none.
    kinds
        Asked of each finding of the evidence.
    locate
        Whether a finding of the evidence that is somewhere in the brain gets the part of it in which it lies, from the
        standard head laid over the image.
    max_tokens
        Most that the decoder takes: image, question and what it writes.
    max_seconds
        For one text; a reading that takes longer fails, so that a result never depends on the speed of a machine.

    Raises
    ------
    pydantic.ValidationError
        If graphs do not agree, nothing is asked, two things that are asked share a name, or something is asked of the
        findings of an evidence that is not named.
    """

    inputs: Inputs
    preprocess: tuple[Operation, ...]
    tokenizer: RelativePath = TOKENIZER
    table: RelativePath = TABLE
    chat: Chat
    questions: tuple[Question, ...] = ()
    requests: tuple[Request, ...] = ()
    evidence: BundleReference | None = None
    kinds: KindQuestion | None = None
    locate: bool = False
    max_tokens: int = Field(ge=8, le=1_048_576)
    max_seconds: float = Field(default=600.0, gt=0)

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        names = [*(question.id for question in self.questions), *(request.id for request in self.requests)]
        names += [] if self.kinds is None else [self.kinds.id]
        if not names or len(set(names)) != len(names):
            raise ValueError("a bundle asks something, and each thing by a name of its own")
        codes = [(question.code.scheme, question.code.value) for question in self.questions]
        if len(set(codes)) != len(codes):
            raise ValueError("each question is about a finding of its own")
        return self

    @model_validator(mode="after")
    def _findings_come_from_evidence(self) -> Self:
        of_findings = self.kinds is not None or self.locate or any(r.about == "finding" for r in self.requests)
        if of_findings and self.evidence is None:
            raise ValueError("kinds, locate and texts about findings need the evidence whose findings they are about")
        return self

    @model_validator(mode="after")
    def _graphs_speak(self) -> Self:
        if sorted(graph.role for graph in self.graphs) != ["decoder", "vision"]:
            raise ValueError("one graph of role 'vision' and one of role 'decoder' are needed")
        decoder, features = self.graph("decoder"), self.graph("vision").outputs
        check_decoder(decoder)
        if [(t.name, t.dtype, len(t.shape)) for t in features] != [("image_features", "float32", 3)]:
            raise ValueError("the vision graph gives image_features, float32 (image, token, hidden)")
        if features[0].shape[1:] != (features[0].shape[1], decoder.inputs[0].shape[2]) or features[0].shape[1] is None:
            raise ValueError("image_features are a fixed number of tokens, as wide as the decoder's")
        return self

    @property
    def image_tokens(self) -> int:
        """Tokens that the features of an image take in the decoder."""
        return self.graph("vision").outputs[0].shape[1] or 0


def check_decoder(graph: Graph) -> None:
    """Raise ValueError where inputs and outputs of a graph are not those of a decoder with its cache."""
    names = [tensor.name for tensor in graph.inputs]
    layers = (len(names) - len(POSITIONS)) // 2
    cache = [f"{n}.{part}" for n in range(layers) for part in ("key", "value")]
    if layers < 1 or names != [*POSITIONS, *(f"past.{name}" for name in cache)]:
        raise ValueError(f"{graph.file} takes {', '.join(POSITIONS)}, past.0.key, past.0.value, ..., got {names}")
    given = [tensor.name for tensor in graph.outputs]
    if given != ["logits", *(f"present.{name}" for name in cache)]:
        raise ValueError(f"{graph.file} gives logits, present.0.key, present.0.value, ..., got {given}")
    if [len(tensor.shape) for tensor in graph.inputs] != [3, 2, 2, *([4] * len(cache))]:
        raise ValueError(f"{graph.file}: its inputs have 3, 2, 2 and then 4 axes each")


class DialogueManifest(Talk):
    """bundle.json of an `image-dialogue` bundle: single slices are looked at, and spoken of.

    Attributes
    ----------
    mean, std
        Subtracted from and divided by each of the three channels that a slice is replicated to, after `preprocess`.
    slices
        How many are looked at, evenly spread, the middle one among them; texts are about the middle one alone.
    slice_rule
        "max": a finding is as probable as on the slice where it is most probable.
    """

    algorithm: Literal["image-dialogue"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    slices: int = Field(default=1, ge=1, le=64)
    slice_rule: Literal["max"] = "max"

    @model_validator(mode="after")
    def _sees_slices(self) -> Self:
        taken = [(t.name, t.dtype, t.shape[1:2], len(t.shape)) for t in self.graph("vision").inputs]
        if taken != [("pixel_values", "float32", (3,), 4)]:
            raise ValueError("the vision graph takes pixel_values, float32 (image, 3, row, column)")
        if self.slices % 2 == 0 or min(self.std) <= 0:
            raise ValueError("an odd number of slices has a middle one; deviations are above 0")
        return self


class VolumeReportManifest(Talk):
    """bundle.json of a `volume-report` bundle: the whole volume is looked at, and reported."""

    algorithm: Literal["volume-report"]

    @model_validator(mode="after")
    def _sees_volumes(self) -> Self:
        taken = [(t.name, t.dtype, t.shape[1:2], len(t.shape)) for t in self.graph("vision").inputs]
        if taken != [("volume", "float32", (1,), 5)]:
            raise ValueError("the vision graph takes volume, float32 (image, 1, slice, row, column)")
        return self
