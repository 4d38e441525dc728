"""Checks before an object may leave: complete, of the same study and patient, pointing only at what was received.

Knows no pixels (`mask_comparison` does) and repairs nothing. Messages name attributes and counts, never a value of the
patient's.
"""

from collections.abc import Iterator, Sequence

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results import header
from dicom_node.results.content_tree import content_items
from dicom_node.results.identity import Predecessor
from dicom_node.results.provenance_check import check_provenance
from dicom_node.study import is_uid

_MACROS = {"sr-document-content"}  # its type 1 attributes depend on the value type of each item


def check(written: Sequence[Dataset], headers: Sequence[Dataset], predecessors: Sequence[Predecessor] = ()) -> None:
    """Check the objects of one reading, as read back from their files, together.

    Parameters
    ----------
    written
        All objects of the reading; they may refer to each other.
    headers
        The instances that were received: all that the objects may refer to besides.
    predecessors
        Objects of the previous version, which they may name.

    Raises
    ------
    DefectError
        At the first thing that is wrong, with object and attribute.
    """
    known = _known([*written, *headers])
    classes = {uid: str(ds.SOPClassUID) for uid, ds in known.items()}
    classes |= {str(p.sop_instance_uid): str(p.sop_class_uid) for p in predecessors}
    for dataset in written:
        what = f"the {dataset.get('Modality', '')} object of series {dataset.get('SeriesNumber', '?')}"
        _check_complete(dataset, what)
        _check_same_patient_and_study(dataset, headers[0], what)
        for reference in _references(dataset):
            _check_reference(reference, known, classes, what)
        check_provenance(dataset, what)
        if dataset.Modality == "SEG":
            _check_grid(dataset, headers, what)
        else:
            _check_document(dataset, known, what)


def _known(datasets: Sequence[Dataset]) -> dict[str, Dataset]:
    return {str(ds.SOPInstanceUID): ds for ds in datasets}


def _check_complete(dataset: Dataset, what: str) -> None:
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "SOPClassUID"):
        if not is_uid(str(dataset.get(keyword, ""))):
            raise DefectError(f"{keyword} of {what} is not a UID")
    if dataset.get("SpecificCharacterSet") != "ISO_IR 192":
        raise DefectError(f"{what} is not in ISO_IR 192")
    for keyword, kind in _required(str(dataset.SOPClassUID)):
        if keyword not in dataset or (kind == "1" and dataset[keyword].is_empty):
            raise DefectError(f"{what} lacks {keyword} (type {kind})")


def _required(sop_class_uid: str) -> Iterator[tuple[str, str]]:
    """(keyword, type) of what the mandatory modules of an IOD demand at the root.

    PS3.3 as highdicom tabulates it; the tables are not public there, so its version is pinned.
    """
    iod = get_sop_class_iod_map().get(sop_class_uid)
    if iod is None:
        raise DefectError(f"no tables for SOP class {sop_class_uid}")
    for module in get_iod_module_map()[iod]:
        if module["usage"] != "M" or module["key"] in _MACROS:
            continue
        for attribute in get_module_attribute_map()[module["key"]]:
            if not attribute["path"] and attribute["type"] in {"1", "2"}:
                yield attribute["keyword"], attribute["type"]


def _check_same_patient_and_study(dataset: Dataset, source: Dataset, what: str) -> None:
    for expected in header.read(source).attributes:
        if expected.tag not in dataset or str(dataset[expected.tag].value or "") != str(expected.value or ""):
            raise DefectError(f"{expected.keyword} of {what} is not that of the source")


def _references(dataset: Dataset) -> Iterator[Dataset]:
    """Every item anywhere in the object that refers to an instance."""
    for element in dataset:
        if element.VR != "SQ":
            continue
        for item in element.value:
            if "ReferencedSOPInstanceUID" in item:
                yield item
            yield from _references(item)


def _check_reference(reference: Dataset, known: dict[str, Dataset], classes: dict[str, str], what: str) -> None:
    uid = str(reference.ReferencedSOPInstanceUID)
    if uid not in classes:
        raise DefectError(f"{what} refers to an instance that was not received")
    if str(reference.ReferencedSOPClassUID) != classes[uid]:
        raise DefectError(f"{what} refers to an instance by another SOP class than its own")
    there = known.get(uid, Dataset())
    frame, segment = reference.get("ReferencedFrameNumber"), reference.get("ReferencedSegmentNumber")
    if frame is not None and not 1 <= int(frame) <= int(there.get("NumberOfFrames") or 1):
        raise DefectError(f"{what} refers to frame {frame} of {there.get('NumberOfFrames') or 1}")
    if segment is not None and not 1 <= int(segment) <= len(there.get("SegmentSequence", ())):
        raise DefectError(f"{what} refers to segment {segment} of {len(there.get('SegmentSequence', ()))}")


def _check_grid(dataset: Dataset, headers: Sequence[Dataset], what: str) -> None:
    series = {str(item.SeriesInstanceUID) for item in dataset.ReferencedSeriesSequence}
    sources = [source for source in headers if str(source.SeriesInstanceUID) in series]
    for source in sources:
        for keyword in ("FrameOfReferenceUID", "Rows", "Columns"):
            if dataset.get(keyword) != source.get(keyword):
                raise DefectError(f"{keyword} of {what} is not that of the source")
    if not sources:
        raise DefectError(f"{what} refers to no series that was received")


def _check_document(dataset: Dataset, known: dict[str, Dataset], what: str) -> None:
    if dataset.Modality == "SR" and dataset.VerificationFlag != "UNVERIFIED":
        raise DefectError(f"{what} claims to be verified")
    evidence = {
        str(i.ReferencedSOPInstanceUID) for i in _references_in(dataset, "CurrentRequestedProcedureEvidenceSequence")
    }
    for item in content_items(dataset):
        for reference in item.get("ReferencedSOPSequence", ()):
            if str(reference.ReferencedSOPInstanceUID) not in evidence:
                raise DefectError(f"{what} refers to an instance that its evidence does not list")
        if item.ValueType == "SCOORD":
            _check_inside(item, known, what)


def _references_in(dataset: Dataset, keyword: str) -> Iterator[Dataset]:
    for item in dataset.get(keyword, ()):
        yield from _references(item)


def _check_inside(item: Dataset, known: dict[str, Dataset], what: str) -> None:
    image = known[str(item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID)]
    columns, rows = item.GraphicData[0::2], item.GraphicData[1::2]
    if min(*columns, *rows) < 0 or max(columns) > image.Columns or max(rows) > image.Rows:
        raise DefectError(f"a region of {what} reaches outside its image of {image.Rows}x{image.Columns}")
