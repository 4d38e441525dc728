"""Looks at single slices with a vision-language model of LLaVA's kind: closed questions get codes, texts are drafts."""

from collections.abc import Sequence

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from inference.algorithms.answers import View
from inference.algorithms.maps import prepared
from inference.algorithms.talked import Answered, Drafted, told
from inference.algorithms.talker import Talker
from inference.findings import Finding, Findings
from inference.image import Image
from inference.language.conversation import Seen
from inference.manifests.talk import DialogueManifest
from inference.statements import WroteAboutSlice

Array = NDArray[np.float32]

UPRIGHT = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
"""A picture as an axial slice of 1 mm pixels: rows to the back, columns to the left."""


class ImageDialogue(Talker[DialogueManifest]):
    """An image-dialogue bundle, ready to read."""

    kind = DialogueManifest

    def read(self, image: Image) -> Findings:
        """Read one volume: questions about some of its slices, requests about the middle one.

        What is asked of a finding of its evidence is asked about the slice on which that is largest.

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
        volume = prepared(image, self._manifest)
        looked = spread(volume.array.shape[0], self._manifest.slices)
        middle = _middle(looked)
        highest: dict[str, dict[int, float]] = {question.id: {} for question in self._manifest.questions}
        drafts: list[Drafted] = []
        for k in looked:
            seen, place = self._seen(volume.array[k]), on_source(volume, k, image.volume)
            for question in self._manifest.questions:
                slices, probability = highest[question.id], self._probability(seen, question)
                slices[place] = max(probability, slices.get(place, 0.0))
            if k == middle:
                drafts = self._drafts(seen, _acquired(place, image))
        answers = [
            Answered(
                question=question,
                probability=max(highest[question.id].values()),
                by_slice=tuple(sorted(highest[question.id].items())),
            )
            for question in self._manifest.questions
        ]
        named, about_findings = self._spoken_of(marked, lambda finding: self._found(finding, volume, image, middle))
        return told(self.algorithm, answers, [*drafts, *about_findings], named)

    def asked(self, picture: NDArray[np.uint8], question: str, options: Sequence[str]) -> tuple[str, tuple[float, ...]]:
        """Answer a question about a picture that lies nowhere in a patient, for figures.

        Parameters
        ----------
        picture
            (row, column, 3), uint8, red, green and blue; read as grey, as slices are.
        question, options
            As of `replied`.

        Returns
        -------
        tuple
            As `replied`.

        Raises
        ------
        UnsuitableImageError, BundleError, InferenceError
            As `read`.
        DataError
            As `replied`.
        """
        grey = picture.mean(axis=2, dtype=np.float32)[np.newaxis]
        placed = Volume(grey, UPRIGHT, coordinate_system="PATIENT")
        given = Image(volume=placed, modality=self._manifest.inputs.modality[0], weighting="unknown")
        seen = self._seen(prepared(given, self._manifest).array[0])
        return self.replied(seen, question, options)

    def _found(self, finding: Finding, volume: Volume, image: Image, middle: int) -> tuple[Seen, WroteAboutSlice]:
        """The slice on which a finding is largest, the middle one of one without a region."""
        largest = finding.largest_slice
        k = middle if largest is None else on_source(image.volume, largest, volume)
        return self._seen(volume.array[k]), _acquired(on_source(volume, k, image.volume), image)

    def _views(self, image: Image, *, every: bool) -> list[View]:
        volume = prepared(image, self._manifest)
        looked = spread(volume.array.shape[0], self._manifest.slices)
        return [
            View(seen=self._seen(volume.array[k]), about=_acquired(on_source(volume, k, image.volume), image))
            for k in (looked if every else [_middle(looked)])
        ]

    def _seen(self, plane: Array) -> Seen:
        mean, std = (np.array(v, np.float32).reshape(3, 1, 1) for v in (self._manifest.mean, self._manifest.std))
        return self._looked_at((np.repeat(plane[np.newaxis].astype(np.float32), 3, axis=0) - mean) / std)


def spread(count: int, wanted: int) -> list[int]:
    """Indices of so many of `count` slices, evenly spread, the middle one in the middle; all if there are no more."""
    chosen = min(wanted, count)
    return [int((i + 0.5) * count / chosen) for i in range(chosen)]


def _middle(looked: Sequence[int]) -> int:
    """Of the slices that are looked at, the one that texts are about."""
    return looked[len(looked) // 2]


def _acquired(k: int, image: Image) -> WroteAboutSlice:
    """A slice by its number, as it was acquired."""
    ((plane, _),) = image.by_plane(((k, 0.0),))
    count = image.volume.array.shape[0] if image.laying is None else len(image.laying.corners)
    return WroteAboutSlice(number=plane + 1, count=count)


def on_source(volume: Volume, k: int, source: Volume) -> int:
    """Index of the slice of `source` in which the middle of slice k of `volume` lies."""
    _, rows, columns = volume.array.shape
    place = volume.map_indices_to_reference(np.array([[k, (rows - 1) / 2, (columns - 1) / 2]]))
    index = int(np.floor(source.map_reference_to_indices(place)[0, 0] + 0.5))
    last: int = source.array.shape[0] - 1
    return min(max(index, 0), last)
