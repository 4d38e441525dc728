"""Seeded defects of documents: content tree, evidence, IHE AIR's demands, measurement groups, regions, words."""

from pydicom import Dataset
from pydicom.uid import EnhancedSRStorage

from dicom_node.results.content_tree import concept, content_items
from dicom_node.study import ObjectKind
from tests.defects import (
    NARRATIVE,
    SR,
    Defect,
    Harm,
    Objects,
    drop,
    evidence,
    find,
    group,
    put,
    region_image,
    removing,
    setting,
)


def _without(keyword: str, code: str, value_type: str | None = None) -> Harm:
    """Harm in an item of the report: an attribute less."""
    return lambda objects: delattr(find(objects[SR], code, value_type), keyword)


def _dropped(code: str, kind: ObjectKind = SR) -> Harm:
    return lambda objects: drop(objects[kind], code)


def _dropped_from_group(code: str, number: int = 1) -> Harm:
    return lambda objects: drop(group(objects, number), code)


def _nameless(objects: Objects) -> None:
    del group(objects).ContentSequence[0].ConceptNameCodeSequence


def _no_unit(objects: Objects) -> None:
    find(group(objects), "118565006").MeasuredValueSequence[0].MeasurementUnitsCodeSequence = []


def _no_value(objects: Objects) -> None:
    del find(group(objects), "118565006").MeasuredValueSequence[0].NumericValue


def _own_unit(objects: Objects) -> None:
    unit = find(group(objects), "118565006").MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
    unit.CodingSchemeDesignator = "99LOCAL"


def _no_instance(objects: Objects) -> None:
    evidence(objects).ReferencedSeriesSequence = evidence(objects).ReferencedSeriesSequence[:1]


def _twice(objects: Objects) -> None:
    (_, series) = evidence(objects).ReferencedSeriesSequence
    series.ReferencedSOPSequence = [*series.ReferencedSOPSequence, series.ReferencedSOPSequence[0]]


def _says(code: str, text: str, kind: ObjectKind = SR) -> Harm:
    def harm(objects: Objects) -> None:
        item = find(objects[kind], code)
        put(item, "UID" if item.ValueType == "UIDREF" else "TextValue", text)

    return harm


def _person(objects: Objects) -> None:
    code = find(objects[SR], "121005").ConceptCodeSequence[0]
    code.CodeValue, code.CodeMeaning = "121006", "Person"


def _enhanced(objects: Objects) -> None:
    objects[SR].SOPClassUID = objects[SR].file_meta.MediaStorageSOPClassUID = EnhancedSRStorage


def _title(kind: ObjectKind, value: str, scheme: str) -> Harm:
    def harm(objects: Objects) -> None:
        name = objects[kind].ConceptNameCodeSequence[0]
        name.CodeValue, name.CodingSchemeDesignator = value, scheme

    return harm


def _one_tracking_uid(objects: Objects) -> None:
    find(group(objects, 2), "112040").UID = find(group(objects, 1), "112040").UID


def _late(objects: Objects) -> None:
    items = group(objects).ContentSequence
    group(objects).ContentSequence = [items[0], items[2], items[1], *items[3:]]


def _two_tracking_uids(objects: Objects) -> None:
    items = group(objects).ContentSequence
    group(objects).ContentSequence = [*items[:2], items[1], *items[2:]]


def _template(objects: Objects) -> None:
    group(objects).ContentTemplateSequence[0].TemplateIdentifier = "1420"


def _points(*values: float) -> Harm:
    def harm(objects: Objects) -> None:
        find(objects[SR], "111030").GraphicData = list(values)

    return harm


def _on_empty_plane(objects: Objects) -> None:
    """On the first image of the evidence, or the first frame: slice 1 or 8, both without a mask."""
    image = region_image(objects)
    if "ReferencedFrameNumber" in image:
        image.ReferencedFrameNumber = 1
    else:
        instances = evidence(objects).ReferencedSeriesSequence[0].ReferencedSOPSequence
        image.ReferencedSOPInstanceUID = instances[0].ReferencedSOPInstanceUID


def _on_no_image(objects: Objects) -> None:
    image, segment = region_image(objects), find(objects[SR], "121191").ReferencedSOPSequence[0]
    image.ReferencedSOPInstanceUID = segment.ReferencedSOPInstanceUID
    image.ReferencedSOPClassUID = segment.ReferencedSOPClassUID
    if "ReferencedFrameNumber" in image:
        del image.ReferencedFrameNumber


