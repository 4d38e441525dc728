"""A bundle's chat as tokens: what stands before the image, what after it with a question, and tokens back to text."""

from collections.abc import Sequence

from inference.errors import BundleError
from inference.language.decoder import Tokens
from inference.language.tokenizer import read_tokenizer
from inference.manifests.talk import QUESTION, Chat


class ChatTokenizer:
    """Tokens of a chat.

    Parameters
    ----------
    data
        Bytes of tokenizer.json.
    name
        Of the file, for messages.
    chat
        What the manifest says.

    Raises
    ------
    BundleError
        If the file is no tokenizer, or does not know the chat's image token.
    """

    def __init__(self, data: bytes, name: str, chat: Chat) -> None:
        self._tokenizer = read_tokenizer(data, name)
        self._chat = chat
        self._image = None if chat.image_token is None else self._tokenizer.token_to_id(chat.image_token)
        if chat.image_token is not None and self._image is None:
            raise BundleError(f"{name}: no token {chat.image_token}")
        self._marks = tuple(token.content for token in self._tokenizer.get_added_tokens_decoder().values())

    @property
    def before(self) -> Tokens:
        """What stands before the image, the marks of a beginning included: the same whatever is asked."""
        return self._parts("")[0]

    def after(self, question: str) -> Tokens:
        """What stands after the image.

        Raises
        ------
        ValueError
            If the question holds one of the tokenizer's marks, which would end it or begin another turn.
        """
        if any(mark.strip() and mark in question for mark in self._marks):
            raise ValueError("a question holds no mark of the tokenizer")
        before, after = self._parts(question)
        if before != self.before:
            raise ValueError("a question changes what stands before the image")
        return after

    def answer(self, question: str, text: str) -> Tokens:
        """What an answer of this text adds to the tokens after the image."""
        asked = self.after(question)
        both = self._parts(question, text)[1]
        if both[: len(asked)] == asked:
            return both[len(asked) :]
        return self._encoded(text, marks=False)

    def decode(self, tokens: Sequence[int]) -> str:
        """Tokens as text, without marks; a character whose bytes are not all there is U+FFFD."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def _parts(self, question: str, answer: str = "") -> tuple[Tokens, Tokens]:
        after = self._chat.after.replace(QUESTION, question) + answer
        if self._image is None:
            return self._encoded(self._chat.before, marks=True), self._encoded(after, marks=False)
        whole = self._encoded(f"{self._chat.before}{self._chat.image_token}{after}", marks=True)
        if whole.count(self._image) != 1:
            raise BundleError("the chat has the image's token more than once, or never")
        place = whole.index(self._image)
        return whole[:place], whole[place + 1 :]

    def _encoded(self, text: str, *, marks: bool) -> Tokens:
        return tuple(self._tokenizer.encode(text, add_special_tokens=marks).ids)
