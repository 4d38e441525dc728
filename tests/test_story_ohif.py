"""What a radiologist sees: the objects of a reading opened in OHIF, judged by the pixels and the text of its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, EnhancedSRStorage, SegmentationStorage
from rich.console import Console

from dicom_node.config import Config, InferenceTable
from dicom_node.operation.came_back import agreement, mask_on, texts, volumes_ml
from dicom_node.operation.process import process_paths
from dicom_node.reading.synthetic_study import Labels, series_from_volume
from inference.synthetic.head import synthetic_head
from tests.loopback import free_port
from tests.orthancs import running_orthanc
from tests.viewers.drawn import Mask, along, assert_overlaid, drawn, items, outlines, places
from tests.viewers.ohif import Look, Step, Visit, installed, visit

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
REAL = [f"mr-t1-siemens-{name}" for name in ("prisma-hfs", "prisma-hfp", "prisma-hfdr", "prisma-hfdl", "skyra")]
PICTURES = Path(__file__).parent.parent / "build" / "ohif"
"""Where the pictures of the synthetic study stay."""

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@dataclass(frozen=True, kw_only=True)
class Read:
    """A series and what the product made of it.

    Attributes
    ----------
    sources
        The images, in the order of their files.
    results
        The objects by SOP class.
    """

    sources: list[Dataset]
    results: dict[str, Dataset]

    @property
    def segmentation(self) -> Dataset:
        return self.results[SegmentationStorage]

    @property
    def measurements(self) -> Dataset:
        return self.results[Comprehensive3DSRStorage]

    @property
    def report(self) -> Dataset:
        return self.results[EnhancedSRStorage]

    def image(self, sop_instance_uid: str) -> Dataset:
        return next(source for source in self.sources if source.SOPInstanceUID == sop_instance_uid)


def read_by_the_product(folder: Path, out: Path, algorithm: str) -> Read:
    """As `dicom-node process` reads a folder."""
    config = Config(inference=InferenceTable(allow_synthetic=True))
    told = process_paths([folder], out, [algorithm], config, Console(quiet=True))
    (reading,) = told["studies"][0]["algorithms"]
    assert reading["outcome"] == "result", reading["reason"]
    results = [pydicom.dcmread(made["path"]) for made in reading["objects"]]
    return Read(
        sources=[pydicom.dcmread(path) for path in sorted(folder.iterdir())],
        results={str(result.SOPClassUID): result for result in results},
    )


def seen(read: Read, steps: Sequence[Step], folder: Path, pictures: Path) -> Visit:
    """The steps done in OHIF on what Orthanc was given."""
    folder.mkdir()
    with running_orthanc(folder, node_port=free_port(), dicom_port=free_port(), dicom_web=True) as orthanc:
        for dataset in (*read.sources, *read.results.values()):
            orthanc.store(dataset)
        return visit(orthanc, str(read.sources[0].StudyInstanceUID), steps, pictures)


def largest_slice(mask: Mask) -> int:
    return int(mask.sum(axis=(1, 2)).argmax())


def centre(image: Dataset, mask: Mask) -> list[float]:
    middle: list[float] = places(image, np.argwhere(mask).astype(float)).mean(axis=0).tolist()
    return middle


def axes_mm(report: Dataset) -> list[tuple[float, float]]:
    """Long and short axis of each finding."""
    found: dict[str, list[float]] = {"Long axis": [], "Short axis": []}
    for item in items(report):
        if item.ValueType == "NUM" and item.ConceptNameCodeSequence[0].CodeMeaning in found:
            value = float(item.MeasuredValueSequence[0].NumericValue)
            found[item.ConceptNameCodeSequence[0].CodeMeaning].append(value)
    return list(zip(*found.values(), strict=True))


def assert_told(report: Dataset, look: Look) -> None:
    """Every sentence of a report can be read on the page."""
    shown = " ".join(look.text.split())
    said = texts(report)
    assert len(said) >= 4
    assert [sentence for sentence in said if sentence not in shown] == []


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The synthetic head, read and seen."""

    read: Read
    mask: Mask
    visit: Visit


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    installed()
    made, folder = synthetic_head(20270, lesions=2), tmp_path_factory.mktemp("head")
    labels = Labels(seed="ohif story", patient_name="Synthetic^Head", patient_id="OHIF-1")
    (folder / "images").mkdir()
    for number, dataset in enumerate(series_from_volume(made.image.volume, labels=labels)):
        dataset.save_as(folder / "images" / f"{number:04}", enforce_file_format=True)
    read = read_by_the_product(folder / "images", folder / "out", "lesion-segmenter")
    verdict = agreement(made, read.sources, list(read.results.values()))
    assert verdict.agrees, verdict.lines
    key = largest_slice(verdict.mask)
    there = centre(read.sources[key], verdict.mask[key])
    steps: list[Step] = [
        {"jump": there},
        {"look": "1-images"},
        # measurements first: over a segmentation the viewer's arrows lead to the segment's next slice
        {"open": str(read.measurements.SeriesDescription)},
        {"look": "2-measurements"},
        {"next": True},
        {"look": "3-second-measurement"},
        {"next": True},
        {"look": "4-first-measurement"},
        {"open": str(read.segmentation.SeriesDescription)},
        {"press": "Yes"},
        {"jump": there},
        {"look": "5-segmentation"},
        {"open": str(read.report.SeriesDescription)},
        {"look": "6-report"},
    ]
    return Head(read=read, mask=verdict.mask, visit=seen(read, steps, folder / "orthanc", PICTURES))


