"""What is put before a model in words: texts of what is normal and what is not, a question with its options."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from inference.errors import BundleError
from inference.strict import Strict

Array = NDArray[np.float32]

Embed = Callable[[str], Array]
"""One text to its features (joint,), float32."""

MOST = 200
"""Texts of one class."""


Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Prompts(Strict):
    """Texts of both classes.

    Attributes
    ----------
    normal, abnormal
        Each text says the same in other words; their features are averaged.
    """

    normal: tuple[Text, ...] = Field(min_length=1, max_length=MOST)
    abnormal: tuple[Text, ...] = Field(min_length=1, max_length=MOST)


def read_prompts(path: Path) -> Prompts:
    """Texts of both classes from a file, a JSON object with the lists `normal` and `abnormal`.

    Raises
    ------
    BundleError
        If it cannot be read, or is another; the message names the file.
    """
    try:
        return Prompts.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path.name}: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise BundleError(f"{path.name}: {faults}") from error


def text_features(prompts: Prompts, embed: Embed) -> Array:
    """(2, joint), float32, of length 1: the ensemble of the normal texts, then that of the abnormal ones."""
    both = [ensemble([embed(text) for text in texts]) for texts in (prompts.normal, prompts.abnormal)]
    return np.stack(both)


def ensemble(features: Sequence[Array]) -> Array:
    """Features of some texts as one: made of length 1 before the mean, so that each text counts alike, and after it.

    Radford et al., CLIP (ICML 2021), section 3.1.4.
    """
    each = np.stack([_unit(one.astype(np.float64)) for one in features])
    whole: Array = _unit(each.mean(axis=0)).astype(np.float32)
    return whole


def listed(question: str, options: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A question with its options by letter, and the letters: "Which side? Choices: A. left B. right".

    Bai et al., M3D (2024), closed questions of M3D-VQA.
    """
    letters = tuple(chr(ord("A") + index) for index in range(len(options)))
    choices = " ".join(f"{letter}. {option}" for letter, option in zip(letters, options, strict=True))
    return f"{question} Choices: {choices}", letters


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(values))
    if not np.isfinite(length) or length == 0.0:
        raise BundleError("a text has no features: they are zero, or not numbers")
    return values / length
