"""Looks at a whole volume with a vision-language model of M3D's kind: closed questions get codes, texts are drafts."""

import numpy as np

from inference.algorithms import Runtime
from inference.algorithms.maps import prepared
from inference.algorithms.talked import Answered, Drafted, present, told
from inference.bundle import Bundle
from inference.errors import BundleError
from inference.findings import Algorithm, Findings
from inference.image import Image
from inference.inputs import Inputs
from inference.language.conversation import Conversation
from inference.manifests.talk import VolumeReportManifest
from inference.parity import opened
from inference.session import Session


class VolumeReport:
    """A volume-report bundle, ready to read.

    Parameters
    ----------
    bundle
        Verified.
    vision
        Session of its vision graph.
    conversation
        Its language side.
    """

    def __init__(self, bundle: Bundle, vision: Session, conversation: Conversation) -> None:
        if not isinstance(bundle.manifest, VolumeReportManifest):
            raise BundleError(f"{bundle.path.name}: not a volume-report bundle but {bundle.manifest.algorithm}")
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._vision = vision
        self._conversation = conversation

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> "VolumeReport":
        """Load the graphs and let them compute the bundle's own inputs, which warms them up.

        Raises
        ------
        BundleError
            If what they compute here is not what came with the bundle, or its tokenizer or table cannot be read.
        ProviderError
            If no allowed execution provider came up.
        """
        manifest = bundle.manifest
        if not isinstance(manifest, VolumeReportManifest):
            raise BundleError(f"{bundle.path.name}: not a volume-report bundle but {manifest.algorithm}")
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

    def read(self, image: Image) -> Findings:
        """Read one volume: the manifest's questions and requests, all about the whole of it.

        Raises
        ------
        UnsuitableImageError
            If the slices are cut along another axis than the bundle reads, or the volume is larger than it allows.
        BundleError
            If the graph does not take what preprocessing gives.
        InferenceError
            If a run fails, or a text is not ready in time.
        """
        array = prepared(image, self._manifest).array[np.newaxis].astype(np.float32)
        spec = self._manifest.graph("vision")
        if array.shape != spec.inputs[0].shape[1:]:
            raise BundleError(f"{spec.file} takes {spec.inputs[0].shape[1:]}, preprocessing gives {array.shape}")
        features = self._vision.run({"volume": array[np.newaxis]})["image_features"]
        seen = self._conversation.looked_at(features[0].astype(np.float32))
        answers = [
            Answered(question=asked, probability=present(asked, self._conversation.answered(seen, asked)))
            for asked in self._manifest.questions
        ]
        drafts = [
            Drafted(
                request=request,
                written=self._conversation.written(seen, request.text, request.max_tokens),
                about="the volume",
            )
            for request in self._manifest.requests
        ]
        return told(self.algorithm, answers, drafts)
