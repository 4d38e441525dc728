"""Destination profiles: for each viewer the classes and forms it shows, best first, and what it demands of an object.

This table is the only place that knows viewers. Versions: OHIF 3.12.10 and 3.13.2, Weasis 2026, Stone Web viewer 3.0,
3D Slicer with QuantitativeReporting. "Measured" was seen in the running viewer, "source" read in its program or
documentation; a number is an issue of the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dicom_node.result_classes import BASIC_TEXT, COMPREHENSIVE, COMPREHENSIVE_3D, ENHANCED
from dicom_node.results.segmentation_form import SegForm
from dicom_node.study import SOPClassUID


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Something without which a viewer does not show an object as it is meant.

    Attributes
    ----------
    says
        What must hold, in one sentence.
    source
        Where that is known from.
    """

    says: str
    source: str


ONE_OBJECT_A_SERIES = Demand(
    says="each object is alone in its series",
    source="OHIF opens only the last instance of a series of SEG or SR (source, 3.11)",
)
REFERENCED_SERIES = Demand(
    says="a segmentation names the series it was drawn on in its first Referenced Series item",
    source="OHIF #4030: undefined without it; only the first item is used",
)
DERIVATION_OF_EVERY_FRAME = Demand(
    says="every frame of a segmentation names its source image",
    source="Weasis #693: a frame without Derivation Image is not placed",
)
FRAME_NUMBERS = Demand(
    says="a reference into a multi-frame image names its frame",
    source="Weasis #666: otherwise the overlay lies on every frame",
)
TRACKING_FIRST = Demand(
    says="every measurement group begins with Tracking Identifier and Tracking Unique Identifier",
    source="OHIF throws without them, and takes the first UIDREF of a group for the tracking UID (source, 3.11)",
)
REGION_BESIDE_SEGMENT = Demand(
    says="a measurement group that refers to a segment draws a planar region too",
    source="OHIF #3390: a group with a segment alone gives a blank viewport (measured, 3.12.10 and 3.13.2)",
)
CHILD_OF_EVERY_NUMBER = Demand(
    says="every number of a group without region has a child",
    source="OHIF reads a child of every NUM in such a group and stops at one without (source, 3.11)",
)
PLANAR_REGIONS_ONLY = Demand(
    says="regions are SCOORD on an image, never SCOORD3D",
    source="Weasis and Stone draw no SCOORD3D (source); only Comprehensive 3D SR could hold it (PS3.3 A.35.13)",
)
IMAGE_REGION = Demand(
    says="a region is a polyline named (111030, DCM, Image Region)",
    source="Stone reads groups of TID 1410 with that name alone (source, 3.0)",
)
ORIGINAL_SOURCE = Demand(
    says="the image a region lies on is named (111040, DCM, Original Source)",
    source="Stone reads no other name (source, 3.0)",
)
EVIDENCE_ONCE = Demand(
    says="no instance stands twice in the evidence",
    source="Stone refuses the whole object (source, 3.0)",
)
NARRATIVE_OUTSIDE_TID_1500 = Demand(
    says="text stands in a document of its own, whose title is not (126000, DCM, Imaging Measurement Report)",
    source="OHIF shows a document of that title in its measurement viewport, without text (measured, 3.12.10, 3.13.2)",
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How results are made for one kind of destination.

    Attributes
    ----------
    seg_forms
        Forms of the segmentation that are shown, best first.
    measurement_classes, narrative_classes
        SOP classes of the measurement report and of texts, best first; the same content tree is valid in each.
    original_source
        Name the image below a region (111040, DCM, "Original Source") instead of (260753009, SCT, "Source").
    demands
        What a valid object must hold besides to be shown.
    """

    name: str
    seg_forms: tuple[SegForm, ...]
    measurement_classes: tuple[SOPClassUID, ...]
    narrative_classes: tuple[SOPClassUID, ...]
    original_source: bool
    demands: frozenset[Demand]


# IHE AIR 6.5.3 demands Comprehensive 3D SR; Comprehensive and Enhanced hold the same tree (PS3.3 A.35.2, A.35.3)
_MEASUREMENTS = (COMPREHENSIVE_3D, COMPREHENSIVE, ENHANCED)

# Enhanced SR: text in OHIF and Stone, HTML in Weasis, which by C-GET retrieves it and Basic Text SR alone; an archive
# that takes neither gets the same text in a class that holds more
_TEXTS = (ENHANCED, BASIC_TEXT, COMPREHENSIVE, COMPREHENSIVE_3D)

_EVERYWHERE = frozenset({ONE_OBJECT_A_SERIES, EVIDENCE_ONCE, NARRATIVE_OUTSIDE_TID_1500, REFERENCED_SERIES})

GENERIC = Profile(
    name="generic",
    # BINARY is shown by OHIF, Weasis and 3D Slicer; LABELMAP by fewer; FRACTIONAL leaves OHIF at "Loading SEG..."
    seg_forms=(SegForm.BINARY, SegForm.LABELMAP, SegForm.FRACTIONAL),
    measurement_classes=_MEASUREMENTS,
    narrative_classes=_TEXTS,
    original_source=False,
    demands=_EVERYWHERE
    | {
        DERIVATION_OF_EVERY_FRAME,
        FRAME_NUMBERS,
        TRACKING_FIRST,
        REGION_BESIDE_SEGMENT,
        CHILD_OF_EVERY_NUMBER,
        PLANAR_REGIONS_ONLY,
        IMAGE_REGION,
    },
)

OHIF = Profile(
    name="ohif",
    # BINARY and LABELMAP give an overlay; "Fractional segmentations are not yet supported" (measured, both versions)
    seg_forms=(SegForm.BINARY, SegForm.LABELMAP),
    # jumps to the slice and draws outline and length of Comprehensive 3D and Comprehensive SR (measured, 3.12.10)
    measurement_classes=_MEASUREMENTS,
    narrative_classes=_TEXTS,
    original_source=False,
    demands=_EVERYWHERE | {TRACKING_FIRST, REGION_BESIDE_SEGMENT, CHILD_OF_EVERY_NUMBER},
)

WEASIS = Profile(
    name="weasis",
    # all three since 2026-05 (source)
    seg_forms=(SegForm.BINARY, SegForm.LABELMAP, SegForm.FRACTIONAL),
    # store-tcs.properties comments out Comprehensive and Comprehensive 3D SR for C-GET: only Enhanced and Basic Text
    # arrive without a change on the reader's machine (source); it draws the SCOORDs of each (source)
    measurement_classes=(ENHANCED, COMPREHENSIVE, COMPREHENSIVE_3D),
    narrative_classes=_TEXTS,
    original_source=False,
    demands=_EVERYWHERE | {DERIVATION_OF_EVERY_FRAME, FRAME_NUMBERS, PLANAR_REGIONS_ONLY},
)

SLICER = Profile(
    name="slicer",
    # LABELMAP: Slicer #8387 open; FRACTIONAL: dcmqi #356 open
    seg_forms=(SegForm.BINARY,),
    # QuantitativeReporting knows the three classes (source)
    measurement_classes=_MEASUREMENTS,
    narrative_classes=_TEXTS,
    original_source=False,
    demands=_EVERYWHERE | {DERIVATION_OF_EVERY_FRAME, FRAME_NUMBERS, TRACKING_FIRST},
)

STONE = Profile(
    name="stone",
    # Stone shows no SEG at all (source, 3.0); BINARY is for the archive beneath and its other viewers
    seg_forms=(SegForm.BINARY,),
    # draws the regions of Comprehensive SR alone, experimental; any other SR it shows as text (source, 3.0)
    measurement_classes=(COMPREHENSIVE, COMPREHENSIVE_3D, ENHANCED),
    narrative_classes=_TEXTS,
    original_source=True,
    demands=_EVERYWHERE | {PLANAR_REGIONS_ONLY, IMAGE_REGION, ORIGINAL_SOURCE},
)

PROFILES: Mapping[str, Profile] = {each.name: each for each in (GENERIC, OHIF, WEASIS, SLICER, STONE)}
"""Every profile by name; `auto` is `generic` narrowed to what the destination answered it takes."""
