"""Seeded defects of a segmentation: frames, pixels, place in the patient, segments."""

import numpy as np
from pydicom import Dataset

from tests.defects import SEG, Defect, Harm, Objects, frame, in_segment, put, removing, setting, source_image

BRAIN, LESION = 6, 4
"""Frames of the first and of the second segment."""


def _fewer_frames(objects: Objects) -> None:
    objects[SEG].NumberOfFrames -= 1


def _short(objects: Objects) -> None:
    objects[SEG].PixelData = objects[SEG].PixelData[:-2]


def _bit(objects: Objects) -> None:
    data = objects[SEG].PixelData
    objects[SEG].PixelData = bytes([data[0] ^ 1]) + data[1:]


def _no_derivation(objects: Objects) -> None:
    del frame(objects, 2).DerivationImageSequence


def _no_source(objects: Objects) -> None:
    frame(objects, 3).DerivationImageSequence[0].SourceImageSequence = []


def _no_content(objects: Objects) -> None:
    del frame(objects, 2).FrameContentSequence


def _no_segment(objects: Objects) -> None:
    del frame(objects, 2).SegmentIdentificationSequence


def _strange_segment(objects: Objects) -> None:
    frame(objects, 2).SegmentIdentificationSequence[0].ReferencedSegmentNumber = 5


def _twice(objects: Objects) -> None:
    first, second = frame(objects, 1), frame(objects, 2)
    second.DerivationImageSequence, second.PlanePositionSequence = (
        first.DerivationImageSequence,
        first.PlanePositionSequence,
    )


def _no_frame_number(objects: Objects) -> None:
    del source_image(objects, 2).ReferencedFrameNumber


def _unlisted(objects: Objects) -> None:
    uid = source_image(objects, 2).ReferencedSOPInstanceUID
    (series,) = objects[SEG].ReferencedSeriesSequence
    series.ReferencedInstanceSequence = [
        i for i in series.ReferencedInstanceSequence if i.ReferencedSOPInstanceUID != uid
    ]


def _listed_twice(objects: Objects) -> None:
    (series,) = objects[SEG].ReferencedSeriesSequence
    series.ReferencedInstanceSequence = [*series.ReferencedInstanceSequence, series.ReferencedInstanceSequence[0]]


def _listed_second(objects: Objects) -> None:
    """The images of the frames in the second item of Referenced Series, where OHIF does not look."""
    (series,) = objects[SEG].ReferencedSeriesSequence
    first = Dataset()
    first.SeriesInstanceUID = series.SeriesInstanceUID
    first.ReferencedInstanceSequence = [series.ReferencedInstanceSequence[0]]
    series.ReferencedInstanceSequence = series.ReferencedInstanceSequence[1:]
    objects[SEG].ReferencedSeriesSequence = [first, series]


def _size_swapped(objects: Objects) -> None:
    seg = objects[SEG]
    seg.Rows, seg.Columns = seg.Columns, seg.Rows


def _move(objects: Objects, number: int, along: float) -> None:
    position = frame(objects, number).PlanePositionSequence[0]
    x, y, z = (float(v) for v in position.ImagePositionPatient)
    position.ImagePositionPatient = [x, y, z + along]


def _shifted_in_plane(objects: Objects) -> None:
    position = frame(objects, 3).PlanePositionSequence[0]
    x, y, z = (float(v) for v in position.ImagePositionPatient)
    position.ImagePositionPatient = [x + 1.1, y, z]


def _all_shifted(objects: Objects) -> None:
    for number in range(1, BRAIN + LESION + 1):
        _move(objects, number, 3.0)


def _shared(objects: Objects, sequence: str, keyword: str, value: object) -> None:
    put(objects[SEG].SharedFunctionalGroupsSequence[0][sequence][0], keyword, value)


def _spacing_swapped(objects: Objects) -> None:
    _shared(objects, "PixelMeasuresSequence", "PixelSpacing", ["1.1", "0.9"])


def _flipped(objects: Objects) -> None:
    _shared(objects, "PlaneOrientationSequence", "ImageOrientationPatient", ["-1", "0", "0", "0", "1", "0"])


def _thin(objects: Objects) -> None:
    _shared(objects, "PixelMeasuresSequence", "SpacingBetweenSlices", "2")


def _thick(objects: Objects) -> None:
    _shared(objects, "PixelMeasuresSequence", "SpacingBetweenSlices", "6")


def _negative(objects: Objects) -> None:
    _shared(objects, "PixelMeasuresSequence", "SpacingBetweenSlices", "-3")


def _no_place(objects: Objects) -> None:
    del frame(objects, 4).PlanePositionSequence


