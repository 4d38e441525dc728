import numpy as np
import pytest
from highdicom import Volume

from inference.algorithms.brain_lesions import INPUTS, BrainLesions, algorithm
from inference.findings import Findings
from inference.image import Image
from inference.synthetic.head import SyntheticHead, synthetic_head


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return synthetic_head(5, lesions=0)


@pytest.fixture(scope="module")
def with_ball(head: SyntheticHead) -> tuple[np.ndarray, Findings]:
    """A bright ball of 7 mm radius in the left half of the brain, and what the reader says."""
    volume = head.image.volume
    index = np.stack(np.meshgrid(*map(np.arange, volume.spatial_shape), indexing="ij"), axis=-1)
    place = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    middle = (volume.affine @ [*np.argwhere(head.brain).mean(axis=0), 1.0])[:3]
    ball = np.linalg.norm(place - (middle + np.array([28.0, 5.0, 10.0])), axis=-1) < 7.0
    assert (ball & head.brain).sum() == ball.sum()
    array = volume.array.copy()
    array[ball] = 2.0 * np.percentile(array[head.brain], 95)
    image = Image(volume=volume.with_array(array), modality="MR", weighting="T1")
    return ball, BrainLesions().read(image)


def test_a_healthy_head_has_a_brain_and_no_candidate(head: SyntheticHead) -> None:
    findings = BrainLesions().read(head.image)
    assert [s.label for s in findings.segments] == ["Brain"]
    (brain,) = findings.findings
    values = {m.code.meaning: m.value for m in brain.measurements}
    mask = findings.segments[0].mask
    assert values["Volume"] == pytest.approx(mask.sum() * np.prod(head.image.volume.spacing) / 1000)
    assert values["Highest Candidate Score of the Study"] == 0.0
    assert "No blob-like region" in findings.narrative.text


def test_a_ball_is_a_candidate_with_size_side_and_score(with_ball: tuple[np.ndarray, Findings]) -> None:
    ball, findings = with_ball
    assert [s.label for s in findings.segments] == ["Brain", "Candidate lesion"]
    (candidate,) = [f for f in findings.findings if f.label.startswith("candidate")]
    assert candidate.region is not None
    assert 2 * (candidate.region & ball).sum() / (candidate.region.sum() + ball.sum()) > 0.85
    assert candidate.laterality is not None
    assert candidate.laterality.meaning == "Left"
    assert candidate.probability is None  # a score is no probability
    values = {m.code.value: m.value for m in candidate.measurements}
    assert 0.5 < values["candidate-score"] <= 1.0
    assert values["118565006"] == pytest.approx(ball.sum() * 2.0, rel=0.2)  # mm3, voxels of 2 x 1 x 1 mm
    assert "Candidate 1: left brain" in findings.narrative.text
    assert "not a probability" in findings.narrative.text


def test_the_reader_says_who_it_is() -> None:
    reader = BrainLesions()
    assert (reader.provider, reader.algorithm.training, reader.algorithm.clinical_use) == (
        "SimpleITK",
        "none",
        "research",
    )
    assert reader.algorithm == algorithm(None)
    assert reader.inputs is INPUTS
    assert "unknown" not in INPUTS.weighting


def test_a_cut_off_brain_is_measured_and_estimated(head: SyntheticHead) -> None:
    volume = head.image.volume
    columns = np.flatnonzero(head.brain.any(axis=(0, 1)))
    kept = int(columns[0] + 0.75 * len(columns))
    cut = Volume(volume.array[:, :, :kept], volume.affine, coordinate_system="PATIENT")
    findings = BrainLesions().read(Image(volume=cut, modality="MR", weighting="T1"))
    values = {m.code.value: m.value for m in findings.findings[0].measurements}
    voxel_ml = float(np.prod(volume.spacing)) / 1000
    assert values["118565006"] == pytest.approx(head.brain[:, :, :kept].sum() * voxel_ml, rel=0.12)
    assert values["whole-brain-volume"] == pytest.approx(head.brain.sum() * voxel_ml, rel=0.15)
    assert "cut the brain off" in findings.narrative.text


@pytest.mark.parametrize(("hounsfield", "candidates"), [(70.0, 1), (300.0, 0)])
def test_in_ct_blood_is_a_candidate_and_calcification_is_not(hounsfield: float, candidates: int) -> None:
    index = np.stack(np.meshgrid(*map(np.arange, (100, 110, 90)), indexing="ij"), axis=-1)
    place = 2.0 * (index - [49.5, 54.5, 44.5])  # mm from the middle
    array = np.full(place.shape[:3], -1000.0)
    for radii, value in (((92, 98, 82), 50.0), ((86, 92, 76), 1200.0), ((78, 84, 67), 35.0)):
        array[((place / radii) ** 2).sum(axis=-1) < 1.0] = value
    array[np.linalg.norm(place - [10.0, 20.0, 30.0], axis=-1) < 6.0] = hounsfield
    array += np.random.default_rng(0).normal(0.0, 3.0, array.shape)
    affine = np.array([[0, 0, 2.0, -89.0], [0, 2.0, 0, -109.0], [2.0, 0, 0, -99.0], [0, 0, 0, 1.0]])
    volume = Volume(array.astype(np.float32), affine, coordinate_system="PATIENT")
    findings = BrainLesions().read(Image(volume=volume, modality="CT", weighting="CT"))
    assert len(findings.findings) == 1 + candidates
    assert "cut the brain off" not in findings.narrative.text


def test_no_unit_can_be_read_as_a_value(with_ball: tuple[np.ndarray, Findings]) -> None:
    """OHIF leaves out a value of 0 and shows its unit: "1" would stand there as the score."""
    units = {m.unit.value for finding in with_ball[1].findings for m in finding.measurements}
    assert len(units) > 2
    assert not [unit for unit in units if unit[0].isdigit()]
