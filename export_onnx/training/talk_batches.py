"""Texts of a batch as tokens: questions with answers around what a network has to write, filled up to one length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from export_onnx.models.mini_talker import Texts
from inference.language.chat import ChatTokenizer
from inference.manifests.talk import TOKENIZER, Chat


@dataclass(frozen=True, kw_only=True)
class Taught:
    """One text that a network learns to write.

    Attributes
    ----------
    question, answer
        As they stand in the chat.
    weight
        How much it counts beside the others.
    """

    question: str
    answer: str
    weight: float = 1.0


class Encoder:
    """Makes tokens of texts, as the node makes them.

    Parameters
    ----------
    tokenizer
        Bytes of tokenizer.json.
    chat
        Of the bundle.
    """

    def __init__(self, tokenizer: bytes, chat: Chat) -> None:
        self._tokens = ChatTokenizer(tokenizer, TOKENIZER, chat)
        self._end = chat.stops[0]
        self._made: dict[tuple[str, str], tuple[tuple[int, ...], int]] = {}

    def texts(self, batch: Sequence[Sequence[Taught]]) -> Texts:
        """Texts of some images, as many of each."""
        rows = [[self._encoded(text) for text in texts] for texts in batch]
        length = max(len(tokens) for texts in rows for tokens, _ in texts)
        tokens = np.full((len(rows), len(rows[0]), length), self._end, dtype=np.int64)
        answers = np.zeros(tokens.shape, dtype=np.bool_)
        for i, texts in enumerate(rows):
            for j, (some, asked) in enumerate(texts):
                tokens[i, j, : len(some)] = some
                answers[i, j, asked : len(some)] = True
        weights = np.array([[text.weight for text in texts] for texts in batch], dtype=np.float32)
        return Texts(
            before=torch.tensor(self._tokens.before, dtype=torch.int64),
            tokens=torch.from_numpy(tokens),
            answers=torch.from_numpy(answers),
            weights=torch.from_numpy(weights),
        )

    def _encoded(self, text: Taught) -> tuple[tuple[int, ...], int]:
        """Tokens of question, answer and end, and how many of them are the question's."""
        key = (text.question, text.answer)
        if key not in self._made:
            asked = self._tokens.after(text.question)
            answer = self._tokens.answer(text.question, text.answer)
            self._made[key] = ((*asked, *answer, self._end), len(asked))
        return self._made[key]
