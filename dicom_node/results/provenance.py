"""Who made a result: the algorithm and the node, said alike in equipment, observer and algorithm identification.

IHE AIR 6.5.3.1 asks that Contributing Equipment, TID 1004, TID 4019 and the Algorithm Identification Sequence agree;
all four are made from one value here.
"""

from dataclasses import dataclass
from datetime import UTC

from highdicom import AlgorithmIdentificationSequence
from highdicom.sr import (
    CodedConcept,
    DeviceObserverIdentifyingAttributes,
    ObservationContext,
    ObserverContext,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results.header import text
from dicom_node.results.identity import Identity
from dicom_node.results.text import fit
from dicom_node.study import derive_uid
from inference.findings import Algorithm

MANUFACTURER = "dicom-node"
"""Manufacturer (0008,0070) of the node itself."""

MODEL_NAME = "dicom-node"
"""Manufacturer's Model Name (0008,1090) of the node itself."""

_DOCUMENTS = frozenset({"SR", "DOC", "KO", "PR", "SEG"})


@dataclass(frozen=True, kw_only=True)
class Device:
    """The algorithm as a device, in the words of the four places.

    Attributes
    ----------
    manufacturer, model_name, software_version
        At most 64 characters each.
    uid
        Device UID (0018,1002): another one for every change of program or weights.
    family
        Algorithm Family (CID 7162).
    parameters
        What else made the result: hash of the weights, execution provider, configuration, clinical use.
    research
        Whether objects must say RESEARCH USE.
    """

    manufacturer: str
    model_name: str
    software_version: str
    uid: str
    family: Code
    parameters: tuple[str, ...]
    research: bool


def device_of(algorithm: Algorithm, identity: Identity) -> Device:
    """The device that a reading was made with."""
    research = algorithm.clinical_use != "cleared"
    return Device(
        manufacturer=fit(algorithm.source, 64),
        model_name=fit(algorithm.name, 64),
        software_version=fit(algorithm.version, 64),
        uid=device_uid(algorithm.digest),
        family=algorithm.family,
        parameters=(
            *_parameters(algorithm.digest, identity),
            f"training data: {algorithm.training}",
            f"clinical use: {algorithm.clinical_use}" + (", RESEARCH USE" if research else ""),
        ),
        research=research,
    )


def device_named(algorithm_name: str, identity: Identity) -> Device:
    """The device of a study without result, of which no more than a name may be known; never cleared."""
    return Device(
        manufacturer=MANUFACTURER,
        model_name=fit(algorithm_name, 64) or MODEL_NAME,
        software_version=fit(identity.software_version, 64),
        uid=device_uid(identity.algorithm_digest),
        family=codes.DCM.ArtificialIntelligence,
        parameters=_parameters(identity.algorithm_digest, identity),
        research=True,
    )


def device_uid(algorithm_digest: str) -> str:
    """Device UID (0018,1002) of an algorithm."""
    return derive_uid("device", algorithm_digest)


def _parameters(digest: str, identity: Identity) -> tuple[str, ...]:
    return (
        f"sha256: {digest}",
        f"provider: {identity.provider}",
        f"configuration sha256: {identity.configuration_digest}",
    )


def contributing_equipment(device: Device, identity: Identity) -> Dataset:
    """Item of the Contributing Equipment Sequence (0018,A001) for the algorithm (IHE AIR 6.5.3.1)."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.ProcessingEquipment)]
    item.Manufacturer = device.manufacturer
    item.ManufacturerModelName = device.model_name
    item.SoftwareVersions = device.software_version
    item.DeviceUID = device.uid
    item.ContributionDateTime = identity.analysed_at.astimezone(UTC).strftime("%Y%m%d%H%M%S%z")
    item.ContributionDescription = fit("AI analysis, not verified; " + "; ".join(device.parameters), 1024)
    return item


def acquisition_equipment(source: Dataset) -> Dataset | None:
    """Item for the scanner, where the source is an image and names it; what wrote a document acquired nothing."""
    item = Dataset()
    if text(source, "Modality") in _DOCUMENTS:
        return None
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.AcquisitionEquipment)]
    item.Manufacturer = fit(text(source, "Manufacturer"), 64)
    if not item.Manufacturer:
        return None
    if model_name := fit(text(source, "ManufacturerModelName"), 64):
        item.ManufacturerModelName = model_name
    return item


def add_node_equipment(dataset: Dataset, identity: Identity) -> None:
    """Put the node into the Enhanced General Equipment module (PS3.3 C.7.5.2), where all four attributes are type 1."""
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL_NAME
    dataset.SoftwareVersions = fit(identity.software_version, 64)
    dataset.DeviceSerialNumber = identity.configuration_digest[:16]  # an installation is its configuration


def algorithm_identification(device: Device) -> AlgorithmIdentificationSequence:
    """Algorithm Identification Sequence (PS3.3 10.16) of a segment."""
    sequence = AlgorithmIdentificationSequence(
        name=device.model_name, family=device.family, version=device.software_version, source=device.manufacturer
    )
    sequence[0].AlgorithmParameters = "; ".join(device.parameters)
    return sequence


def observation_context(device: Device) -> ObservationContext:
    """TID 1001 with the device as observer (TID 1004)."""
    name = f"AI, unverified{', RESEARCH USE' if device.research else ''}"
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=device.uid,
                name=name,
                manufacturer_name=device.manufacturer,
                model_name=device.model_name,
            ),
        )
    )
