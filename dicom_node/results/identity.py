"""What a result's identity derives from: the same values give the same UIDs and the same bytes (promise 4)."""

from dataclasses import dataclass
from datetime import datetime

from dicom_node.results.rendering import Rendering
from dicom_node.study import Language, ObjectKind, SeriesInstanceUID, SOPClassUID, SOPInstanceUID, derive_uid


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything a result object's UIDs derive from, and the time it was made.

    Attributes
    ----------
    instances_digest
        sha256 over the SOP Instance UIDs and content hashes of the source instances, sorted; hex.
    algorithm_digest
        `inference.findings.Algorithm.digest`.
    configuration_digest
        sha256 of the settings that can change a result.
    software_version
        Version of this node.
    provider
        Execution provider that computed it, for example "CPUExecutionProvider" or "SimpleITK".
    rendering
        Profile and classes the object is rendered in.
    analysed_at
        Start of the analysis, aware UTC; recorded once with the workitem. Not a source of UIDs.
    version
        1 for the first result of a study, one more for each set of late instances or forced reading.
    inherited
        (label, Tracking Unique Identifier) of what an earlier version tracked; see `dicom_node.results.tracking`.
    language
        Of the sentences; not a source of UIDs by itself, because the configuration's digest covers it.
    """

    instances_digest: str
    algorithm_digest: str
    configuration_digest: str
    software_version: str
    provider: str
    rendering: Rendering
    analysed_at: datetime
    version: int = 1
    inherited: tuple[tuple[str, str], ...] = ()
    language: Language = "en"

    def __post_init__(self) -> None:
        if self.analysed_at.tzinfo is None:
            raise ValueError("analysed_at must be aware")

    def uid(self, kind: str, sop_class_uid: str) -> str:
        """A UID for one use in this rendering, for example ("SEG instance", SOP class)."""
        return derive_uid(kind, sop_class_uid, *self._content, self.rendering.key)

    def tracking_uid(self, label: str) -> str:
        """Tracking Unique Identifier of a finding or a segment: the earlier version's, else one of its own.

        It is the same in every rendering, because the thing that is tracked is the same.
        """
        return dict(self.inherited).get(label) or derive_uid("tracking", label, *self._content)

    @property
    def _content(self) -> tuple[str, ...]:
        return (
            self.instances_digest,
            self.algorithm_digest,
            self.configuration_digest,
            self.software_version,
            self.provider,
        )


@dataclass(frozen=True, kw_only=True)
class Predecessor:
    """An object of the study's previous version, which a new one replaces (PS3.3 C.17.2, Predecessor Documents).

    `rendering` is the key of the new rendering that replaces it; empty: every one does.
    """

    kind: ObjectKind
    sop_class_uid: SOPClassUID
    sop_instance_uid: SOPInstanceUID
    series_instance_uid: SeriesInstanceUID
    rendering: str = ""