def _swap(objects: Objects, one: int, other: int, *keywords: str) -> None:
    first, second = frame(objects, one), frame(objects, other)
    for keyword in keywords:
        first[keyword], second[keyword] = second[keyword], first[keyword]


def _segments_swapped(objects: Objects) -> None:
    places = [
        str(frame(objects, n).PlanePositionSequence[0].ImagePositionPatient) for n in range(1, BRAIN + LESION + 1)
    ]
    lesion = BRAIN + 1
    _swap(objects, places.index(places[lesion - 1]) + 1, lesion, "SegmentIdentificationSequence")


def _planes_swapped(objects: Objects) -> None:
    _swap(objects, BRAIN + 1, BRAIN + LESION, "DerivationImageSequence", "PlanePositionSequence")


def _pixels_swapped(objects: Objects) -> None:
    """The first frame of one segment and of the other change their masks."""
    bits = np.unpackbits(np.frombuffer(objects[SEG].PixelData, dtype=np.uint8), bitorder="little")
    size = objects[SEG].Rows * objects[SEG].Columns
    frames = bits[: size * (BRAIN + LESION)].reshape(BRAIN + LESION, size)
    frames[[0, BRAIN]] = frames[[BRAIN, 0]]
    objects[SEG].PixelData = np.packbits(bits, bitorder="little").tobytes()


def _numbers(*numbers: int) -> Harm:
    def harm(objects: Objects) -> None:
        for segment, number in zip(objects[SEG].SegmentSequence, numbers, strict=True):
            segment.SegmentNumber = number

    return harm


def _one_tracking_uid(objects: Objects) -> None:
    first, second = objects[SEG].SegmentSequence
    second.TrackingUID = first.TrackingUID


def _other_algorithm(keyword: str) -> Harm:
    def harm(objects: Objects) -> None:
        algorithm = objects[SEG].SegmentSequence[1].SegmentationAlgorithmIdentificationSequence[0]
        setattr(algorithm, keyword, "another")

    return harm


