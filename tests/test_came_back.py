from io import BytesIO

import numpy as np
import pydicom

from dicom_node.operation.came_back import file_size, in_words, kind, mask_on, texts, volumes_ml
from dicom_node.reading.synthetic_study import series_from_volume
from dicom_node.results.objects import write_all
from tests import phantoms


def objects() -> dict[str, pydicom.Dataset]:
    source = phantoms.single_frame(phantoms.volume())
    made = write_all(phantoms.two_lesions(), source, phantoms.identity())
    return {o.kind: pydicom.dcmread(BytesIO(o.data)) for o in made}


def test_objects_are_told_apart_and_put_into_words() -> None:
    made = objects()
    assert {name: kind(dataset) for name, dataset in made.items()} == {
        "SEG": "SEG",
        "SR": "SR",
        "NARRATIVE": "NARRATIVE",
    }
    assert in_words(made["SEG"]).startswith("segments: ")
    assert in_words(made["SR"]) == "2 findings: 12.35 mL, 12.35 mL"
    assert "not verified by a physician" in in_words(made["NARRATIVE"])
    assert "Example Institute" not in texts(made["NARRATIVE"])  # an observer is no sentence
    assert volumes_ml(made["SR"]) == [12.35, 12.35]
    assert file_size(made["SR"]) > 1000


def test_a_mask_lies_on_the_sources_in_the_order_they_are_given() -> None:
    volume = phantoms.volume()
    sources = series_from_volume(volume)
    findings = phantoms.two_lesions()
    segmentation = objects()["SEG"]
    union = np.any([s.mask for s in findings.segments], axis=0)
    assert np.array_equal(mask_on(segmentation, sources), union)
    assert np.array_equal(mask_on(segmentation, sources[::-1]), union[::-1])
