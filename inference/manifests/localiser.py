"""bundle.json of a `tumour-localiser` bundle: stages of a vision transformer against texts of normal and abnormal."""

from typing import Literal

from pydantic import Field, model_validator

from inference.graph import RelativePath, Slices, Tensor
from inference.manifests.identity import Sha256
from inference.manifests.marked import Marked
from inference.outputs import Calibration
from inference.strict import Strict

FEATURES = "assets/text_features.npy"
"""(2, joint), float32, each row of length 1: normal, then abnormal."""

PROMPTS = "assets/prompts.json"
"""The texts that the features were made of, as `inference.language.prompts.Prompts`."""

TOKENIZER = "tokenizer/tokenizer.json"
"""One file, as the `tokenizers` library writes it; where there is a text graph."""

VISION_INPUTS, VISION_OUTPUTS = ("image", "text_features"), ("anomaly_map", "abnormal_prob")
TEXT_INPUTS, TEXT_OUTPUT = ("input_ids", "attention_mask"), "text_features"


class InGraph(Strict):
    """What the graph does with an image before its first layer, said here because `preprocess` does not do it.

    Attributes
    ----------
    channels
        The one channel is replicated to as many.
    mean, std
        Subtracted and divided by, a value for each channel, of an image in [0, 1].
    """

    channels: int = Field(ge=1, le=4)
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @model_validator(mode="after")
    def _each_channel(self) -> "InGraph":
        if len(self.mean) != self.channels or len(self.std) != self.channels or min(self.std) <= 0:
            raise ValueError(f"{self.channels} channels need as many means, and deviations above 0")
        return self


class Texts(Strict):
    """The text side, where other prompts may be put in.

    Attributes
    ----------
    tokenizer
        File that turns a text to tokens.
    max_length
        Tokens that the graph takes, its own marks at beginning and end included.
    """

    tokenizer: RelativePath = TOKENIZER
    max_length: int = Field(ge=4, le=8192)


class LocaliserManifest(Marked):
    """Graphs of role `vision` and perhaps `text`, and what the map and the score of a slice say.

    Attributes
    ----------
    stages
        After which blocks of the transformer patches are compared with the texts.
    decoder
        "trained": what leads from a stage to the texts has been learnt; "zero-shot": it is the checkpoint's own
        projection, which was learnt for the last stage and whole images alone.
    in_graph
        What the graph does with the image before its first layer.
    texts
        None: the prompts are fixed.
    image_calibration
        Of the score of a slice; None: it is no probability, and none is given for the study.
    prompts_changed_from
        Digest of the bundle whose texts were replaced; its calibrations and figures do not hold for this one.

    Raises
    ------
    pydantic.ValidationError
        If segments, findings and graphs do not agree.
    """

    algorithm: Literal["tumour-localiser"]
    tiling: Slices
    stages: tuple[int, ...] = Field(min_length=1)
    decoder: Literal["trained", "zero-shot"]
    in_graph: InGraph | None = None
    texts: Texts | None = None
    image_calibration: Calibration | None = None
    prompts_changed_from: Sha256 | None = None

    @property
    def joint(self) -> int:
        """Features that images and texts have in common."""
        length = self.graph("vision").inputs[1].shape[1]
        if length is None:
            raise ValueError("text_features have a fixed length")  # validated below
        return length

    @model_validator(mode="after")
    def _one_map(self) -> "LocaliserManifest":
        if len(self.segments) != 1 or self.segments[0].channel != 0:
            raise ValueError("the graph gives one map: one segment, of channel 0")
        if any(finding.classes for finding in self.findings):
            raise ValueError("the graph tells no kinds: findings have no classes")
        return self

    @model_validator(mode="after")
    def _graphs_fit(self) -> "LocaliserManifest":
        roles = [graph.role for graph in self.graphs]
        if sorted(roles) not in (["vision"], ["text", "vision"]):
            raise ValueError(f"a tumour-localiser bundle has a graph of role 'vision' and perhaps 'text', got {roles}")
        if self.has("text") != (self.texts is not None):
            raise ValueError("`texts` and a graph of role 'text' are there together, or neither is")
        self._vision_fits()
        if self.has("text"):
            self._text_fits()
        return self

    def _vision_fits(self) -> None:
        graph = self.graph("vision")
        if _names(graph.inputs) != VISION_INPUTS or _names(graph.outputs) != VISION_OUTPUTS:
            raise ValueError(f"{graph.file} takes {', '.join(VISION_INPUTS)} and gives {', '.join(VISION_OUTPUTS)}")
        image, features = (tensor.shape for tensor in graph.inputs)
        channels = self.tiling.replicate * (2 * self.tiling.neighbours + 1)
        if len(image) != 4 or image[1] not in (None, channels):
            raise ValueError(f"{graph.file}: slices take 4 axes with {channels} channels, got {image}")
        if len(features) != 2 or features[0] != 2 or features[1] is None:
            raise ValueError(f"{graph.file}: text_features is (2, joint), got {features}")
        maps, scores = (tensor.shape for tensor in graph.outputs)
        if len(maps) != 4 or maps[1] != 1 or len(scores) != 1:
            raise ValueError(f"{graph.file}: anomaly_map is (batch, 1, row, column), abnormal_prob (batch,)")
        if graph.activation != "none":
            raise ValueError(f"{graph.file} gives probabilities: activation is 'none'")

    def _text_fits(self) -> None:
        graph = self.graph("text")
        if _names(graph.inputs) not in (TEXT_INPUTS, TEXT_INPUTS[:1]) or _names(graph.outputs) != (TEXT_OUTPUT,):
            raise ValueError(f"{graph.file} takes input_ids and perhaps attention_mask, and gives {TEXT_OUTPUT}")
        if any(tensor.dtype != "int64" or tensor.shape != (None, None) for tensor in graph.inputs):
            raise ValueError(f"{graph.file}: inputs are int64 (text, token), both of any number")
        if graph.outputs[0].shape != (None, self.joint):
            raise ValueError(f"{graph.file}: {TEXT_OUTPUT} is (text, {self.joint}), as the vision graph takes them")


def _names(tensors: tuple[Tensor, ...]) -> tuple[str, ...]:
    return tuple(tensor.name for tensor in tensors)
