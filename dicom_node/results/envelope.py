"""What every result says around its content: patient, study, series, equipment, time; and how it becomes a file."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from dicom_node.results import header, placement, provenance
from dicom_node.results.identity import Identity
from dicom_node.results.provenance import Device
from dicom_node.study import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, ObjectKind


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What the modules that all results share are made from.

    Attributes
    ----------
    kind
        Which series the object goes to.
    identity, device
        What it derives from, what made it, and when.
    source
        A source instance: its patient, its study, its scanner.
    detail
        What else the UIDs derive from.
    number
        Instance Number (0020,0013), from 1.
    """

    kind: ObjectKind
    identity: Identity
    device: Device
    source: Dataset
    detail: str = ""
    number: int = 1


def seal(dataset: Dataset, envelope: Envelope) -> None:
    """Write the shared modules into `dataset`, over whatever stands there, so that nothing random or of now remains."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for element in header.read(envelope.source).attributes:
        dataset[element.tag] = element
    _place(dataset, envelope)
    _date(dataset, _in_time_zone(envelope.identity.analysed_at, str(dataset.get("TimezoneOffsetFromUTC", ""))))
    # PS3.3 C.12.1, Content Qualification: enumerated values PRODUCT, RESEARCH, SERVICE
    dataset.ContentQualification = "RESEARCH" if envelope.device.research else "PRODUCT"
    provenance.add_node_equipment(dataset, envelope.identity)
    scanner = provenance.acquisition_equipment(envelope.source)
    algorithm = provenance.contributing_equipment(envelope.device, envelope.identity)
    dataset.ContributingEquipmentSequence = [scanner, algorithm] if scanner else [algorithm]


def to_file(dataset: Dataset) -> bytes:
    """The dataset as a file (PS3.10 7): preamble of zeros, file meta information, Explicit VR Little Endian.

    A dataset with compressed pixels names their transfer syntax in file meta information of its own.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    named: Dataset = getattr(dataset, "file_meta", meta)
    meta.TransferSyntaxUID = named.get("TransferSyntaxUID", ExplicitVRLittleEndian)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    plain = Dataset(dataset)
    plain.file_meta, plain.preamble = meta, bytes(128)
    buffer = BytesIO()
    dcmwrite(buffer, plain, enforce_file_format=True)
    return buffer.getvalue()


def _place(dataset: Dataset, envelope: Envelope) -> None:
    kind, identity, place = envelope.kind, envelope.identity, placement.PLACES[envelope.kind]
    dataset.SOPClassUID = placement.sop_class_uid(identity, kind)
    dataset.SOPInstanceUID = placement.sop_instance_uid(identity, kind, envelope.detail, envelope.number)
    dataset.SeriesInstanceUID = placement.series_instance_uid(identity, kind, envelope.detail)
    dataset.Modality, dataset.SeriesNumber = place.modality, place.series_number
    dataset.InstanceNumber = envelope.number
    dataset.SeriesDescription = placement.series_description(
        kind, envelope.device.model_name, research=envelope.device.research, version=identity.version
    )


def _in_time_zone(moment: datetime, offset: str) -> datetime:
    """`moment` in the zone that the study's dates and times state (0008,0201), else UTC: the same on every machine."""
    if not offset:
        return moment.astimezone(UTC)
    sign = -1 if offset[0] == "-" else 1
    return moment.astimezone(timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))))


def _date(dataset: Dataset, moment: datetime) -> None:
    for prefix in ("InstanceCreation", "Series", "Content"):
        setattr(dataset, f"{prefix}Date", moment.strftime("%Y%m%d"))
        setattr(dataset, f"{prefix}Time", moment.strftime("%H%M%S"))
