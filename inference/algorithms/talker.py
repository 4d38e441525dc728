"""What every reader that looks and speaks is: one vision graph, one language side; how each looks is its own."""

from collections.abc import Sequence
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.algorithms.talked import Drafted, present
from inference.bundle import Bundle
from inference.errors import BundleError, DataError
from inference.findings import Algorithm
from inference.inputs import Inputs
from inference.language.conversation import Conversation, Seen
from inference.manifests.talk import Question, Talk
from inference.parity import opened
from inference.session import Session
from inference.statements import WroteAboutSlice

Kind = TypeVar("Kind", bound=Talk)

_ANSWER_TOKENS = 32
"""Most that an answer in its own words takes."""


class Talker(Generic[Kind]):
    """A bundle that looks and speaks, ready to read.

    Parameters
    ----------
    bundle
        Verified; its manifest is of the kind of the reader.
    vision
        Session of its vision graph.
    conversation
        Its language side.
    """

    kind: ClassVar[type[Talk]]
    """Manifest that a reader takes."""

    def __init__(self, bundle: Bundle, vision: Session, conversation: Conversation) -> None:
        self._bundle = bundle
        self._manifest: Kind = self._of_kind(bundle)
        self._vision = vision
        self._conversation = conversation

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> Self:
        """Load the graphs and let them compute the bundle's own inputs, which warms them up.

        Raises
        ------
        BundleError
            If the bundle is of another kind, what its graphs compute here is not what came with it, or its tokenizer or
            table cannot be read.
        ProviderError
            If no allowed execution provider came up.
        """
        manifest = cls._of_kind(bundle)
        vision = opened(bundle, manifest.graph("vision"), runtime)
        return cls(bundle, vision, Conversation.opened(bundle, manifest, runtime))

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""
        return self._bundle.algorithm

    @property
    def inputs(self) -> Inputs:
        """Which series it reads."""
        return self._manifest.inputs

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it."""
        return self._vision.provider

    def replied(self, seen: Seen, question: str, options: Sequence[str]) -> tuple[str, tuple[float, ...]]:
        """Answer any question about an image that was looked at, for figures.

        Parameters
        ----------
        options
            Answers to choose from, weighed with a blank before each where the bundle's own options have one; empty: in
            its own words.

        Returns
        -------
        tuple
            The answer, and the probability of each option.

        Raises
        ------
        DataError
            If the question holds a mark of the tokenizer, or the options cannot be weighed against each other.
        InferenceError
            If a run fails.
        """
        written = [option.text for asked in self._manifest.questions for option in asked.options]
        blank = " " if written and all(text.startswith(" ") for text in written) else ""
        try:
            if not options:
                return self._conversation.written(seen, question, _ANSWER_TOKENS).text.strip(), ()
            choice = self._conversation.weighed(seen, question, [f"{blank}{option}" for option in options])
        except ValueError as error:
            raise DataError(f"a question cannot be asked: {error}") from error
        return options[choice.best], choice.probabilities

    @classmethod
    def _of_kind(cls, bundle: Bundle) -> Kind:
        if not isinstance(bundle.manifest, cls.kind):
            raise BundleError(f"{bundle.path.name}: another kind of bundle, {bundle.manifest.algorithm}")
        return bundle.manifest  # type: ignore[return-value]  # `kind` is Kind's

    def _looked_at(self, array: NDArray[np.float32]) -> Seen:
        """One image, as the vision graph takes it without the axis of images."""
        spec = self._manifest.graph("vision")
        (taken,) = spec.inputs
        if array.shape != taken.shape[1:]:
            raise BundleError(f"{spec.file} takes {taken.shape[1:]}, preprocessing gives {array.shape}")
        features = self._vision.run({taken.name: array[np.newaxis]})["image_features"]
        return self._conversation.looked_at(features[0].astype(np.float32))

    def _probability(self, seen: Seen, question: Question) -> float:
        return present(question, self._conversation.answered(seen, question))

    def _drafts(self, seen: Seen, about: WroteAboutSlice | None = None) -> list[Drafted]:
        write = self._conversation.written
        return [
            Drafted(request=request, written=write(seen, request.text, request.max_tokens), about=about)
            for request in self._manifest.requests
        ]
