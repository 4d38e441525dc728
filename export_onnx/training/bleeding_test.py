"""One look at the test patients: the classifier at the true places, and the chain as a node runs it."""

from collections.abc import Callable, Sequence

import numpy as np

from export_onnx.training.bleeding_cohort import UPPER, longest_axis_mm, patient
from export_onnx.training.bleeding_scores import LesionScore, PatientScore
from inference.algorithms.lesion_classifier import LesionClassifier
from inference.findings import Mask
from inference.imaging.brain import Brain
from inference.imaging.candidates import Candidate, candidates
from inference.imaging.components import components
from inference.imaging.crops import scaled
from inference.imaging.shading import even
from inference.imaging.sites import site, site_in_standard
from inference.lesion_classes import Told, of_patient
from inference.synthetic.bleeding_head import BleedingHead, BleedingLesion


def tested(reader: LesionClassifier, seeds: Sequence[int], report: Callable[[str], None]) -> list[PatientScore]:
    """Scores of the test patients."""
    scores = []
    for number, seed in enumerate(seeds, start=1):
        head, kind = patient(seed)
        scores.append(_score(reader, head, haemorrhage=kind == "aih"))
        if number % 4 == 0 or number == len(seeds):
            report(f"test: {number} of {len(seeds)} patients")
    return scores


def _score(reader: LesionClassifier, head: BleedingHead, *, haemorrhage: bool) -> PatientScore:
    placed = [_at_true_place(reader, head, lesion) for lesion in head.lesions]
    brain = reader.brain(head.image)
    found = reader.candidates(head.image, brain)
    told = reader.classified(head.image, brain, found)
    balls = _balls(head, brain)
    lesions = tuple(
        _lesion(head, brain, lesion, one, (found, told), balls)
        for lesion, one in zip(head.lesions, placed, strict=True)
    )
    planted = np.logical_or.reduce([lesion.mask for lesion in head.lesions]) if head.lesions else head.brain & False
    return PatientScore(
        haemorrhage=haemorrhage,
        lesions=lesions,
        placed=of_patient(placed, "max") if placed else 0.5,
        read=of_patient([one.probability for one in told], "max") if told else None,
        false_candidates=sum(not planted[tuple(c.part.indices.T)].any() for c in found),
    )


def _at_true_place(reader: LesionClassifier, head: BleedingHead, lesion: BleedingLesion) -> float:
    """Probability of haemorrhage of a candidate that is the lesion's true mask, in the true brain."""
    part = components(lesion.mask, head.image.volume.affine)[0]
    brain = Brain(mask=head.brain, whole_ml=0.0, shading=even(), from_standard=np.eye(4))
    (told,) = reader.classified(head.image, brain, [Candidate(part=part, contrast=1.0, blobness=1.0)])
    return told.probability


def _balls(head: BleedingHead, brain: Brain) -> Mask:
    """What `candidates`, which the classical reader uses, marks in the same brain."""
    volume = head.image.volume
    evened = volume.array / brain.shading.over(volume.affine, volume.array.shape)
    marked = np.zeros(head.brain.shape, dtype=np.bool_)
    for one in candidates(evened.astype(np.float32), brain.mask, volume.affine, stands_out="dark"):
        marked[tuple(one.part.indices.T)] = True
    return marked


def _lesion(
    head: BleedingHead,
    brain: Brain,
    lesion: BleedingLesion,
    placed: float,
    read: tuple[Sequence[Candidate], Sequence[Told]],
    balls: Mask,
) -> LesionScore:
    volume = head.image.volume
    shared = [int(lesion.mask[tuple(c.part.indices.T)].sum()) for c in read[0]]
    best = int(np.argmax(shared)) if any(shared) else None
    points = np.argwhere(lesion.mask) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    there = points - points.mean(axis=0) + np.array(lesion.standard_mm)
    truth, said = site_in_standard(there), site(points, brain.from_standard)
    return LesionScore(
        placed=placed,
        read=None if best is None else read[1][best].probability,
        ball=bool((balls & lesion.mask).any()),
        size_mm=longest_axis_mm(lesion, head),
        brightness=float(UPPER * scaled(volume, head.brain, UPPER).array[lesion.mask].mean()),
        true_site=truth.meaning if truth else "",
        site=None if best is None else said.meaning if said else "",
    )
