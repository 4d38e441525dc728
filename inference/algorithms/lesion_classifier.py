"""Finds dark lesions in a T2 image of a head and tells two kinds apart, slice by slice and for the patient.

Brain and candidates come without weights; the graph, its classes and codes come from the bundle. What it says of a
candidate that is no lesion of either kind means nothing: only who looks at the image can tell.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.algorithms import Runtime
from inference.algorithms.brain_finder import BrainFinder
from inference.algorithms.brain_lesions import brain_finding, brain_segment, brain_sentences, lesion_segment
from inference.bundle import Bundle
from inference.errors import BundleError, InferenceError, UnsuitableImageError
from inference.findings import Algorithm, Findings, Measurement, Narrative, Sentence
from inference.fusion import fused
from inference.image import Image
from inference.imaging.brain import Brain
from inference.imaging.candidates import Candidate
from inference.imaging.crops import axial, crops, scaled
from inference.imaging.dark_lesions import dark_lesions
from inference.imaging.midline import midline
from inference.inputs import Inputs
from inference.lesion_classes import Told, of_patient, scaled_size, told
from inference.lesion_findings import finding, sentences
from inference.manifests.lesions import LesionsManifest
from inference.parity import opened
from inference.session import Session
from inference.statements import (
    FittedOn,
    FromImage,
    ImageAlone,
    JoinedWithText,
    LearntOnSynthetic,
    NeitherMeansNothing,
    NoCandidate,
    TextNotTaken,
)
from inference.text_opinion import TextOpinion

_BATCH = 64
_FROM_IMAGE = Code("from-image", "99DICOMNODE", "Probability from the Image alone")
_FROM_TEXT = Code("from-text", "99DICOMNODE", "Probability from the Text alone")


class LesionClassifier:
    """A brain-lesions bundle, ready to read.

    Parameters
    ----------
    bundle
        Verified.
    session
        Of its graph.
    finder
        Finds the brain: the bundle that the manifest names, or without weights where it names none.

    Raises
    ------
    BundleError
        If the bundle is of another kind.
    """

    def __init__(self, bundle: Bundle, session: Session, finder: BrainFinder) -> None:
        if not isinstance(bundle.manifest, LesionsManifest):
            raise BundleError(f"{bundle.path.name}: not a brain-lesions bundle but {bundle.manifest.algorithm}")
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._session = session
        self._finder = finder

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime, finder: BrainFinder) -> "LesionClassifier":
        """Load the graph and let it compute the bundle's own inputs, which warms it up.

        Raises
        ------
        BundleError
            If what it computes here is not what came with the bundle.
        ProviderError
            If no allowed execution provider came up.
        """
        return cls(bundle, opened(bundle, bundle.manifest.graph("classify"), runtime), finder)

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
        return self._session.provider

    @property
    def asked(self) -> Code:
        """The class whose probability is given for slices and patient."""
        return self._manifest.classes[1].code.code()

    def read(self, image: Image, text: TextOpinion | str = "") -> Findings:
        """Read one volume.

        Parameters
        ----------
        image
            A head, T2-weighted, slices from foot to head.
        text
            What the study's text says of the class asked for, joined to the patient's probability where the bundle says
            how; or why no text was taken into it, empty for none given.

        Returns
        -------
        Findings
            Brain and candidates as segments, a finding for each candidate, and the patient's probability of the second
            class; none where there is no candidate.

        Raises
        ------
        UnsuitableImageError
            If the volume is larger than the bundle allows, holds no brain, or its slices run along another axis.
        InferenceError
            If the run fails, or gives values that are not numbers.
        """
        voxels, most = int(image.volume.array.size), self._manifest.limits.max_voxels
        if voxels > most:
            raise UnsuitableImageError(f"{voxels} voxels, the bundle reads at most {most}")
        brain = self.brain(image)
        found = self.candidates(image, brain)
        said = self.classified(image, brain, found)
        plane = midline(image.volume) if found else None
        whole = brain_finding(image, brain, found)
        listed = [
            finding(number, candidate, one, self._manifest, image, plane, brain.from_standard)
            for number, (candidate, one) in enumerate(zip(found, said, strict=True), start=1)
        ]
        probability, both, summary = self._of_patient(said, text)
        lines = [*summary, *brain_sentences(whole), *sentences(listed, found, said, self._manifest, image)]
        return Findings(
            algorithm=self.algorithm,
            segments=(brain_segment(brain), lesion_segment(brain, found)) if found else (brain_segment(brain),),
            findings=(whole, *listed),
            narrative=Narrative(sentences=tuple(lines)),
            study_probability=probability,
            study_code=None if probability is None else self.asked,
            measurements=both,
        )

    def brain(self, image: Image) -> Brain:
        """The brain; raises UnsuitableImageError if there is none."""
        return self._finder.find(image)

    def candidates(self, image: Image, brain: Brain) -> tuple[Candidate, ...]:
        """What may be a lesion, best first, at most as many as the bundle lists."""
        volume = image.volume
        shape = (int(volume.shape[0]), int(volume.shape[1]), int(volume.shape[2]))
        evened = (volume.array / brain.shading.over(volume.affine, shape)).astype(np.float32)
        return dark_lesions(evened, brain.mask, volume.affine)[: self._manifest.limits.max_findings]

    def classified(self, image: Image, brain: Brain, found: Sequence[Candidate]) -> list[Told]:
        """What the graph says of each candidate."""
        crop = self._manifest.crop
        sliced = axial(scaled(image.volume, brain.mask, crop.upper), crop.spacing_mm)
        said = []
        for candidate in found:
            part = candidate.part
            indices = [part.indices[part.indices[:, 0] == k] for k in part.slices]
            middles = np.array([few.mean(axis=0) for few in indices])
            centers = middles @ part.affine[:3, :3].T + part.affine[:3, 3]
            pieces = crops(sliced, centers, crop.spacing_mm, crop.side, crop.neighbours)
            logits = self._logits(pieces, part.longest_axis_mm)
            areas = np.array([len(few) for few in indices], dtype=np.float64)
            said.append(told(logits, part.slices, areas, self._manifest.temperature))
        return said

    def _logits(self, pieces: NDArray[np.float32], size_mm: float) -> NDArray[np.float64]:
        """(slice, 2), float64."""
        graph, spec = self._manifest.graph("classify"), self._manifest.size
        size = scaled_size(np.full(len(pieces), size_mm), spec.lower_mm, spec.upper_mm)
        parts = []
        for first in range(0, len(pieces), _BATCH):
            some = slice(first, first + _BATCH)
            parts.append(self._session.run({"crop": pieces[some], "size": size[some]})["logits"])
        logits = np.concatenate(parts).astype(np.float64)
        if not np.isfinite(logits).all():
            raise InferenceError(f"{graph.file} gave values that are not numbers")
        return logits

    def _of_patient(
        self, said: Sequence[Told], text: TextOpinion | str
    ) -> tuple[float | None, tuple[Measurement, ...], list[Sentence]]:
        """Probability of the second class in the patient; where a text joined it, that of either alone; in words."""
        first, asked = (kind.code.code() for kind in self._manifest.classes)
        second = asked.meaning.lower()
        lines: list[Sentence] = []
        if self._manifest.training == "synthetic-findings":
            apart = f"{first.meaning.lower()} from {second}"
            learnt = f"Technical demonstration: it learnt to tell {apart} on synthetic lesions alone."
            lines.append(Sentence(text=learnt, says=LearntOnSynthetic(first=first, second=asked)))
        if not said:
            none = f"No dark lesion was found, so no probability of {second} is given."
            return None, (), [*lines, Sentence(text=none, says=NoCandidate(code=asked))]
        rule = self._manifest.patient_rule
        image = of_patient([one.probability for one in said], rule)
        alone = f"Probability of {second} from the image: {100.0 * image:.0f} % (rule over candidates: {rule})."
        lines.append(Sentence(text=alone, says=FromImage(code=asked, probability=image, rule=rule)))
        patient, both, joined = self._joined(image, text)
        meaningless = "A candidate that is neither of the two gets a meaningless probability."
        return patient, both, [*lines, *joined, Sentence(text=meaningless, says=NeitherMeansNothing())]

    def _joined(self, image: float, text: TextOpinion | str) -> tuple[float, tuple[Measurement, ...], list[Sentence]]:
        """The image's probability with what the text says taken into it, where there is such, and how, in words."""
        fusion = self._manifest.fusion
        if not isinstance(text, TextOpinion) or fusion is None:
            why = text if isinstance(text, str) else ""
            told = f"From the image alone; no text was taken into it{f' ({why})' if why else ''}."
            return image, (), [Sentence(text=told, says=TextNotTaken(why=why) if why else ImageAlone())]
        patient = fused(image, text.probability, fusion)
        told = f"Joined with the {100.0 * text.probability:.0f} % of {text.source}: {100.0 * patient:.0f} %."
        says = JoinedWithText(text_probability=text.probability, source=text.source, probability=patient)
        how = f"Joined by logistic regression; the text it was fitted on was {fusion.text}."
        sentences = [Sentence(text=told, says=says), Sentence(text=how, says=FittedOn(text=fusion.text))]
        return patient, _alone(image, text.probability), sentences


def _alone(image: float, text: float) -> tuple[Measurement, Measurement]:
    """Probabilities that were joined, each in percent."""
    return (
        Measurement(code=_FROM_IMAGE, value=100.0 * image, unit=codes.UCUM.Percent),
        Measurement(code=_FROM_TEXT, value=100.0 * text, unit=codes.UCUM.Percent),
    )
