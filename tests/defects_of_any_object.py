"""Seeded defects that any object may have: values, types, patient and study, references, equipment, marks."""

from pydicom.uid import UID, EnhancedSRStorage

from tests.defects import (
    NARRATIVE,
    SEG,
    SR,
    Defect,
    Objects,
    algorithm,
    evidence,
    find,
    in_segment,
    put,
    region_image,
    removing,
    setting,
    source_image,
)

LONG = "x" * 65


def _other_sop_class(objects: Objects) -> None:
    put(objects[SR], "SOPClassUID", "1.2.3")


def _other_meta(objects: Objects) -> None:
    objects[SEG].file_meta.MediaStorageSOPInstanceUID = UID("2.25.9")


def _coded_without_meaning(objects: Objects) -> None:
    del objects[SEG].SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning


def _coded_without_scheme(objects: Objects) -> None:
    put(find(objects[SR], "121071").ConceptCodeSequence[0], "CodingSchemeDesignator", "")


def _version_missing(objects: Objects) -> None:
    del objects[SEG].SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion


def _evidence_without_series(objects: Objects) -> None:
    del evidence(objects).ReferencedSeriesSequence[0].SeriesInstanceUID


def _not_utf8(objects: Objects) -> None:
    put(objects[SR], "DeviceSerialNumber", b"\xff\xfe")


def _one_series(objects: Objects) -> None:
    objects[NARRATIVE].SeriesInstanceUID = objects[SR].SeriesInstanceUID


def _series_of_source(objects: Objects) -> None:
    objects[NARRATIVE].SeriesInstanceUID = evidence(objects).ReferencedSeriesSequence[0].SeriesInstanceUID


def _uid_of_source(objects: Objects) -> None:
    uid = region_image(objects).ReferencedSOPInstanceUID
    objects[NARRATIVE].SOPInstanceUID = objects[NARRATIVE].file_meta.MediaStorageSOPInstanceUID = uid


def _region_elsewhere(objects: Objects) -> None:
    region_image(objects).ReferencedSOPInstanceUID = "2.25.9"


def _frame_elsewhere(objects: Objects) -> None:
    source_image(objects).ReferencedSOPInstanceUID = "2.25.9"


def _region_of_other_class(objects: Objects) -> None:
    region_image(objects).ReferencedSOPClassUID = EnhancedSRStorage


def _frame_out_of_range(objects: Objects) -> None:
    region_image(objects).ReferencedFrameNumber = 9


def _segment_out_of_range(objects: Objects) -> None:
    find(objects[SR], "121191").ReferencedSOPSequence[0].ReferencedSegmentNumber = 3


def _instance_in_other_series(objects: Objects) -> None:
    evidence(objects, NARRATIVE).ReferencedSeriesSequence[1].SeriesInstanceUID = "2.25.9"


def _evidence_of_other_study(objects: Objects) -> None:
    evidence(objects).StudyInstanceUID = "2.25.9"


def _series_not_received(objects: Objects) -> None:
    find(objects[SR], "121232").UID = "2.25.9"


def _other_purpose(objects: Objects) -> None:
    algorithm(objects, NARRATIVE).PurposeOfReferenceCodeSequence[0].CodeValue = "109101"


def _no_version(objects: Objects) -> None:
    del algorithm(objects, SR).SoftwareVersions


