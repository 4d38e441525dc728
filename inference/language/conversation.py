"""Questions and texts about one image: what it looks like is read once, and each question goes on from there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.errors import BundleError
from inference.language.chat import ChatTokenizer
from inference.language.choice import Choice, chosen
from inference.language.decoder import Array, Cache, Decoder, Read
from inference.language.writing import WritingLimits, Written, written
from inference.manifests.talk import KindQuestion, Question, Talk
from inference.parity import opened


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """One image as the decoder has read it; any number of questions may follow."""

    cache: Cache


class Conversation:
    """The language side of a bundle, ready to speak.

    Parameters
    ----------
    decoder
        With its table of tokens.
    tokenizer
        Of the bundle's chat.
    manifest
        What is asked, and how.

    Raises
    ------
    BundleError
        If the options of a question cannot be weighed against each other.
    """

    def __init__(self, decoder: Decoder, tokenizer: ChatTokenizer, manifest: Talk) -> None:
        self._decoder = decoder
        self._tokenizer = tokenizer
        self._manifest = manifest
        self._stops = frozenset(manifest.chat.stops)

    @classmethod
    def opened(cls, bundle: Bundle, manifest: Talk, runtime: Runtime) -> "Conversation":
        """Load decoder, table and tokenizer; the decoder computes the bundle's own inputs.

        Raises
        ------
        BundleError
            If a file is not what it should be, or what is computed here is not what came with the bundle.
        ProviderError
            If no allowed execution provider came up.
        """
        spec = manifest.graph("decoder")
        session = opened(bundle, spec, runtime)
        path = bundle.checked(manifest.table)
        try:
            table = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise BundleError(f"{bundle.path.name}/{manifest.table}: not an array: {error}") from error
        name = f"{bundle.path.name}/{manifest.tokenizer}"
        tokenizer = ChatTokenizer(bundle.read(manifest.tokenizer), name, manifest.chat)
        return cls(Decoder(session, spec, table, manifest.max_tokens), tokenizer, manifest)

    def looked_at(self, features: Array) -> Seen:
        """Read one image.

        Parameters
        ----------
        features
            (token, hidden), float32, as the vision graph gives them.
        """
        before = self._decoder.embedded(self._tokenizer.before)
        read = self._decoder.read(np.concatenate([before, features]), self._decoder.empty)
        return Seen(cache=read.cache)

    def answered(self, seen: Seen, question: Question | KindQuestion, words: str = "") -> Choice:
        """Answer a closed question, in other words where given, with one of its options.

        Raises InferenceError, or BundleError as `Conversation`.
        """
        try:
            return self.weighed(seen, words or question.text, [option.text for option in question.options])
        except ValueError as error:
            raise BundleError(f"question {question.id}: {error}") from error

    def weighed(self, seen: Seen, text: str, options: Sequence[str]) -> Choice:
        """Answer any question with one of some options; raises InferenceError, and ValueError as `chosen`."""
        tokens = [self._tokenizer.answer(text, option) for option in options]
        return chosen(self._decoder, self._asked(seen, text), tokens)

    def room(self, seen: Seen, text: str) -> int:
        """Tokens that the decoder takes beyond the image and a question: below 0 where the question has no room.

        Raises
        ------
        ValueError
            If the question holds a mark of the tokenizer.
        """
        return self._decoder.max_tokens - seen.cache.length - len(self._tokenizer.after(text))

    def written(
        self,
        seen: Seen,
        text: str,
        max_tokens: int,
        *,
        told: Callable[[str], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Written:
        """Write what is asked for, in the decoder's own words.

        Parameters
        ----------
        text
            What is asked.
        max_tokens
            Most that are written.
        told, cancelled
            As in `inference.language.writing.written`.
        """
        limits = WritingLimits(max_tokens=max_tokens, max_seconds=self._manifest.max_seconds)
        after = self._asked(seen, text)
        return written(
            self._decoder, after, self._tokenizer.decode, self._stops, limits, told=told, cancelled=cancelled
        )

    def _asked(self, seen: Seen, text: str) -> Read:
        return self._decoder.read(self._decoder.embedded(self._tokenizer.after(text)), seen.cache)
