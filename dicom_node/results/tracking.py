"""Which finding of a new version is which of an earlier one: the same lesion keeps its identifiers, no other gets them.

A finding with a number in its label ("lesion 2") is known again by where it lies: by the pixels that it shares with an
earlier outline, on the image that the outline was drawn on. One without a number ("brain") is the only one of its kind
and is known again by its name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from dicom_node.results.measurement_report import WHOLE_STUDY
from dicom_node.results.outline import filled
from dicom_node.results.source import Source
from dicom_node.results.text import fit
from dicom_node.results.tracked import Outline, Tracked
from inference.findings import Finding, Findings, Narrative, Sentence

LEAST_SHARED = 0.25
"""Least part of the pixels covered by either, earlier outline or finding, that both must cover to be the same thing."""

_NUMBERED = re.compile(r"(?P<stem>.*\S) (?P<number>\d+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """A new version's findings with the names they go by, and (label, Tracking Unique Identifier) of the known ones."""

    findings: Findings
    inherited: tuple[tuple[str, str], ...]


def follow(findings: Findings, source: Source, earlier: Sequence[Sequence[Tracked]]) -> Followed:
    """Give each finding that an earlier version had its identifiers back, and no new one a name that was another's.

    Parameters
    ----------
    findings
        Of the new version; masks on the grid of `source`.
    source
        What was read.
    earlier
        What the reports of the earlier versions track, the newest first.
    """
    known: dict[str, Tracked] = {}
    for report in earlier:
        held = {one.identifier for one in known.values()} | {one.uid for one in known.values()}
        left = [f for f in findings.findings if f.label not in known]
        known |= _known_again(left, source, [one for one in report if not held & {one.identifier, one.uid}])
    taken = {one.identifier for report in earlier for one in report}
    names = _names(findings.findings, known, taken)
    inherited = [(names[label], one.uid) for label, one in known.items()]
    return Followed(findings=_renamed(findings, names), inherited=(*inherited, *_whole_study(earlier)))


def _known_again(left: Sequence[Finding], source: Source, report: Sequence[Tracked]) -> dict[str, Tracked]:
    """Findings by label with what they were: by name where that tells, else best overlap first, each only once."""
    named = {one.identifier: one for one in report}
    known = {f.label: named[_text(f)] for f in left if not _is_numbered(_text(f)) and _text(f) in named}
    shares = sorted(_shares(left, source, report), key=lambda share: (-share[0], share[1], share[2]))
    for _, new, old in shares:
        label = left[new].label
        if label not in known and report[old].identifier not in {one.identifier for one in known.values()}:
            known[label] = report[old]
    return known


def _shares(left: Sequence[Finding], source: Source, report: Sequence[Tracked]) -> Iterator[tuple[float, int, int]]:
    """(part of the pixels that both cover, index of the finding, index of the earlier one) of all that may be one."""
    planes = {_image(source, k): k for k in range(source.shape[0])}
    for old, one in enumerate(report):
        plane = planes.get((one.outline.sop_instance_uid, one.outline.frame_number)) if one.outline else None
        if plane is None or one.outline is None or not _is_numbered(one.identifier):
            continue
        before = _pixels(one.outline, source)
        for new, finding in enumerate(left):
            if finding.region is None or not _is_numbered(_text(finding)) or not _alike(finding, one):
                continue
            now = finding.region[plane]
            share = float((now & before).sum()) / max(1, int((now | before).sum()))
            if share >= LEAST_SHARED:
                yield share, new, old


def _pixels(outline: Outline, source: Source) -> NDArray[np.bool_]:
    return filled(outline.line, source.shape[1:])


def _image(source: Source, index: int) -> tuple[str, int | None]:
    header, frame_number = source.plane(index)
    return str(header.SOPInstanceUID), frame_number


def _alike(finding: Finding, one: Tracked) -> bool:
    """Of one code or of one family of labels: a lesion whose kind was seen otherwise before is the same lesion."""
    return one.code == (finding.code.scheme_designator, finding.code.value) or _stem(_text(finding)) == _stem(
        one.identifier
    )


def _names(findings: Sequence[Finding], known: Mapping[str, Tracked], taken: Set[str]) -> dict[str, str]:
    """New label by old: that of the earlier finding, else its own, else one with the lowest number never used."""
    names = {label: one.identifier for label, one in known.items()}
    used = set(taken)
    for label, text in ((f.label, _text(f)) for f in findings):
        if label not in names:
            names[label] = text if text not in used else _free(_stem(text), used)
            used.add(names[label])
    return names


def _free(stem: str, used: Set[str]) -> str:
    return next(text for number in count(1) if (text := f"{stem} {number}") not in used)


def _renamed(findings: Findings, names: Mapping[str, str]) -> Findings:
    if all(label == name for label, name in names.items()):
        return findings
    return replace(
        findings,
        findings=tuple(replace(finding, label=names[finding.label]) for finding in findings.findings),
        narrative=Narrative(sentences=tuple(_sentence(s, names) for s in findings.narrative.sentences)),
    )


def _sentence(sentence: Sentence, names: Mapping[str, str]) -> Sentence:
    """The sentence with numbered labels replaced wherever they stand, all at once; "Lesion 1" stays a beginning."""
    changed = {label.lower(): name for label, name in names.items() if label != name and _is_numbered(label)}
    text = sentence.text
    if changed:
        labels = "|".join(re.escape(label) for label in sorted(changed, key=len, reverse=True))
        pattern = re.compile(rf"(?<!\w)(?:{labels})(?!\w)", re.IGNORECASE)
        text = pattern.sub(lambda found: _as_written(changed[found[0].lower()], found[0]), text)
    draft = sentence.draft and replace(sentence.draft, evidence=tuple(names[one] for one in sentence.draft.evidence))
    return replace(sentence, text=text, finding=sentence.finding and names[sentence.finding], draft=draft)


def _as_written(name: str, before: str) -> str:
    return name[:1].upper() + name[1:] if before[:1].isupper() else name


def _whole_study(earlier: Sequence[Sequence[Tracked]]) -> list[tuple[str, str]]:
    return [(WHOLE_STUDY, one.uid) for report in earlier for one in report if one.identifier == WHOLE_STUDY][:1]


def _text(finding: Finding) -> str:
    """The label as Tracking Identifier."""
    return fit(finding.label, 64)


def _is_numbered(text: str) -> bool:
    return _NUMBERED.fullmatch(text) is not None


def _stem(text: str) -> str:
    numbered = _NUMBERED.fullmatch(text)
    return numbered["stem"] if numbered else text
