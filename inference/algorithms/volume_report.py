"""Looks at a whole volume with a vision-language model of M3D's kind: closed questions get codes, texts are drafts."""

import numpy as np

from inference.algorithms.answers import View
from inference.algorithms.maps import prepared
from inference.algorithms.talked import Answered, told
from inference.algorithms.talker import Talker
from inference.findings import Findings
from inference.image import Image
from inference.language.conversation import Seen
from inference.manifests.talk import VolumeReportManifest


class VolumeReport(Talker[VolumeReportManifest]):
    """A volume-report bundle, ready to read."""

    kind = VolumeReportManifest

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
        seen = self._seen(image)
        answers = [
            Answered(question=question, probability=self._probability(seen, question))
            for question in self._manifest.questions
        ]
        return told(self.algorithm, answers, self._drafts(seen))

    def _views(self, image: Image, *, every: bool) -> list[View]:
        return [View(seen=self._seen(image))]

    def _seen(self, image: Image) -> Seen:
        return self._looked_at(prepared(image, self._manifest).array[np.newaxis].astype(np.float32))
