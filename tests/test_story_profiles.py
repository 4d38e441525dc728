"""A whole node before an archive that takes only Enhanced SR: it is asked, and gets all that it can hold."""

from pathlib import Path

import pytest

from dicom_node.operation.small_pacs import SmallPacs
from dicom_node.result_classes import ENHANCED, WRITTEN
from tests import tiny_bundles
from tests.loopback import wait_until
from tests.nodes import running_node
from tests.test_story_life import series

pytestmark = pytest.mark.slow


def test_an_archive_that_takes_only_enhanced_sr_gets_two_and_nothing_is_parked(tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    tiny_bundles.written(bundles)
    pacs = SmallPacs("PACS", takes={ENHANCED: WRITTEN[ENHANCED]})
    pacs.start()
    try:
        with running_node(tmp_path, pacs="PACS", pacs_port=pacs.port, algorithm="tiny", bundles=bundles) as node:
            pacs.send(series("enhanced"), host="127.0.0.1", port=node.port, called_ae="NODE")
            assert pacs.wait_for(2, 60)
            ledger = node.ledger()
            (line,) = ledger.studies()
            wait_until(lambda: not ledger.work_remains(line.study_instance_uid), 30, "the ledger to say so")
            deliveries = ledger.counts().deliveries
            (reading,) = ledger.readings(line.study_instance_uid)
            ledger.close()
    finally:
        pacs.stop()
    assert deliveries == {"pacs": {"sent": 2}}
    assert [(o["kind"], o["profile"]) for o in reading["objects"]] == [("NARRATIVE", "generic"), ("SR", "generic")]
    titles = {d.ConceptNameCodeSequence[0].CodeValue for d in pacs.received()}
    assert titles == {"126000", "18748-4"}
    assert {d.SOPClassUID for d in pacs.received()} == {ENHANCED}
