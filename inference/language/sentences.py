"""A generated text as its sentences; decimals and abbreviations do not end one."""

import re

_ABBREVIATED = re.compile(
    r"\b(?:approx|ca|cf|e\.g|i\.e|vs|resp|incl|max|min|dia|diam|dr|fig|no|nr|st|[a-z])\.$", re.IGNORECASE
)
_END = re.compile(
    # a capital or a number after a full stop
    r"(?:(?<=[.!?])|(?<=[.!?][\"')\]\u201d\u2019]))[^\S\n]+(?=[\"'(\[\u201c\u2018]?[A-Z0-9])"
    r"|\s*\n\s*\n\s*"  # an empty line
    r"|\s*\n\s*(?=[A-Z*\u2022-])"  # an item of a list
    r"|(?<=[.!?])\s*\n\s*"
)


def split(text: str) -> tuple[str, ...]:
    """The sentences in order, without the blanks around them; none of an empty text."""
    found, start = [], 0
    for end in _END.finditer(text):
        before = text[start : end.start()].strip()
        if "\n" not in end.group() and _ABBREVIATED.search(before):
            continue
        found.append(before)
        start = end.end()
    return tuple(piece for piece in (*found, text[start:].strip()) if piece)
