"""Brain and candidate lesions in a head: its volume, and blobs that stand out from its tissue.

The first two steps of the cavernous malformation reader: brain extraction, by whoever finds the brain, and candidates
without weights. What a candidate is, takes a model; its score is an order among candidates, not a probability, and has
not been evaluated on patients.
"""

import hashlib
import json
from typing import Literal

import numpy as np
from highdicom import Volume
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.algorithms import Scores
from inference.algorithms.brain_finder import BrainFinder, ClassicalFinder
from inference.findings import Algorithm, Finding, Findings, Measurement, Narrative, Segment, Sentence
from inference.image import Image
from inference.imaging import candidates as blobs
from inference.imaging.brain import Brain
from inference.imaging.candidates import Candidate
from inference.imaging.midline import Midline, midline, side
from inference.inputs import Inputs
from inference.marks import surest
from inference.measured import measured, size_in_words
from inference.statements import BrainCutOff, BrainVolume, CodedAt, NothingStandsOut, ScoresAreAnOrder

NAME, VERSION = "brain-lesions", "0.1.0"

INPUTS = Inputs(
    modality=("MR", "CT"),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T1", "T2", "FLAIR", "T2*", "CT"),  # "unknown" may be a map or a phase image: not read
    min_slices=15,
    min_matrix=96,  # functional, diffusion and localiser images lie below
    max_spacing_mm=8.0,
    min_extent_mm=90.0,  # less cannot hold most of a brain
)
"""Which series it reads."""

BRIGHT: frozenset[str] = frozenset({"T1", "FLAIR", "CT"})
"""Contrasts in which blood and lesions are brighter than tissue.

In T2 and T2* old blood is darker, and liquor bright.
"""

DENSEST_BLOOD_HU = 100.0
"""Clotted blood has 50 to 90 HU; what is denser is no haemorrhage."""

_PARAMETERS = {
    "densest_blood_hu": DENSEST_BLOOD_HU,
    "candidate_radius_mm": [blobs.LEAST_RADIUS_MM, blobs.MOST_RADIUS_MM],
    "least_blobness": blobs.LEAST_BLOBNESS,
    "least_score": blobs.LEAST_SCORE,
    "bright": sorted(BRIGHT),
}

EXTRACTOR = "brain-extractor"
"""Name of the bundle that finds the brain."""

LESION = Code("52988006", "SCT", "Lesion")
_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
_SCORE = Code("candidate-score", "99DICOMNODE", "Candidate Score, not a Probability")
_STUDY_SCORE = Code("study-score", "99DICOMNODE", "Highest Candidate Score of the Study")
_WHOLE = Code("whole-brain-volume", "99DICOMNODE", "Estimated Volume of the Whole Brain")
_SCORE_UNIT = Code("{score}", "UCUM", "score")  # not "1": OHIF leaves out a value of 0, and its unit would stand as 1
_MILLILITRE = Code("mL", "UCUM", "mL")
SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}
_CUT_OFF = 0.02  # of the whole brain that the volume must miss before it is said
_BRAIN_COLOR, _LESION_COLOR = (90, 170, 255), (255, 140, 40)


def algorithm(extractor: Algorithm | None) -> Algorithm:
    """Who speaks; the digest covers name, version, parameters and the weights that find the brain, if any do."""
    told = [NAME, VERSION, _PARAMETERS, extractor.digest if extractor else ""]
    return Algorithm(
        name=NAME,
        version=VERSION,
        source="dicom-node",
        digest=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        family=extractor.family if extractor else codes.DCM.MorphologicalOperations,
        clinical_use="research",
        training=extractor.training if extractor else "none",
    )


class BrainLesions:
    """Ready to read.

    Parameters
    ----------
    finder
        Finds the brain; None: without weights.
    """

    inputs = INPUTS
    sought = codes.SCT.Brain

    def __init__(self, finder: BrainFinder | None = None) -> None:
        self._finder = finder or ClassicalFinder()
        self.algorithm = algorithm(self._finder.extractor)

    @property
    def provider(self) -> str:
        """Of what finds the brain."""
        return self._finder.provider

    def read(self, image: Image) -> Findings:
        """Find the brain and what stands out in it.

        Raises
        ------
        UnsuitableImageError
            If nothing that a brain can be is in the volume.
        """
        brain = self._finder.find(image)
        found = _candidates(image, brain)
        plane = midline(image.volume) if found else None
        segments = [brain_segment(brain)]
        findings = [brain_finding(image, brain, found)]
        if found:
            segments.append(lesion_segment(brain, found))
            findings += [_candidate_finding(number, c, image, plane) for number, c in enumerate(found, start=1)]
        return Findings(
            algorithm=self.algorithm,
            segments=tuple(segments),
            findings=tuple(findings),
            narrative=_narrative(findings[0], findings[1:], found),
        )

    def scores(self, image: Image) -> Scores:
        """The brain, for figures; raises as `read`."""
        mask = self._finder.find(image).mask
        probability = mask.astype(np.float32)
        return Scores(probability=probability, marked=mask, slices=surest(probability), classes={})


def _candidates(image: Image, brain: Brain) -> tuple[Candidate, ...]:
    volume = image.volume
    shape = (int(volume.shape[0]), int(volume.shape[1]), int(volume.shape[2]))
    evened = volume.array if image.modality == "CT" else volume.array / brain.shading.over(volume.affine, shape)
    stands_out: Literal["bright", "dark"] = "bright" if image.weighting in BRIGHT else "dark"
    found = blobs.candidates(evened.astype(np.float32), brain.mask, volume.affine, stands_out=stands_out)
    return tuple(c for c in found if image.modality == "MR" or not _is_dense(volume, c))