def test_nothing_is_complained_of_and_nothing_leaves(head: Head) -> None:
    tour = "No element was found for the selector supplied to advanceOn"  # the tour, skipped before the image is there
    assert [said for said in head.visit.complaints if tour not in said] == []


def test_the_segment_lies_on_the_lesion_and_nowhere_else(head: Head) -> None:
    key = largest_slice(head.mask)
    image, mask = head.read.sources[key], head.mask[key]
    without, overlaid = head.visit.looks["1-images"], head.visit.looks["5-segmentation"]
    assert_overlaid(without, overlaid, image, mask, channel=0)


def test_the_measurements_open_on_the_slice_of_the_first(head: Head) -> None:
    """Of the image alone: the viewer may draw the outline only with the next picture."""
    assert head.visit.looks["2-measurements"].sop_instance_uid == outlines(head.read.measurements)[0][0]


@pytest.mark.parametrize(("name", "index"), [("4-first-measurement", 0), ("3-second-measurement", 1)])
def test_a_measurement_leads_to_its_slice_and_is_outlined_there(head: Head, name: str, index: int) -> None:
    look = head.visit.looks[name]
    image_uid, vertices = outlines(head.read.measurements)[index]
    assert look.sop_instance_uid == image_uid
    image = head.read.image(image_uid)
    line = along(vertices) - 0.5  # SCOORD counts from the corner of the first pixel (PS3.3 C.18.6.1.2)
    assert drawn(look, places(image, line)).mean() > 0.8  # a pixel beside it half of that
    assert drawn(look, places(image, line + np.array([60, 0]))).sum() == 0
    volume = f"Volume: {1000 * volumes_ml(head.read.measurements)[index]:.2f} mm3"
    assert volume in look.text
    long, short = axes_mm(head.read.measurements)[index]
    assert f"Long axis: {long:.2f} mm" in look.text
    assert f"Short axis: {short:.2f} mm" in look.text
    assert volume not in head.visit.looks["1-images"].text


def test_the_report_is_read_as_text(head: Head) -> None:
    assert_told(head.read.report, head.visit.looks["6-report"])
    shown = " ".join(head.visit.looks["1-images"].text.split())
    assert not [sentence for sentence in texts(head.read.report) if sentence in shown]


@pytest.mark.parametrize("folder", REAL)
def test_a_real_head_is_seen_with_its_brain(folder: str, tmp_path: Path) -> None:
    """The pictures are gone when the test is done."""
    installed()
    images = DATA / folder
    if not images.is_dir():
        pytest.skip(f"shared/data/dicom/{folder} is not here")
    read = read_by_the_product(images, tmp_path / "out", "brain-lesions")
    mask = mask_on(read.segmentation, read.sources)
    key = largest_slice(mask)
    image, there = read.sources[key], centre(read.sources[key], mask[key])
    steps: list[Step] = [
        {"jump": there},
        {"look": "images"},
        {"open": str(read.measurements.SeriesDescription)},
        {"next": True},
        {"look": "measurement"},
        {"open": str(read.segmentation.SeriesDescription)},
        {"press": "Yes"},
        {"jump": there},
        {"look": "segmentation"},
        {"open": str(read.report.SeriesDescription)},
        {"look": "report"},
    ]
    with TemporaryDirectory(dir=tmp_path) as pictures:
        looks = seen(read, steps, tmp_path / "orthanc", Path(pictures)).looks
        assert_overlaid(looks["images"], looks["segmentation"], image, mask[key], channel=2)
        ((measured, vertices),) = outlines(read.measurements)
        assert looks["measurement"].sop_instance_uid == measured
        line = places(read.image(measured), along(vertices) - 0.5)
        assert drawn(looks["measurement"], line).mean() > 0.8
        shown = " ".join(looks["measurement"].text.split())
        assert f"Volume: {volumes_ml(read.measurements)[0]:.2f} mL" in shown
        assert "Highest Candidate Score of the Study: {score}" in shown  # a value of 0 is left out, its unit is not
        assert_told(read.report, looks["report"])