def _whole_image(objects: Objects) -> None:
    del region_image(objects).ReferencedFrameNumber


def _childless(objects: Objects) -> None:
    del find(group(objects, 3), "111012").ContentSequence


def _other_label(objects: Objects) -> None:
    find(group(objects), "112039").TextValue = "segment 1: Brain"


def _no_warning(objects: Objects) -> None:
    for item in content_items(objects[NARRATIVE]):
        if item.ValueType == "TEXT" and "not verified" in item.TextValue:
            item.TextValue = "Fine."


def _wide(objects: Objects) -> None:
    """A graphic of the patient's space, which Enhanced SR does not know, in the report in words."""
    item = Dataset()
    item.ValueType, item.RelationshipType = "SCOORD3D", "CONTAINS"
    objects[NARRATIVE].ContentSequence.append(item)


def _groupless(objects: Objects) -> None:
    measurements = find(objects[SR], "126010")
    measurements.ContentSequence = [i for i in measurements.ContentSequence if concept(i) != "125007"]
    if not measurements.ContentSequence:
        del measurements.ContentSequence


DEFECTS = [
    Defect(
        name="no content tree",
        harm=removing(NARRATIVE, "ContentSequence"),
        words="NARRATIVE object has no content tree",
    ),
    Defect(name="item without name", harm=_nameless, words="a TEXT item of the SR object lacks its name"),
    Defect(
        name="item without relationship",
        harm=_without("RelationshipType", "121071"),
        words="a CODE item of the SR object lacks its RelationshipType",
    ),
    Defect(
        name="text without text",
        harm=_without("TextValue", "112039"),
        words="a TEXT item of the SR object lacks TextValue",
    ),
    Defect(
        name="finding without code",
        harm=_without("ConceptCodeSequence", "121071"),
        words="a CODE item of the SR object lacks ConceptCodeSequence",
    ),
    Defect(
        name="region without points",
        harm=_without("GraphicData", "111030"),
        words="a SCOORD item of the SR object lacks GraphicData",
    ),
    Defect(name="value type of another class", harm=_wide, words="an item whose ValueType its class does not allow"),
    Defect(name="number without unit", harm=_no_unit, words="lacks its unit .MeasurementUnitsCodeSequence"),
    Defect(name="number without value", harm=_no_value, words="a NUM item of the SR object lacks NumericValue"),
    Defect(name="unit of another scheme", harm=_own_unit, words="group 1 .* in a unit that is not of UCUM"),
    Defect(
        name="no evidence",
        harm=removing(SR, "CurrentRequestedProcedureEvidenceSequence"),
        words="SR object lists no evidence",
    ),
    Defect(name="evidence incomplete", harm=_no_instance, words="an instance that its evidence does not list"),
    Defect(
        name="evidence lists an instance twice", harm=_twice, words="evidence of the SR object lists an instance twice"
    ),
    Defect(
        name="other algorithm version in a group",
        harm=_says("111003", "9"),
        words=r"Algorithm Version \(111003\) of the SR object does not agree with SoftwareVersions",
    ),
    Defect(
        name="other algorithm name in a group",
        harm=_says("111001", "another"),
        words=r"Algorithm Name \(111001\) of the SR object does not agree with ManufacturerModelName",
    ),
    Defect(
        name="other model as observer",
        harm=_says("121015", "another", NARRATIVE),
        words="Device Observer Model Name .* of the NARRATIVE object does not agree with ManufacturerModelName",
    ),
    Defect(
        name="other manufacturer as observer",
        harm=_says("121014", "another"),
        words="Device Observer Manufacturer .* of the SR object does not agree with Manufacturer",
    ),
    Defect(
        name="other device as observer",
        harm=_says("121012", "2.25.9"),
        words="Device Observer UID .* of the SR object does not agree with DeviceUID",
    ),
    Defect(
        name="verified by nobody",
        harm=setting(SR, "VerificationFlag", "VERIFIED"),
        words="VerificationFlag of the SR object is not UNVERIFIED",
    ),
    Defect(
        name="half a document",
        harm=setting(NARRATIVE, "CompletionFlag", "PARTIAL"),
        words="CompletionFlag of the NARRATIVE object is not COMPLETE",
    ),
    Defect(
        name="not preliminary",
        harm=removing(SR, "PreliminaryFlag"),
        words="PreliminaryFlag of the SR object is not PRELIMINARY",
    ),
    Defect(name="no observer", harm=_dropped("121005"), words="SR object lacks its Observer Type"),
    Defect(
        name="observer without UID",
        harm=_dropped("121012", NARRATIVE),
        words="NARRATIVE object lacks its Device Observer UID",
    ),
    Defect(name="a person as observer", harm=_person, words="the observer of the SR object is not a device"),
    Defect(name="no procedure", harm=_dropped("121058"), words="SR object does not say its Procedure reported"),
    Defect(
        name="findings in another class",
        harm=_enhanced,
        words="SR object is of another SOP class than findings must be",
    ),
    Defect(
        name="findings under another title",
        harm=_title(SR, "18748-4", "LN"),
        words="title of the SR object is not Imaging Measurement Report",
    ),
    Defect(name="no template", harm=removing(SR, "ContentTemplateSequence"), words="SR object does not name TID 1500"),
    Defect(name="no measurements", harm=_dropped("126010"), words="SR object has no Imaging Measurements"),
    Defect(name="no group", harm=_groupless, words="SR object has no measurement group"),
    Defect(
        name="group without tracking identifier",
        harm=_dropped_from_group("112039"),
        words=r"group 1 .* has 0 items Tracking Identifier \(",
    ),
    Defect(
        name="group without tracking UID",
        harm=_dropped_from_group("112040", 2),
        words="group 2 .* has 0 items Tracking Unique Identifier",
    ),
    Defect(
        name="group with two tracking UIDs", harm=_two_tracking_uids, words="has 2 items Tracking Unique Identifier"
    ),
    Defect(
        name="two groups tracked as one", harm=_one_tracking_uid, words="two measurement groups .* have one Tracking"
    ),
    Defect(name="tracking UID after other content", harm=_late, words="group 1 .* does not begin with Tracking"),
    Defect(
        name="group without template",
        harm=_without("ContentTemplateSequence", "125007"),
        words="group 1 .* does not name its template",
    ),
    Defect(name="group of another template", harm=_template, words="group 1 .* another template than TID 1410"),
    Defect(
        name="group without algorithm",
        harm=_dropped_from_group("111001"),
        words="group 1 .* does not say its Algorithm Name",
    ),
    Defect(
        name="group without algorithm version",
        harm=_dropped_from_group("111003", 2),
        words="group 2 .* does not say its Algorithm Version",
    ),
    Defect(
        name="region without image", harm=_without("ContentSequence", "111030"), words="not selected from one image"
    ),
    Defect(
        name="region on a segmentation", harm=_on_no_image, words="selected from something that is no image received"
    ),
    Defect(
        name="region that does not say its frame",
        harm=_whole_image,
        words="does not say the one frame of its image",
        sources=("multi-frame",),
    ),
    Defect(name="half a point", harm=_points(1, 1, 2, 1, 2), words="no valid GraphicType with GraphicData for it"),
    Defect(
        name="region outside its image",
        harm=_points(0, 0, 19, 3, 4, 5, 0, 0),
        words="reaches outside its image of 20x18",
    ),
    Defect(name="region that is open", harm=_points(1, 1, 2, 1, 2, 2, 1, 2), words="region of .* is an open POLYLINE"),
    Defect(
        name="point that is no number",
        harm=_points(1, 1, 2, 1, 2, float("nan"), 1, 1),
        words="GraphicData in ContentSequence of the SR object is not a valid FL",
    ),
    Defect(
        name="region on a plane without its segment",
        harm=_on_empty_plane,
        words="a plane on which its segment has no frame",
    ),
    Defect(
        name="group with a segment and nothing drawn",
        harm=_dropped_from_group("111030"),
        words=r"group \(1\) that has a segment and no SCOORD .OHIF #3390",
    ),
    Defect(
        name="number without a child where nothing is drawn",
        harm=_childless,
        words=r"group \(3\) that has a NUM without a child",
    ),
    Defect(name="one label tracked by two UIDs", harm=_other_label, words="SR object tracks by another Tracking UID"),
    Defect(
        name="words on what was not measured",
        harm=_says("112039", "lesion 9", NARRATIVE),
        words="NARRATIVE object has a Tracking Identifier that no measurement group has",
    ),
    Defect(
        name="words under the title of measurements",
        harm=_title(NARRATIVE, "126000", "DCM"),
        words="NARRATIVE object has the title 126000",
    ),
    Defect(name="words without the warning", harm=_no_warning, words="does not say in words that AI made it"),
]
