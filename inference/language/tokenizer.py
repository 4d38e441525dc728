"""A bundle's tokenizer: text to numbers, the same on every machine; knows no network and no class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from inference.errors import BundleError

Tokens = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """One text as a network takes it, each (1, token), int64.

    Attributes
    ----------
    input_ids, attention_mask, token_type_ids
        As BERT names them; nothing is padded, so the mask is 1 everywhere.
    whole
        Tokens of the whole text, the marks at beginning and end included; more than there are here where it was cut.
    """

    input_ids: Tokens
    attention_mask: Tokens
    token_type_ids: Tokens
    whole: int

    @property
    def cut(self) -> bool:
        """Whether the end of the text is missing."""
        return self.whole > len(self.input_ids[0])


class ReportTokenizer:
    """A tokenizer as the `tokenizers` library writes it.

    Parameters
    ----------
    data
        Bytes of tokenizer.json.
    name
        Of the file, for messages.
    max_length
        Most tokens that the network takes.

    Raises
    ------
    BundleError
        If the file is no tokenizer.
    """

    def __init__(self, data: bytes, name: str, max_length: int) -> None:
        self._whole, self._cut = read_tokenizer(data, name), read_tokenizer(data, name)
        for each in (self._whole, self._cut):
            each.encode_special_tokens = True
        self._cut.enable_truncation(max_length)
        self._max_length = max_length
        self._name = name

    @property
    def size(self) -> int:
        """Number of different tokens; ids lie below it."""
        return int(self._whole.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> Encoded:
        """Text to tokens; the end of what is longer than the network takes is left out.

        Marks such as [SEP] that stand in the text are read as the characters they are.
        """
        found = self._whole.encode(text)
        whole = len(found.ids)
        if whole > self._max_length:
            found = self._cut.encode(text)
        return Encoded(
            input_ids=np.array([found.ids], np.int64),
            attention_mask=np.array([found.attention_mask], np.int64),
            token_type_ids=np.array([found.type_ids], np.int64),
            whole=whole,
        )


def read_tokenizer(data: bytes, name: str) -> Tokenizer:
    """A tokenizer from the bytes of its tokenizer.json, which cuts nothing and fills nothing up.

    Raises
    ------
    BundleError
        If it is none; the message begins with `name`.
    """
    try:
        tokenizer = Tokenizer.from_str(data.decode("utf-8"))
    except Exception as error:  # the library raises nothing narrower
        raise BundleError(f"{name}: not a tokenizer of the tokenizers library") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
