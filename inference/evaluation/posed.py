"""A question with its right answer, whatever it is about; knows no picture and no volume."""

from dataclasses import dataclass

from inference.errors import DataError
from inference.evaluation.words import answer_words

YES_NO = ("yes", "no")


@dataclass(frozen=True, kw_only=True)
class Posed:
    """A question and its answer.

    Attributes
    ----------
    subject
        What is divided and resampled as one: the patient, or the picture where nobody knows whose it is.
    kind
        What it asks for, for example "PRES" or "location".
    closed
        Whether there are answers to choose from.
    options
        Those answers, where they are known; the right one is among them.
    """

    subject: str
    text: str
    answer: str
    kind: str
    closed: bool
    options: tuple[str, ...]


def options_of(answer: str, options: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The options of a question: those that are given, else yes and no where the answer is one of them.

    Raises
    ------
    DataError
        If there is one option alone, two are the same, or the answer is none of them; the message begins with `place`.
    """
    wanted, known = answer_words(answer), [answer_words(option) for option in options]
    if not options:
        return YES_NO if wanted in (["yes"], ["no"]) else ()
    if len(options) < 2 or any(one in known[:number] for number, one in enumerate(known)):
        raise DataError(f"{place}: {len(options)} options, of which one chooses at least two that differ")
    if wanted not in known:
        raise DataError(f"{place}: the answer is none of the {len(options)} options")
    return options
