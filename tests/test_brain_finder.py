"""The brain is found by a bundle, or without weights where the bundle knows nothing of the head."""

from pathlib import Path

import numpy as np
import pytest

from inference.algorithms.brain_finder import ClassicalFinder
from inference.algorithms.brain_lesions import BrainLesions, algorithm
from inference.algorithms.learnt_brain import LearntFinder
from inference.algorithms.segment import Segmenter
from inference.catalogue import describe, open_reader
from inference.errors import BundleError
from inference.imaging.brain_mask import find_brain
from inference.synthetic.head import SyntheticHead, synthetic_head
from tests import tiny_bundles, tiny_lesions
from tests.tiny_bundles import BRAIN, CPU


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return synthetic_head(5, lesions=0, spacing_mm=(3.0, 2.0, 2.0))


def finder(folder: Path, upper: float) -> LearntFinder:
    """Takes everything brighter than half of `upper` for brain, and of it the largest part."""
    segment = {**tiny_bundles.manifest()["segments"][0], "type": BRAIN, "anatomy": None, "only_largest": True}
    bundle = tiny_bundles.written(
        folder,
        preprocess=[{"op": "window", "center": upper / 2.0, "width": upper}],
        segments=[segment],
        findings=[],
    )
    return LearntFinder(Segmenter.opened(bundle, CPU))


def test_the_largest_part_that_the_bundle_marks_is_the_brain(head: SyntheticHead, tmp_path: Path) -> None:
    learnt = finder(tmp_path, 600.0)
    brain = learnt.find(head.image)
    assert learnt.provider == "CPUExecutionProvider"
    array = head.image.volume.array
    assert not brain.mask[array < 299.0].any()
    assert brain.mask[array > 301.0].mean() > 0.5


def test_a_head_that_the_bundle_knows_nothing_of_is_looked_at_without_weights(
    head: SyntheticHead, tmp_path: Path
) -> None:
    assert np.array_equal(finder(tmp_path, 1e6).find(head.image).mask, find_brain(head.image).mask)
    assert ClassicalFinder().provider == "SimpleITK"


def test_who_finds_the_brain_is_part_of_who_speaks(tmp_path: Path) -> None:
    learnt = finder(tmp_path, 600.0)
    with_bundle, without = BrainLesions(learnt), BrainLesions()
    assert with_bundle.algorithm == algorithm(learnt.extractor)
    assert with_bundle.algorithm.digest != without.algorithm.digest
    assert (with_bundle.algorithm.training, without.algorithm.training) == ("synthetic-appearance", "none")
    assert with_bundle.provider == "CPUExecutionProvider"


def test_what_serves_as_brain_lesions_finds_the_brain_with_the_bundle_that_ships() -> None:
    extractor = describe("brain-extractor", None).algorithm
    served = open_reader("brain-lesions", None, CPU)
    assert served.algorithm == describe("brain-lesions", None).algorithm == algorithm(extractor)
    assert served.provider == "CPUExecutionProvider"


def test_a_bundle_reads_with_exactly_the_extractor_that_it_names(tmp_path: Path) -> None:
    extractor = describe("brain-extractor", None).bundle
    assert extractor is not None
    named = {"name": "brain-extractor", "version": extractor.manifest.version, "digest": extractor.digest}
    tiny_lesions.written(tmp_path, extractor=named)
    assert open_reader("tiny", tmp_path, CPU).provider == "CPUExecutionProvider"
    tiny_lesions.written(tmp_path, version="1.0.1", extractor={**named, "digest": "0" * 64})
    with pytest.raises(BundleError, match="finds the brain with brain-extractor"):
        open_reader("tiny", tmp_path, CPU)
