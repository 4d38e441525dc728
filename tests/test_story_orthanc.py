"""A study's life with a real PACS: Orthanc sends it, the node reads it, Orthanc holds the results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.seg import Segmentation
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, EnhancedSRStorage, SegmentationStorage

from dicom_node.operation.came_back import agreement, mask_on
from dicom_node.reading.part10 import parse
from dicom_node.reading.series import survey
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from dicom_node.reading.volume import load
from inference.algorithms import Runtime
from inference.algorithms.brain_lesions import BrainLesions
from inference.catalogue import open_reader
from inference.image import Image
from inference.synthetic.head import synthetic_head
from tests.loopback import free_port, wait_until
from tests.nodes import RunningNode, running_node
from tests.orthancs import Orthanc, running_orthanc

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
RESULTS = (SegmentationStorage, Comprehensive3DSRStorage, EnhancedSRStorage)

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """An Orthanc and a node that know each other."""

    orthanc: Orthanc
    node: RunningNode

    def results(self) -> list[Dataset]:
        return self.orthanc.instances_of(*RESULTS)


@contextmanager
def hospital(folder: Path, *, algorithm: str, auto_route: bool = False) -> Iterator[Hospital]:
    node_port, dicom_port = free_port(), free_port()
    with (
        running_orthanc(folder, node_port=node_port, dicom_port=dicom_port, auto_route=auto_route) as orthanc,
        running_node(folder, pacs="ORTHANC", pacs_port=dicom_port, port=node_port, algorithm=algorithm) as node,
    ):
        yield Hospital(orthanc=orthanc, node=node)


def by_class(results: list[Dataset], sop_class_uid: str) -> Dataset:
    (found,) = [r for r in results if r.SOPClassUID == sop_class_uid]
    return found


def test_orthanc_routes_a_synthetic_head_by_itself_and_gets_the_planted_lesions_back(tmp_path: Path) -> None:
    head = synthetic_head(20261, lesions=2)
    sources = series_from_volume(head.image.volume, labels=Labels(seed="orthanc story", patient_name="Проба^Голова"))
    with hospital(tmp_path, algorithm="lesion-segmenter", auto_route=True) as there:
        for source in sources:
            there.orthanc.store(source)
        wait_until(lambda: sum(len(there.orthanc.identifiers_of(c)) for c in RESULTS) == 3, 120, "three results")
        results = there.results()
    verdict = agreement(head, sources, results)
    assert verdict.agrees, verdict.lines
    for result in results:
        assert result.StudyInstanceUID == sources[0].StudyInstanceUID
        assert str(result.PatientName) == "Проба^Голова"


def test_a_real_head_comes_back_with_its_brain_on_the_voxels_it_was_drawn_on(tmp_path: Path) -> None:
    folder = DATA / "mr-t1-siemens-skyra"
    if not folder.is_dir():
        pytest.skip("shared/data/dicom/mr-t1-siemens-skyra is not here")
    paths = sorted(folder.rglob("*.dcm"))
    with hospital(tmp_path, algorithm="brain-lesions") as there:
        series = {there.orthanc.ask(f"/instances/{there.orthanc.store_file(path)}")["ParentSeries"] for path in paths}
        there.orthanc.send_to_node(*series)
        wait_until(lambda: sum(len(there.orthanc.identifiers_of(c)) for c in RESULTS) == 3, 180, "three results")
        results = there.results()
        ledger = there.node.ledger()
        (line,) = ledger.studies()
        wait_until(lambda: not ledger.work_remains(line.study_instance_uid), 30, "the ledger to say so")
        assert ledger.find_study(line.pseudonym).outcome == "result"
        assert ledger.audit_verdict().fault is None
        ledger.close()
    sources = along_normal([pydicom.dcmread(path) for path in paths])
    segmentation = by_class(results, SegmentationStorage)
    check_geometry(segmentation, sources)
    mask = mask_on(segmentation, sources)
    assert np.array_equal(mask, brain_by_the_nodes_loader(paths))
    other = brain_by_another_loader(sources)
    assert 2 * (mask & other).sum() / (mask.sum() + other.sum()) > 0.99


def along_normal(datasets: list[Dataset]) -> list[Dataset]:
    """Slices in the order of their positions along the normal of the image plane."""
    rows, columns = np.split(np.array(datasets[0].ImageOrientationPatient, float), 2)
    normal = np.cross(rows, columns)
    return sorted(datasets, key=lambda ds: float(np.dot(normal, np.array(ds.ImagePositionPatient, float))))


def check_geometry(segmentation: Dataset, sources: list[Dataset]) -> None:
    """Every frame lies in millimetres where the source image that it names lies, on the same grid."""
    by_uid = {ds.SOPInstanceUID: ds for ds in sources}
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    assert segmentation.FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        uid = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        source = by_uid[uid]
        assert np.allclose(frame.PlanePositionSequence[0].ImagePositionPatient, source.ImagePositionPatient, atol=1e-3)
        assert np.allclose(orientation, source.ImageOrientationPatient, atol=1e-5)
        assert np.allclose(spacing, source.PixelSpacing, atol=1e-6)
        assert (segmentation.Rows, segmentation.Columns) == (source.Rows, source.Columns)


def brain_by_another_loader(sources: list[Dataset]) -> NDArray[np.bool_]:
    """What the reader draws when it is given the same voxels by highdicom's own loader, not by the node's."""
    volume = highdicom.get_volume_from_series(sources, dtype=np.float32)
    brain = brain_of(Image(volume=volume, modality="MR", weighting="T1"))
    # highdicom may order the slices the other way: bring them to the order of `sources`
    first = volume.affine[:3, 3]
    ascending = np.allclose(first, np.array(sources[0].ImagePositionPatient, float), atol=1e-3)
    return brain if ascending else brain[::-1]


def brain_by_the_nodes_loader(paths: list[Path]) -> NDArray[np.bool_]:
    """What the reader draws without network, ledger, cage or objects between; slices along the normal."""
    return brain_of(load(survey([parse(path.read_bytes()) for path in paths])[0]).image)


def brain_of(image: Image) -> NDArray[np.bool_]:
    """As the reader that serves draws it, with as many threads as the node gives it."""
    reader = open_reader("brain-lesions", None, Runtime())
    assert isinstance(reader, BrainLesions)
    mask: NDArray[np.bool_] = reader.read(image).segments[0].mask
    return mask


def test_segmentations_can_be_read_by_others(tmp_path: Path) -> None:
    """The SEG of a small synthetic series read back from Orthanc by highdicom: one segment, frames in place."""
    head = synthetic_head(99, lesions=1)
    sources = series_from_volume(head.image.volume, labels=Labels(seed="read by others"))
    with hospital(tmp_path, algorithm="lesion-segmenter") as there:
        identifiers = [there.orthanc.store(source) for source in sources]
        series = there.orthanc.ask(f"/instances/{identifiers[0]}")["ParentSeries"]
        there.orthanc.send_to_node(series)
        wait_until(lambda: len(there.orthanc.identifiers_of(SegmentationStorage)) == 1, 120, "the segmentation")
        segmentation = by_class(there.orthanc.instances_of(SegmentationStorage), SegmentationStorage)
    read = Segmentation.from_dataset(segmentation)
    assert read.number_of_segments == 1
    check_geometry(segmentation, sources)
