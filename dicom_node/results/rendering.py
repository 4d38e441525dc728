"""In which classes and forms one content is written: chosen from a profile and from what a destination takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.result_classes import KEY_OBJECTS, LABEL_MAP, SECONDARY_CAPTURE, SEGMENTATION, Accepted, name_of
from dicom_node.results.profiles import GENERIC, Profile
from dicom_node.results.segmentation_form import SegForm
from dicom_node.study import ObjectKind, SOPClassUID


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How one content becomes objects; destinations with the same one share them.

    Attributes
    ----------
    profile
        Name of the profile it was chosen by.
    seg_form
        Form of the segmentation; None: none is written, and no report refers to one.
    measurement_class, narrative_class
        SOP class of the measurement report and of texts; None: none is written.
    original_source
        As in `Profile`.
    secondary_capture
        Write a summary as pictures too.
    """

    profile: str
    seg_form: SegForm | None
    measurement_class: SOPClassUID | None
    narrative_class: SOPClassUID | None
    original_source: bool = False
    secondary_capture: bool = False

    @property
    def words(self) -> str:
        """What is written, for people: "BINARY SEG, Comprehensive 3D SR, text as Enhanced SR"."""
        parts = (
            f"{self.seg_form} SEG" if self.seg_form else None,
            name_of(self.measurement_class) if self.measurement_class else None,
            f"text as {name_of(self.narrative_class)}" if self.narrative_class else None,
            name_of(SECONDARY_CAPTURE) if self.secondary_capture else None,
        )
        return ", ".join(part for part in parts if part)

    @property
    def key(self) -> str:
        """Tells renderings apart, and is part of every UID (promise 4): the profile's name, a colon, and the words."""
        return f"{self.profile}: {self.words}{'; original source' if self.original_source else ''}"

    def sop_class_uid(self, kind: ObjectKind) -> SOPClassUID | None:
        """The class that objects of a kind are written as; None where none is written."""
        written: dict[ObjectKind, SOPClassUID | None] = {
            ObjectKind.SEG: None if self.seg_form is None else segmentation_class(self.seg_form),
            ObjectKind.SR: self.measurement_class,
            ObjectKind.CAPTURE: SECONDARY_CAPTURE if self.secondary_capture else None,
            ObjectKind.REJECTION: KEY_OBJECTS,
        }
        return written.get(kind, self.narrative_class)


def segmentation_class(form: SegForm) -> SOPClassUID:
    """SOP class of a segmentation of a form (PS3.4 B.5)."""
    return LABEL_MAP if form is SegForm.LABELMAP else SEGMENTATION


def choose(
    profile: Profile,
    accepted: Accepted | None = None,
    *,
    seg_form: SegForm | None = None,
    secondary_capture: bool = False,
) -> Rendering:
    """The best rendering that a destination takes.

    Parameters
    ----------
    profile
        Its rules.
    accepted
        What the destination answered that it takes; None where it was not asked: the top of every ladder is taken.
    seg_form
        The form that is wanted before the others, one that the profile shows; None: the profile's own order.
    secondary_capture
        Pictures are wanted in any case; otherwise they are written where neither segmentation nor measurements can be.

    Returns
    -------
    Rendering
        That of `accepted` None where nothing can be delivered at all: what is made is then parked with the reason, and
        no study ends without an object.
    """
    forms = sorted(profile.seg_forms, key=lambda form: form is not seg_form)  # stable: the others keep their order
    form = next((f for f in forms if _takes(accepted, segmentation_class(f))), None)
    measurements = _first(profile.measurement_classes, accepted)
    texts = _first(profile.narrative_classes, accepted)
    nothing_else = form is None and measurements is None
    pictures = (secondary_capture or nothing_else) and _takes(accepted, SECONDARY_CAPTURE)
    if nothing_else and texts is None and not pictures:
        return choose(profile, seg_form=seg_form, secondary_capture=secondary_capture)
    return Rendering(
        profile=profile.name,
        seg_form=form,
        measurement_class=measurements,
        narrative_class=texts,
        original_source=profile.original_source,
        secondary_capture=pictures,
    )


def _takes(accepted: Accepted | None, sop_class_uid: str) -> bool:
    return accepted is None or bool(accepted.get(sop_class_uid))


def _first(classes: Sequence[SOPClassUID], accepted: Accepted | None) -> SOPClassUID | None:
    return next((each for each in classes if _takes(accepted, each)), None)


GENERIC_RENDERING = choose(GENERIC)
"""What is written where nobody was asked: BINARY SEG, Comprehensive 3D SR, text as Enhanced SR."""