DEFECTS = [
    Defect(
        name="character set missing", harm=removing(SR, "SpecificCharacterSet"), words="SR object is not in ISO_IR 192"
    ),
    Defect(
        name="other character set",
        harm=setting(SEG, "SpecificCharacterSet", "ISO_IR 100"),
        words="SEG object is not in ISO_IR 192",
    ),
    Defect(
        name="UID with a leading zero",
        harm=setting(SEG, "SeriesInstanceUID", "1.2.03"),
        words="SeriesInstanceUID in the SEG object is not a valid UI",
    ),
    Defect(
        name="description too long for its VR",
        harm=setting(NARRATIVE, "SeriesDescription", f"AI {LONG}"),
        words="SeriesDescription in the NARRATIVE object is not a valid LO",
    ),
    Defect(
        name="segment label too long for its VR",
        harm=in_segment(1, "SegmentLabel", LONG),
        words="SegmentLabel in SegmentSequence of the SEG object is not a valid LO",
    ),
    Defect(
        name="month 13",
        harm=setting(SR, "ContentDate", "20261301"),
        words="ContentDate in the SR object is not a valid DA",
    ),
    Defect(
        name="a range of times",
        harm=setting(SR, "ContentTime", "0304-0405"),
        words="ContentTime in the SR object is not a valid TM",
    ),
    Defect(name="text that is no UTF-8", harm=_not_utf8, words="DeviceSerialNumber in the SR object is not a valid LO"),
    Defect(
        name="two values where one may be",
        harm=setting(SEG, "Manufacturer", ["one", "two"]),
        words="Manufacturer in the SEG object has 2 values, not 1",
    ),
    Defect(
        name="type 1 attribute removed from a mask",
        harm=removing(SEG, "ContentLabel"),
        words=r"SEG object lacks ContentLabel \(type 1\)",
    ),
    Defect(
        name="type 1 attribute removed from a document",
        harm=removing(SR, "CompletionFlag"),
        words=r"SR object lacks CompletionFlag \(type 1\)",
    ),
    Defect(
        name="type 1 attribute emptied",
        harm=setting(SEG, "SoftwareVersions", ""),
        words=r"SEG object lacks SoftwareVersions \(type 1\)",
    ),
    Defect(
        name="type 1 attribute removed from a nested item",
        harm=_version_missing,
        words="SegmentationAlgorithmIdentificationSequence of SegmentSequence of .* lacks AlgorithmVersion",
    ),
    Defect(
        name="type 1 attribute removed from the evidence",
        harm=_evidence_without_series,
        words=r"CurrentRequestedProcedureEvidenceSequence of the SR object lacks SeriesInstanceUID",
    ),
    Defect(
        name="type 2 attribute absent",
        harm=removing(NARRATIVE, "ReferringPhysicianName"),
        words=r"NARRATIVE object lacks ReferringPhysicianName \(type 2\)",
    ),
    Defect(
        name="type 2 sequence absent",
        harm=removing(SR, "PerformedProcedureCodeSequence"),
        words=r"SR object lacks PerformedProcedureCodeSequence \(type 2\)",
    ),
    Defect(name="a class without tables", harm=_other_sop_class, words="no tables for SOP class 1.2.3"),
    Defect(
        name="file meta information of another object",
        harm=_other_meta,
        words="MediaStorageSOPInstanceUID of the SEG object is not its SOPInstanceUID",
    ),
    Defect(name="code without a meaning", harm=_coded_without_meaning, words="SegmentedPropertyTypeCode.* CodeMeaning"),
    Defect(
        name="code without a scheme",
        harm=_coded_without_scheme,
        words="a code in ConceptCodeSequence of the SR object lacks CodingSchemeDesignator",
    ),
    Defect(
        name="other patient ID",
        harm=setting(SEG, "PatientID", "OTHER"),
        words="PatientID of the SEG object is not that of the source",
    ),
    Defect(
        name="other patient name",
        harm=setting(NARRATIVE, "PatientName", "Other^One"),
        words="PatientName of the NARRATIVE object is not that of the source",
    ),
    Defect(
        name="birth date lost",
        harm=setting(SR, "PatientBirthDate", ""),
        words="PatientBirthDate of the SR object is not that of the source",
    ),
    Defect(
        name="something of the patient that the source does not say",
        harm=setting(SR, "PatientComments", "tall"),
        words="PatientComments of the SR object is not that of the source",
    ),
    Defect(
        name="other study",
        harm=setting(SR, "StudyInstanceUID", "2.25.9"),
        words="StudyInstanceUID of the SR object is not that of the source",
    ),
    Defect(
        name="other accession number",
        harm=setting(SEG, "AccessionNumber", "A2"),
        words="AccessionNumber of the SEG object is not that of the source",
    ),
    Defect(name="two objects in one series", harm=_one_series, words="shares its series"),
    Defect(name="an object in the source's series", harm=_series_of_source, words="lies in a series that was received"),
    Defect(
        name="an object with the UID of an image",
        harm=_uid_of_source,
        words="SOPInstanceUID of the NARRATIVE object is that of another object",
    ),
    Defect(
        name="region on an instance that was not received",
        harm=_region_elsewhere,
        words="SR object refers to an instance that was not received",
    ),
    Defect(
        name="frame on an instance that was not received",
        harm=_frame_elsewhere,
        words="SEG object refers to an instance that was not received",
    ),
    Defect(name="reference of another class", harm=_region_of_other_class, words="by another SOP class than its own"),
    Defect(name="frame out of range", harm=_frame_out_of_range, words="SR object refers to frame 9 of [18]"),
    Defect(name="segment out of range", harm=_segment_out_of_range, words="SR object refers to segment 3 of 2"),
    Defect(
        name="evidence puts an instance into another series",
        harm=_instance_in_other_series,
        words="ReferencedSeriesSequence of the NARRATIVE object puts an instance into another series",
    ),
    Defect(
        name="evidence of another study",
        harm=_evidence_of_other_study,
        words="CurrentRequestedProcedureEvidenceSequence of the SR object names another study",
    ),
    Defect(
        name="source series that was not received",
        harm=_series_not_received,
        words="SR object names a series that was not received",
    ),
    Defect(
        name="missing Device UID",
        harm=lambda objects: delattr(algorithm(objects, NARRATIVE), "DeviceUID"),
        words="NARRATIVE object names 0 algorithms with a DeviceUID",
    ),
    Defect(name="other purpose of reference", harm=_other_purpose, words="another purpose than Processing Equipment"),
    Defect(
        name="algorithm without a version in the equipment",
        harm=_no_version,
        words="names an algorithm without SoftwareVersions",
    ),
    Defect(
        name="content time that is not the start of the analysis",
        harm=setting(SR, "ContentTime", "030406"),
        words="ContentDate and ContentTime of the SR object are not the start",
    ),
    Defect(
        name="series that does not say AI",
        harm=setting(SEG, "SeriesDescription", "segmentation"),
        words="SEG object does not say AI, unverified in its SeriesDescription",
    ),
    Defect(
        name="series that does not say RESEARCH USE",
        harm=setting(SR, "SeriesDescription", "AI: measurements (unverified)"),
        words="SR object does not say RESEARCH USE in its SeriesDescription",
    ),
    Defect(
        name="research qualified as a product",
        harm=setting(SEG, "ContentQualification", "PRODUCT"),
        words="SEG object lacks ContentQualification RESEARCH",
    ),
]
