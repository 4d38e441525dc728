"""Whether an object holds what its IOD demands: modules, macros and types of PS3.3 as highdicom tabulates them.

The tables are not public in highdicom, so its version is pinned. They do not know conditions; those that always hold
for what this node writes are below.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom import Dataset

from dicom_node.errors import DefectError
from dicom_node.results.checks.nesting import nested
from dicom_node.results.checks.subject import Written
from dicom_node.results.checks.values import is_empty

_ELSEWHERE = {"sr-document-content"}  # `content_items`: what an item needs depends on its value type
_GROUPS = {"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}  # `frames`: shared or of each frame
_CONDITIONAL = {"segmentation": {"frame-of-reference", "common-instance-reference"}}
"""Modules of usage C whose condition (PS3.3 A.51.3) always holds here: masks lie in the patient, on other images."""

_ALWAYS = {
    "segmentation": {
        "": ("PixelData", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence", "ReferencedSeriesSequence"),
        "SegmentSequence": ("SegmentAlgorithmName",),
    }
}
"""Type 1C attributes whose condition always holds here, by IOD and sequence."""

_IF_FRACTIONAL = ("MaximumFractionalValue", "SegmentationFractionalType")  # PS3.3 C.8.20.2


@dataclass
class _Demand:
    """What one level of a dataset must hold: (keyword, type) of its attributes, and the levels below."""

    attributes: list[tuple[str, str]] = field(default_factory=list)
    below: "dict[str, _Demand]" = field(default_factory=dict)

    def at(self, path: list[str]) -> "_Demand":
        level = self
        for keyword in path:
            level = level.below.setdefault(keyword, _Demand())
        return level


def check_iod(written: Written) -> None:
    """Check type 1 and 2 attributes at every depth.

    Raises
    ------
    DefectError
        If a type 1 attribute is absent or empty, or a type 2 one absent.
    """
    _check_level(written.dataset, _demanded(written.sop_class_uid), written.name)
    meta = written.dataset.file_meta  # PS3.10 7.1
    for named, keyword in (
        ("MediaStorageSOPClassUID", "SOPClassUID"),
        ("MediaStorageSOPInstanceUID", "SOPInstanceUID"),
    ):
        if meta.get(named) != written.dataset[keyword].value:
            raise DefectError(f"{named} of {written.name} is not its {keyword}")
    for keyword, item in nested(written.dataset, but={"PerFrameFunctionalGroupsSequence"}):
        if keyword.endswith("CodeSequence"):
            _check_code(item, f"{keyword} of {written.name}")
    if written.dataset.get("SegmentationType") == "FRACTIONAL":
        _check_level(written.dataset, _Demand([(keyword, "1C") for keyword in _IF_FRACTIONAL]), written.name)


@lru_cache
def _demanded(sop_class_uid: str) -> _Demand:
    iod = get_sop_class_iod_map().get(sop_class_uid)
    if iod is None:
        raise DefectError(f"no tables for SOP class {sop_class_uid}")
    root = _Demand()
    for path, keyword, kind in _attributes(iod):
        if kind in {"1", "2"} and not _GROUPS & set(path):
            root.at(path).attributes.append((keyword, kind))
    for sequence, keywords in _ALWAYS.get(iod, {}).items():
        root.at([sequence] if sequence else []).attributes.extend((keyword, "1C") for keyword in keywords)
    return root


def _attributes(iod: str) -> Iterator[tuple[list[str], str, str]]:
    """(sequences it lies in, keyword, type) of each attribute of the modules an object of this node must have."""
    for module in get_iod_module_map()[iod]:
        wanted = module["usage"] == "M" or module["key"] in _CONDITIONAL.get(iod, set())
        if wanted and module["key"] not in _ELSEWHERE:
            for attribute in get_module_attribute_map()[module["key"]]:
                yield attribute["path"], attribute["keyword"], attribute["type"]


def _check_level(item: Dataset, demand: _Demand, where: str) -> None:
    for keyword, kind in demand.attributes:
        if keyword not in item or (kind != "2" and is_empty(item, keyword)):
            raise DefectError(f"{where} lacks {keyword} (type {kind})")
    for keyword, below in demand.below.items():
        for child in item.get(keyword) or ():
            _check_level(child, below, f"{keyword} of {where}")


def _check_code(item: Dataset, where: str) -> None:
    """The Code Sequence Macro (PS3.3 8.8)."""
    if not any(item.get(keyword) for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue")):
        raise DefectError(f"a code in {where} lacks its value (CodeValue, type 1C)")
    for keyword in ("CodingSchemeDesignator", "CodeMeaning"):
        if not item.get(keyword) and not (keyword == "CodingSchemeDesignator" and item.get("URNCodeValue")):
            raise DefectError(f"a code in {where} lacks {keyword}")