DEFECTS = [
    Defect(name="NumberOfFrames too small", harm=_fewer_frames, words="says NumberOfFrames 9 and describes 10"),
    Defect(
        name="PixelData too short", harm=_short, words="PixelData of the SEG object has 448 bytes, its frames have 450"
    ),
    Defect(name="no PixelData", harm=removing(SEG, "PixelData"), words=r"SEG object lacks PixelData \(type 1C\)"),
    Defect(name="a wrong pixel", harm=_bit, words="segment 1 was not written as it was drawn on slice 2"),
    Defect(
        name="frame without derivation image", harm=_no_derivation, words="frame 2 .* does not say its source image"
    ),
    Defect(name="derivation without source image", harm=_no_source, words="frame 3 .* does not say its source image"),
    Defect(name="frame without frame content", harm=_no_content, words="frame 2 .* lacks its FrameContentSequence"),
    Defect(name="frame without segment", harm=_no_segment, words="frame 2 .* does not say its segment"),
    Defect(name="frame of no segment", harm=_strange_segment, words="frame 2 .* segment 5, which is not described"),
    Defect(name="two frames of one segment on one plane", harm=_twice, words="show one segment on one plane"),
    Defect(
        name="frame that does not say the frame of its source",
        harm=_no_frame_number,
        words="frame 2 .* does not say which frame of its source",
        sources=("multi-frame",),
    ),
    Defect(
        name="no referenced series",
        harm=removing(SEG, "ReferencedSeriesSequence"),
        words=r"SEG object lacks ReferencedSeriesSequence \(type 1C\)",
    ),
    Defect(
        name="image missing from the referenced series",
        harm=_unlisted,
        words="frame 2 .* that the first item of ReferencedSeriesSequence lacks",
        sources=("single-frame",),
    ),
    Defect(
        name="image twice in the referenced series",
        harm=_listed_twice,
        words="ReferencedSeriesSequence of the SEG object lists an instance twice",
    ),
    Defect(
        name="images not in the first referenced series",
        harm=_listed_second,
        words="frame [134-9]0? .* that the first item of ReferencedSeriesSequence lacks",
        sources=("single-frame",),
    ),
    Defect(
        name="other frame of reference",
        harm=setting(SEG, "FrameOfReferenceUID", "2.25.9"),
        words="FrameOfReferenceUID of the SEG object is not that of the source",
    ),
    Defect(
        name="rows and columns swapped", harm=_size_swapped, words="Rows of the SEG object is not that of the source"
    ),
    Defect(
        name="origin of one frame shifted",
        harm=_shifted_in_plane,
        words="ImagePositionPatient of frame 3 of the SEG object lies 1.10 mm",
    ),
    Defect(
        name="all frames shifted by a slice",
        harm=_all_shifted,
        words="ImagePositionPatient of frame 1 of the SEG object lies 3.00 mm",
    ),
    Defect(
        name="pixel spacing swapped", harm=_spacing_swapped, words="PixelSpacing of frame 1 of the SEG object is not"
    ),
    Defect(
        name="orientation flipped", harm=_flipped, words="ImageOrientationPatient of frame 1 of the SEG object is not"
    ),
    Defect(
        name="spacing between slices smaller than in the source",
        harm=_thin,
        words="planes lie 3.00 mm apart, its header says 2.00 mm",
    ),
    Defect(
        name="spacing between slices larger than between frames",
        harm=_thick,
        words="SpacingBetweenSlices of the SEG object is larger than the distance of its frames",
    ),
    Defect(
        name="negative spacing between slices",
        harm=_negative,
        words="SpacingBetweenSlices of the SEG object is not positive",
    ),
    Defect(name="frame without a position", harm=_no_place, words="frame 4 of the SEG object or .* has no place"),
    Defect(
        name="frames swapped between segments",
        harm=_segments_swapped,
        words="segment 2 was not written as it was drawn on slice 3",
    ),
    Defect(
        name="masks swapped between segments", harm=_pixels_swapped, words="segment 1 was not written as it was drawn"
    ),
    Defect(
        name="planes swapped in a segment",
        harm=_planes_swapped,
        words="segment 2 was not written as it was drawn on slice 6",
    ),
    Defect(
        name="segments counted from the wrong end",
        harm=_numbers(2, 1),
        words="SEG object does not count SegmentNumber from 1 by 1",
    ),
    Defect(
        name="segment without label",
        harm=in_segment(1, "SegmentLabel", None),
        words="SegmentSequence of the SEG object lacks SegmentLabel",
    ),
    Defect(
        name="segment without category",
        harm=in_segment(2, "SegmentedPropertyCategoryCodeSequence", None),
        words="SegmentSequence of the SEG object lacks SegmentedPropertyCategoryCodeSequence",
    ),
    Defect(
        name="segment without algorithm type",
        harm=in_segment(1, "SegmentAlgorithmType", None),
        words=r"SegmentSequence of the SEG object lacks SegmentAlgorithmType \(type 1\)",
    ),
    Defect(
        name="segment that a hand helped to draw",
        harm=in_segment(2, "SegmentAlgorithmType", "SEMIAUTOMATIC"),
        words="SegmentAlgorithmType is not AUTOMATIC",
    ),
    Defect(
        name="segment without algorithm identification",
        harm=in_segment(2, "SegmentationAlgorithmIdentificationSequence", None),
        words="lacks SegmentationAlgorithmIdentificationSequence in segment 2",
    ),
    Defect(
        name="algorithm of another version",
        harm=_other_algorithm("AlgorithmVersion"),
        words="AlgorithmVersion of the SEG object does not agree with SoftwareVersions",
    ),
    Defect(
        name="algorithm of another source",
        harm=_other_algorithm("AlgorithmSource"),
        words="AlgorithmSource of the SEG object does not agree with Manufacturer",
    ),
    Defect(
        name="segment algorithm name of another algorithm",
        harm=in_segment(1, "SegmentAlgorithmName", "another"),
        words="SegmentAlgorithmName of the SEG object does not agree with ManufacturerModelName",
    ),
    Defect(
        name="segment without tracking ID",
        harm=in_segment(1, "TrackingID", None),
        words="SEG object lacks TrackingID in segment 1",
    ),
    Defect(
        name="segment without tracking UID",
        harm=in_segment(2, "TrackingUID", None),
        words="SEG object lacks TrackingUID in segment 2",
    ),
    Defect(name="two segments tracked as one", harm=_one_tracking_uid, words="has two segments with one TrackingUID"),
    Defect(
        name="segment without colour",
        harm=in_segment(2, "RecommendedDisplayCIELabValue", None),
        words="lacks RecommendedDisplayCIELabValue in segment 2",
    ),
    Defect(
        name="colour of two numbers",
        harm=in_segment(2, "RecommendedDisplayCIELabValue", [1, 2]),
        words="RecommendedDisplayCIELabValue in SegmentSequence of the SEG object has 2 values, not 3",
    ),
    Defect(
        name="original instead of derived",
        harm=setting(SEG, "ImageType", ["ORIGINAL", "PRIMARY"]),
        words="has no ImageType DERIVED",
    ),
    Defect(
        name="lossy source not told",
        harm=setting(SEG, "LossyImageCompression", "00"),
        words="does not say LossyImageCompression 01",
        sources=("lossy",),
    ),
    Defect(
        name="lossy ratio not told",
        harm=removing(SEG, "LossyImageCompressionRatio"),
        words="SEG object lacks LossyImageCompressionRatio",
        sources=("lossy",),
    ),
]
