"""What every reader that looks and speaks is: one vision graph, one language side; how each looks is its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.algorithms.answers import Answering, View
from inference.algorithms.talked import Drafted, present
from inference.asked import Asked, Told
from inference.bundle import Bundle
from inference.errors import BundleError
from inference.findings import Algorithm, Findings
from inference.image import Image
from inference.inputs import Inputs
from inference.language.conversation import Conversation, Seen
from inference.manifests.talk import Question, Talk
from inference.parity import opened
from inference.session import Session
from inference.statements import WroteAboutSlice

Kind = TypeVar("Kind", bound=Talk)


class Talker(ABC, Generic[Kind]):
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

    def answered(self, image: Image, asked: Asked, told: Told, cancelled: Callable[[], bool]) -> Findings:
        """Answer a question about one volume; see `inference.asked.Answerer`."""
        answering = Answering(self._conversation, self._manifest, self.algorithm, asked, told, cancelled)
        return answering.answered(self._views(image, every=answering.is_closed))

    @abstractmethod
    def _views(self, image: Image, *, every: bool) -> list[View]:
        """What the bundle looks at: all of it, or what texts are about alone."""

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
