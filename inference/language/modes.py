"""A question in the words in which a model is asked it: as it is, with what was found, or step by step.

BrainMRI-GPT asked in three ways: of the image alone, with the place of the lesion given, and by a chain of thought.
There the place was drawn into the image; here it is said in words, from codes and measurements alone, never from text
of a header.
"""

from collections.abc import Sequence

from inference.asked import Exchange, Mode
from inference.findings import Finding
from inference.language.localisation import is_placed, located

MOST_FOUND = 10
"""Findings that a prompt names."""

STEPS = "Think step by step: first what is seen and where, then what speaks for it and against it, then the answer."
"""Ends a question that is to be answered by a chain of thought."""


def put(question: str, mode: Mode, found: Sequence[Finding], earlier: Sequence[Exchange]) -> str:
    """The words.

    Parameters
    ----------
    found
        What is coded of the study.
    earlier
        Questions that were answered before, the oldest first.
    """
    lines = [line for each in earlier for line in (f"Earlier question: {each.question}", f"Answer: {each.answer}")]
    known = placed(found)
    lines.append(f"{located(known)} {question}" if mode != "zero-shot" and known else question)
    if mode == "chain-of-thought":
        lines.append(STEPS)
    return "\n".join(lines)


def placed(found: Sequence[Finding]) -> list[Finding]:
    """Those that a prompt names: of which it is known where they lie or how large they are."""
    return [finding for finding in found if is_placed(finding)][:MOST_FOUND]
