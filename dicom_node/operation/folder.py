"""What real folders hold, sorted: DICOM images by study.

Directories of media, other files and unreadable ones counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom_node.errors import RefusedError
from dicom_node.intake.prescan import scan_file
from dicom_node.study import Header, Series, SeriesInstanceUID, StudyInstanceUID


@dataclass(frozen=True, kw_only=True)
class StudyFiles:
    """The files of one study, one for each SOP Instance UID, with what a bounded scan found in them."""

    uid: StudyInstanceUID
    files: tuple[Path, ...]
    headers: tuple[Header, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The studies below some paths, and why files were left: reason to number."""

    studies: tuple[StudyFiles, ...]
    left: Mapping[str, int]


def studies_in(paths: Sequence[Path]) -> Found:
    """Sort everything below `paths` into studies, by UID; the order of files and of paths does not matter."""
    by_study: dict[str, dict[str, tuple[Path, Header]]] = {}
    left: Counter[str] = Counter()
    for path in _files(paths):
        try:
            scanned = scan_file(path)
        except (RefusedError, OSError) as error:
            left[str(error) if isinstance(error, RefusedError) else "cannot be read"] += 1
            continue
        if scanned is None:
            left["no DICOM instance"] += 1
            continue
        header = scanned.header
        instances = by_study.setdefault(header.study_instance_uid, {})
        if header.sop_instance_uid in instances:
            left["the same instance again"] += 1
        else:
            instances[header.sop_instance_uid] = (path, header)
    return Found(studies=tuple(_study(uid, by_study[uid]) for uid in sorted(by_study)), left=dict(sorted(left.items())))


def series_of(study: StudyFiles) -> tuple[Series, ...]:
    """The series of a study as the rules see them, by UID."""
    grouped: dict[str, list[Header]] = {}
    for header in study.headers:
        grouped.setdefault(header.series_instance_uid, []).append(header)
    return tuple(_series(uid, grouped[uid]) for uid in sorted(grouped))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    seen = set()
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _study(uid: str, instances: dict[str, tuple[Path, Header]]) -> StudyFiles:
    ordered = [instances[key] for key in sorted(instances)]
    return StudyFiles(
        uid=StudyInstanceUID(uid), files=tuple(path for path, _ in ordered), headers=tuple(h for _, h in ordered)
    )


def _series(uid: str, headers: list[Header]) -> Series:
    first = headers[0]
    return Series(
        uid=SeriesInstanceUID(uid),
        modality=first.modality,
        body_part_examined=first.body_part_examined,
        description=first.series_description,
        protocol_name=first.protocol_name,
        contrast=any(h.contrast_bolus_agent for h in headers),
        calling_ae="",
        slices=sum(h.number_of_frames for h in headers),
        sop_class_uids=frozenset(h.sop_class_uid for h in headers),
    )
