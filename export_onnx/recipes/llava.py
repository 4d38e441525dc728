"""A LLaVA folder as an `image-dialogue` bundle, with proof."""

from pathlib import Path

from export_onnx.checkpoint import Checkpoint, json_object
from export_onnx.errors import CheckpointError
from export_onnx.recipes.asked import Asked
from export_onnx.recipes.clip_weights import MEAN, STD
from export_onnx.recipes.declaration import Declaration
from export_onnx.recipes.llava_weights import ORIGINAL, Llava, llava_of
from export_onnx.recipes.talk import Vision, write
from inference import operations as ops
from inference.bundle import Bundle
from inference.manifests.talk import Chat

TOKENIZER, IMAGES = "tokenizer.json", "preprocessor_config.json"

_IMAGE_TOKEN = "<image>"  # noqa: S105  # no password
_HUGGING_FACE = ("USER: ", "\n{question} ASSISTANT:")
_INSTRUCTED = ("[INST] ", "\n{question} [/INST]")
_VICUNA = (
    (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. USER: "
    ),
    "\n{question} ASSISTANT:",
)


def export(folder: Path, out: Path, declaration: Declaration, asked: Asked, tower: Path | None = None) -> Bundle:
    """Read a checkpoint, export it, prove it and write the bundle.

    Parameters
    ----------
    tower
        Folder of the CLIP, for a checkpoint without one.

    Raises
    ------
    CheckpointError
        If it is of another architecture, a tensor is missing, unexpected or of another shape, it has no tokenizer, or
        its configuration asks for what this cannot build.
    ParityError
        If ONNX Runtime does not compute what torch computes.
    """
    checkpoint = Checkpoint.read(folder)
    found = llava_of(checkpoint, None if tower is None else Checkpoint.read(tower))
    if not (folder / TOKENIZER).is_file():
        raise CheckpointError(f"{folder.name}: no {TOKENIZER}; transformers writes it from tokenizer.model")
    images = json_object(folder / IMAGES) if (folder / IMAGES).is_file() else {}
    mean, std = tuple(images.get("image_mean", MEAN)), tuple(images.get("image_std", STD))
    used = (TOKENIZER, *((IMAGES,) if images else ()))
    values = {
        **declaration.values(checkpoint, found.layout, *used),
        "algorithm": "image-dialogue",
        **asked.values(out),
        "preprocess": asked.preprocess or preprocess(found.image, sum(mean) / 3),
        "chat": asked.chat or _chat(checkpoint, found),
        "mean": mean,
        "std": std,
        "slices": asked.slices,
    }
    vision = Vision(
        network=found.vision,
        weights=found.tensors,
        takes="pixel_values",
        shape=(None, 3, found.image, found.image),
        tokens=found.vision.tokens,
    )
    card = (
        f"# {declaration.title}\n\n{declaration.name} {declaration.version}, exported from a local checkpoint "
        f"({checkpoint.architecture}). Looks at {asked.slices} slices, {found.image} pixels wide.\n\n"
        "What it writes is a draft. No figures are given: the export measured none. Slices are interpolated linearly, "
        "the images it learnt from were interpolated by cubes.\n"
    )
    return write(out, vision, found.language, (folder / TOKENIZER).read_bytes(), values, card)


def preprocess(edge: int, background: float) -> tuple[ops.Operation, ...]:
    """A slice as it is customarily looked at, windowed, made square with the mean of the images it learnt from."""
    return (
        ops.Display(),
        ops.WindowPercentile(lower=1.0, upper=99.5, scope="slice", foreground=False),
        ops.PadSquare(value=background),
        ops.Resize(shape=(None, edge, edge), antialias=True),
    )


def _chat(checkpoint: Checkpoint, found: Llava) -> Chat:
    """As the family was taught; in the layout of LLaVA the texts around the image are made into tokens apart."""
    part = checkpoint.config if found.layout == "llava" else checkpoint.config["text_config"]
    end = part.get("eos_token_id")
    stops = tuple(end) if isinstance(end, list) else (2 if end is None else int(end),)
    if found.layout == "llava":
        before, after = _INSTRUCTED if ORIGINAL[checkpoint.architecture] == "mistral" else _VICUNA
        return Chat(before=before, after=after, stops=stops)
    before, after = _HUGGING_FACE
    return Chat(before=before, after=after, image_token=_IMAGE_TOKEN, stops=stops)
