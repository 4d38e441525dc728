"""What is read back from a measurement report is what was tracked when it was written."""

import numpy as np
import pytest

from dicom_node.results import measurement_report
from dicom_node.results.envelope import to_file
from dicom_node.results.measurement_report import WHOLE_STUDY
from dicom_node.results.outline import filled
from dicom_node.results.placement import tracking_uid
from dicom_node.results.tracked import tracked
from inference.imaging.axes import largest_slice
from tests import phantoms


@pytest.mark.parametrize("frames", ["single", "multi"])
def test_every_finding_comes_back_with_its_place(frames: str) -> None:
    of = phantoms.volume()
    source = (
        phantoms.single_frame(of) if frames == "single" else phantoms.multi_frame(of, order=(3, 4, 5, 0, 1, 2, 7, 6))
    )
    findings, identity = phantoms.two_lesions(), phantoms.identity()
    found = tracked(to_file(measurement_report.write(findings, source, identity)))
    labels = [f.label for f in findings.findings]
    assert [one.identifier for one in found] == [*labels, WHOLE_STUDY]
    assert [one.uid for one in found] == [tracking_uid(identity, label) for label in (*labels, WHOLE_STUDY)]
    assert [one.code for one in found] == [("SCT", "52988006"), ("SCT", "52988006"), ("SCT", "50960005"), None]
    for one, finding in zip(found, findings.findings, strict=False):
        if finding.region is None:
            assert one.outline is None
            continue
        assert one.outline is not None
        key = largest_slice(finding.region.sum(axis=(1, 2)))
        header, frame = source.plane(key)
        assert (one.outline.sop_instance_uid, one.outline.frame_number) == (str(header.SOPInstanceUID), frame)
        assert np.array_equal(filled(one.outline.line, source.shape[1:]), finding.region[key])
    assert found[-1].outline is None
