"""What every reader that looks and speaks is: one vision graph, one language side; how each looks is its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Reader, Runtime
from inference.algorithms.answers import Answering, View
from inference.algorithms.evidence import Evidence, is_organ
from inference.algorithms.kinds_named import KindGiven, called
from inference.algorithms.talked import Drafted, present
from inference.asked import Asked, Told
from inference.bundle import Bundle
from inference.errors import BundleError, DataError
from inference.findings import Algorithm, Finding, Findings, stricter
from inference.image import Image
from inference.inputs import Inputs, narrowed
from inference.language.conversation import Conversation, Seen
from inference.language.localisation import localised
from inference.manifests.talk import Question, Talk
from inference.parity import opened
from inference.session import Session
from inference.statements import WroteAboutFinding, WroteAboutFindingOnSlice, WroteAboutSlice

Kind = TypeVar("Kind", bound=Talk)

_ANSWER_TOKENS = 32
"""Most that an answer in its own words takes."""


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
    evidence
        What the manifest names as such; None: it names none.

    Raises
    ------
    BundleError
        If the bundle is of another kind, names evidence and there is none, or reads no series that its evidence reads.
    """

    kind: ClassVar[type[Talk]]
    """Manifest that a reader takes."""

    def __init__(
        self, bundle: Bundle, vision: Session, conversation: Conversation, evidence: Evidence | None = None
    ) -> None:
        self._bundle = bundle
        self._manifest: Kind = self._of_kind(bundle)
        self._vision = vision
        self._conversation = conversation
        self._evidence = evidence
        if (self._manifest.evidence is None) != (evidence is None):
            raise BundleError(f"{bundle.path.name}: the evidence that it names, and no other, is read with it")
        self._inputs = self._manifest.inputs if evidence is None else narrowed(self._manifest.inputs, evidence.inputs)

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime, evidence: Reader | None = None) -> Self:
        """Load the graphs and let them compute the bundle's own inputs, which warms them up.

        Parameters
        ----------
        evidence
            Reader of the bundle that the manifest names as evidence.

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
        held = None if evidence is None else Evidence(evidence, locate=manifest.locate)
        return cls(bundle, vision, Conversation.opened(bundle, manifest, runtime), held)

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak; as strict as its evidence."""
        algorithm = self._bundle.algorithm
        return algorithm if self._evidence is None else stricter(algorithm, self._evidence.algorithm)

    @property
    def inputs(self) -> Inputs:
        """Which series it reads, its evidence too."""
        return self._inputs

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
        """Texts about the image."""
        write = self._conversation.written
        return [
            Drafted(request=request, written=write(seen, request.text, request.max_tokens), about=about)
            for request in self._manifest.requests
            if request.about == "image"
        ]

    def _marked(self, image: Image) -> Findings | None:
        """What the evidence marks and measures; raises UnsuitableImageError as its reader does."""
        return None if self._evidence is None else self._evidence.read(image)

    def _spoken_of(
        self, marked: Findings | None, look: Callable[[Finding], tuple[Seen, WroteAboutSlice | None]]
    ) -> tuple[Findings | None, list[Drafted]]:
        """The findings of the evidence by the kinds that they are given, and the texts about each.

        Parameters
        ----------
        look
            Where a finding is looked at, and on which slice; None: in the whole volume.
        """
        question = self._manifest.kinds
        requests = [request for request in self._manifest.requests if request.about == "finding"]
        if marked is None or (question is None and not requests):
            return marked, []
        given: list[KindGiven] = []
        drafts: list[Drafted] = []
        for finding in marked.findings:
            if is_organ(finding):
                continue
            seen, on = look(finding)
            if question is not None:
                choice = self._conversation.answered(seen, question, localised(question.text, finding))
                given.append(KindGiven(label=finding.label, choice=choice))
            for request in requests:
                written = self._conversation.written(seen, localised(request.text, finding), request.max_tokens)
                drafts.append(Drafted(request=request, written=written, about=_about(finding, on)))
        return marked if question is None else called(marked, question, given), drafts


def _about(finding: Finding, on: WroteAboutSlice | None) -> WroteAboutFinding | WroteAboutFindingOnSlice:
    if on is None:
        return WroteAboutFinding(about=finding.label)
    return WroteAboutFindingOnSlice(about=finding.label, number=on.number, count=on.count)
