"""Algorithms of the tests: one that finds what is bright, and the task that asks for it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.reading.task import Analysis, Given, Task
from dicom_node.results.rendering import GENERIC_RENDERING
from inference.findings import Algorithm, Finding, Findings, Measurement, Narrative, Segment, Sentence
from inference.image import Image
from inference.inputs import Inputs
from tests.series_files import as_bytes

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DIGEST = "ab" * 32
ALGORITHM = Algorithm(
    name="bright-spots",
    version="1.2.3",
    source="tests",
    digest=DIGEST,
    family=codes.DCM.ArtificialIntelligence,
    clinical_use="research",
    training="none",
)


def bright(image: Image, above: float) -> Findings:
    """One finding: the voxels above a value."""
    mask = image.volume.array > above
    segment = Segment(
        label="Bright",
        category=codes.SCT.MorphologicallyAbnormalStructure,
        type=codes.SCT.Lesion,
        anatomy=None,
        mask=mask,
        color=(255, 0, 0),
    )
    volume = Measurement(
        code=codes.SCT.Volume,
        value=float(mask.sum()) * image.volume.voxel_volume / 1000,
        unit=Code("ml", "UCUM", "milliliter"),
    )
    finding = Finding(
        label="lesion 1",
        code=codes.SCT.Lesion,
        site=codes.SCT.Brain,
        probability=0.75,
        segment=0,
        region=mask,
        slice_probabilities=tuple((int(k), 0.75) for k in np.flatnonzero(mask.any(axis=(1, 2)))),
        measurements=(volume,),
    )
    narrative = Narrative(sentences=(Sentence(text="One bright lesion.", finding="lesion 1"),))
    return Findings(algorithm=ALGORITHM, segments=(segment,), findings=(finding,), narrative=narrative)


def task(datasets: Sequence[Dataset], **facts: Any) -> Task:
    """A task on the datasets as files."""
    settings: dict[str, Any] = {
        "algorithm": "bright-spots",
        "algorithm_digest": DIGEST,
        "inputs": Inputs(modality=("MR", "CT"), min_slices=3),
        "configuration_digest": "cd" * 32,
        "software_version": "0.1.0",
        "renderings": (GENERIC_RENDERING,),
        "analysed_at": NOW,
    }
    settings["instances"] = tuple(as_bytes(ds) for ds in datasets)
    return Task(**{**settings, **facts})


def analyse(name: str, given: Given) -> Analysis:
    """As the session host would answer."""
    assert name == "bright-spots"
    assert isinstance(given, Image)
    return Analysis(findings=bright(given, float(given.volume.array.max()) / 2), provider="numpy", seconds=0.25)
