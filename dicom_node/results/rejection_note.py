"""That results are withdrawn: a Key Object Selection that rejects them (IHE Imaging Object Change Management).

An archive that knows the profile hides or removes what the note refers to; any other shows the note beside it.
"""

from collections.abc import Sequence

from highdicom.ko import KeyObjectSelection
from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
from pydicom import Dataset
from pydicom.sr.codedict import codes

from dicom_node.results import placement, provenance
from dicom_node.results.document import selection
from dicom_node.results.envelope import Envelope
from dicom_node.results.identity import Identity
from dicom_node.results.planes import reference
from dicom_node.results.provenance import Device
from dicom_node.results.text import fit, one_line
from dicom_node.study import ObjectKind, Rejection

TITLES = {
    Rejection.QUALITY: codes.DCM.RejectedForQualityReasons,
    Rejection.SAFETY: codes.DCM.RejectedForPatientSafetyReasons,
}
"""Document titles (CID 7010)."""


def write(reason: Rejection, algorithm_name: str, withdrawn: Sequence[Dataset], identity: Identity) -> Dataset:
    """A note (TID 2010) that refers to every object withdrawn.

    Parameters
    ----------
    algorithm_name
        Algorithm whose results they are; empty where no rule chose one.
    withdrawn
        The objects, of one study, at least one; patient and study are theirs.
    identity
        Of the withdrawal: made from the withdrawn objects by this node, no algorithm. The reason is a source of the
        UIDs too.

    Raises
    ------
    ValueError
        If no object is given, or objects of several patients or studies.
    """
    whose = {(str(each.PatientID), str(each.PatientName), str(each.StudyInstanceUID)) for each in withdrawn}
    if len(whose) != 1:
        raise ValueError(f"a rejection note is about one study of one patient, got {len(whose)}")
    device = provenance.device_named("", identity)
    root = KeyObjectSelection(
        document_title=TITLES[reason],
        referenced_objects=withdrawn,
        observer_device_context=_observer(device),
        description=_description(reason, algorithm_name, identity),
    )[0]
    envelope = Envelope(
        kind=ObjectKind.REJECTION, identity=identity, device=device, source=withdrawn[0], detail=f" {reason}"
    )
    dataset = selection(root, envelope, [reference(each) for each in withdrawn])
    dataset.SeriesDescription = placement.series_description(
        ObjectKind.REJECTION, algorithm_name or device.model_name, research=device.research, version=identity.version
    )
    dataset.ContributingEquipmentSequence[-1].ContributionDescription = f"Withdrawal of AI results: {reason.words}"
    return dataset


def _observer(device: Device) -> ObserverContext:
    """The node; which person asked it stands in the audit log, not in the archive."""
    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=device.uid,
            name="dicom-node, for its administrator",
            manufacturer_name=device.manufacturer,
            model_name=device.model_name,
        ),
    )


def _description(reason: Rejection, algorithm_name: str, identity: Identity) -> str:
    name = fit(one_line(algorithm_name), 64)
    whose = f"AI results of {name}" if name else "AI report"
    return f"Withdrawn by the site: {whose}, version {identity.version} of the study, {reason.words}."
