"""A probability from an image and one from a text, joined by logistic regression; knows neither image nor text."""

import math

from pydantic import Field

from inference.strict import Strict

_LEAST = 1e-4  # a probability nearer to 0 or 1 counts as this: neither source may silence the other


class Fusion(Strict):
    """Logistic regression on the log-odds of the two probabilities, fitted on validation.

    Attributes
    ----------
    image_weight, text_weight, intercept
        Of log-odds = image_weight * log-odds(image) + text_weight * log-odds(text) + intercept.
    text
        What the text score was when the weights were fitted, in words.
    """

    image_weight: float
    text_weight: float
    intercept: float
    text: str = Field(min_length=1)


def fused(image: float, text: float, fusion: Fusion) -> float:
    """Probability from both.

    Parameters
    ----------
    image, text
        Probabilities in [0, 1] of the same statement.
    fusion
        Weights.

    Raises
    ------
    ValueError
        If one of them is no probability.
    """
    for name, value in (("image", image), ("text", text)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"the {name} score is a probability within [0, 1], got {value}")
    odds = fusion.image_weight * log_odds(image) + fusion.text_weight * log_odds(text) + fusion.intercept
    return 0.5 + 0.5 * math.tanh(0.5 * odds)


def log_odds(probability: float) -> float:
    """log(p / (1 - p)), of a probability kept a little away from 0 and 1."""
    kept = min(max(probability, _LEAST), 1.0 - _LEAST)
    return math.log(kept / (1.0 - kept))
