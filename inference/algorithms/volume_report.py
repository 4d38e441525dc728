"""Looks at a whole volume with a vision-language model of M3D's kind: closed questions get codes, texts are drafts."""

import numpy as np

from inference.algorithms.answers import View
from inference.algorithms.maps import prepared
from inference.algorithms.talked import Answered, told
from inference.algorithms.talker import Talker
from inference.errors import InferenceError
from inference.findings import Findings
from inference.image import Image
from inference.language.conversation import Seen
from inference.manifests.talk import VolumeReportManifest


class VolumeReport(Talker[VolumeReportManifest]):
    """A volume-report bundle, ready to read."""

    kind = VolumeReportManifest

    def read(self, image: Image) -> Findings:
        """Read one volume: the manifest's questions and requests, about the whole of it or a finding of its evidence.

        Raises
        ------
        UnsuitableImageError
            If the slices are cut along another axis than the bundle reads, the volume is larger than it allows, or its
            evidence cannot read it.
        BundleError
            If the graph does not take what preprocessing gives.
        InferenceError
            If a run fails, or a text is not ready in time.
        """
        marked = self._marked(image)
        seen = self.looked_at(image)
        answers = [
            Answered(question=question, probability=self._probability(seen, question))
            for question in self._manifest.questions
        ]
        named, about_findings = self._spoken_of(marked, lambda _: (seen, None))
        return told(self.algorithm, answers, [*self._drafts(seen), *about_findings], named)

    def looked_at(self, image: Image) -> Seen:
        """Look at one volume; raises UnsuitableImageError, BundleError and InferenceError as `read`."""
        return self._looked_at(prepared(image, self._manifest).array[np.newaxis].astype(np.float32))

    def blank(self) -> Seen:
        """Look at zeros, as preprocessing would give them: what is answered then, no image told."""
        (taken,) = self._manifest.graph("vision").inputs
        return self._looked_at(np.zeros([size or 1 for size in taken.shape[1:]], dtype=np.float32))

    def reported(self, seen: Seen) -> str | None:
        """The texts of the manifest's requests, a line each, as the model writes them; None where it has no request.

        Raises
        ------
        InferenceError
            If a run fails, or a text is not ready in time.
        """
        drafts = self._drafts(seen)
        for draft in drafts:
            if draft.written.ending == "seconds":
                raise InferenceError(f"the text {draft.request.id} was not ready in time")
        return "\n".join(draft.written.text.strip() for draft in drafts) if drafts else None

    def _views(self, image: Image, *, every: bool) -> list[View]:
        return [View(seen=self.looked_at(image))]