def _is_dense(volume: Volume, candidate: Candidate) -> bool:
    """Bone, or calcification as in pineal gland and choroid plexus of most adults."""
    return float(np.percentile(volume.array[tuple(candidate.part.indices.T)], 95)) > DENSEST_BLOOD_HU


def brain_segment(brain: Brain) -> Segment:
    """The brain's mask."""
    return Segment(
        label="Brain",
        category=codes.SCT.AnatomicalStructure,
        type=codes.SCT.Brain,
        anatomy=None,
        mask=brain.mask,
        color=_BRAIN_COLOR,
    )


def lesion_segment(brain: Brain, found: tuple[Candidate, ...]) -> Segment:
    """All candidates as one segment."""
    mask = np.zeros(brain.mask.shape, dtype=np.bool_)
    for candidate in found:
        mask[tuple(candidate.part.indices.T)] = True
    return Segment(
        label="Candidate lesion",
        category=_ABNORMAL,
        type=LESION,
        anatomy=codes.SCT.Brain,
        mask=mask,
        color=_LESION_COLOR,
    )


def brain_finding(image: Image, brain: Brain, found: tuple[Candidate, ...]) -> Finding:
    """The brain with its volume, that of the whole where the images cut it off, and the candidates' highest score."""
    shown_ml = image.volume_mm3(brain.mask.sum(axis=(1, 2))) / 1000.0
    measurements = [Measurement(code=codes.SCT.Volume, value=shown_ml, unit=_MILLILITRE)]
    if shown_ml < (1.0 - _CUT_OFF) * brain.whole_ml:
        measurements.append(Measurement(code=_WHOLE, value=brain.whole_ml, unit=_MILLILITRE))
    highest = max((c.score for c in found), default=0.0)
    measurements.append(Measurement(code=_STUDY_SCORE, value=highest, unit=_SCORE_UNIT))
    return Finding(label="brain", code=codes.SCT.Brain, segment=0, region=brain.mask, measurements=tuple(measurements))


def score(candidate: Candidate) -> Measurement:
    """An order among candidates."""
    return Measurement(code=_SCORE, value=candidate.score, unit=_SCORE_UNIT)


def _candidate_finding(number: int, candidate: Candidate, image: Image, plane: Midline | None) -> Finding:
    part = candidate.part
    points = part.indices @ part.affine[:3, :3].T + part.affine[:3, 3]
    lies = side(points, plane) if plane else None
    return Finding(
        label=f"candidate {number}",
        code=LESION,
        site=codes.SCT.Brain,
        laterality=SIDES[lies] if lies else None,
        segment=1,
        region=part.region,
        slice_probabilities=candidate.slice_scores(),
        measurements=(*measured(part, image), score(candidate)),
    )


def _narrative(whole: Finding, listed: list[Finding], found: tuple[Candidate, ...]) -> Narrative:
    sentences = brain_sentences(whole)
    if not found:
        least, most = blobs.LEAST_RADIUS_MM, blobs.MOST_RADIUS_MM
        text = f"No blob-like region of {least:g} to {most:g} mm radius stands out from its tissue."
        sentences.append(Sentence(text=text, says=NothingStandsOut(least_mm=least, most_mm=most)))
    for finding, candidate in zip(listed, found, strict=True):
        says = CodedAt(place_mm=place_mm(candidate))
        sentences.append(Sentence(text=_in_words(finding, candidate), finding=finding.label, says=says))
    if found:
        text = "A score is an order among candidates, not a probability."
        sentences.append(Sentence(text=text, says=ScoresAreAnOrder()))
    return Narrative(sentences=tuple(sentences))


def brain_sentences(whole: Finding) -> list[Sentence]:
    """What `brain_finding` measured, in words."""
    shown_ml, whole_ml = whole.measured(codes.SCT.Volume), whole.measured(_WHOLE)
    if shown_ml is None:
        raise ValueError("a brain is measured")
    text = f"The brain in the images measures {shown_ml:.0f} mL."
    sentences = [Sentence(text=text, finding=whole.label, says=BrainVolume(volume_ml=shown_ml))]
    if whole_ml is not None:
        text = f"The images cut the brain off; the whole is estimated at {whole_ml:.0f} mL."
        sentences.append(Sentence(text=text, finding=whole.label, says=BrainCutOff(whole_ml=whole_ml)))
    return sentences


def _in_words(finding: Finding, candidate: Candidate) -> str:
    where = f"{finding.laterality.meaning.lower()} brain" if finding.laterality else "brain"
    return f"{finding.label.capitalize()}: {where}, {size_and_place(finding, candidate)}."


def place_mm(candidate: Candidate) -> tuple[float, float, float]:
    """Where a candidate's centre lies from the scanner's: LPS, mm."""
    x, y, z = (float(mm) for mm in candidate.part.centroid_mm)
    return x, y, z


def size_and_place(finding: Finding, candidate: Candidate) -> str:
    """How large a candidate is, its score, and where it lies in the scanner."""
    x, y, z = place_mm(candidate)
    place = (
        f"at {abs(x):.0f} mm {'left' if x >= 0 else 'right'}, {abs(y):.0f} mm {'posterior' if y >= 0 else 'anterior'}"
    )
    height = f"{abs(z):.0f} mm {'superior' if z >= 0 else 'inferior'} of the scanner's centre"
    return f"{size_in_words(finding)}, score {finding.measured(_SCORE):.2f}, {place}, {height}"
