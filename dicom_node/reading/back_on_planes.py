"""What was found on the grid that was read, drawn on the planes that were acquired; measurements stay as they are."""

from dataclasses import replace

from inference.findings import Finding, Findings, Measurement, Narrative, Segment
from inference.imaging.laying import Laying


def on_planes(findings: Findings, laying: Laying) -> Findings:
    """The same findings with masks and slice numbers of the source.

    A finding that lies in no image, only where the grid reaches beyond tilted slices, is left out with its sentences:
    nothing was imaged there.

    Parameters
    ----------
    findings
        Masks (slice, row, column) on the grid.
    laying
        How the planes lie on it.
    """
    if laying.is_plain:
        return findings
    kept = tuple(moved for f in findings.findings if (moved := _moved(f, laying)) is not None)
    labels = {finding.label for finding in kept} | {None}
    rested = [({s.finding, *(s.draft.evidence if s.draft else ())}, s) for s in findings.narrative.sentences]
    return replace(
        findings,
        segments=tuple(_drawn(segment, laying) for segment in findings.segments),
        findings=kept,
        measurements=_by_plane(findings.measurements, laying),
        narrative=Narrative(sentences=tuple(s for rests, s in rested if rests <= labels)),
    )


def _drawn(segment: Segment, laying: Laying) -> Segment:
    probability = None if segment.probability is None else laying.on_planes(segment.probability)
    return replace(segment, mask=laying.on_planes(segment.mask), probability=probability)


def _moved(finding: Finding, laying: Laying) -> Finding | None:
    region = None if finding.region is None else laying.on_planes(finding.region)
    if region is not None and not region.any():
        return None
    return replace(
        finding,
        region=region,
        slice_probabilities=laying.highest_on_planes(finding.slice_probabilities),
        measurements=_by_plane(finding.measurements, laying),
    )


def _by_plane(measurements: tuple[Measurement, ...], laying: Laying) -> tuple[Measurement, ...]:
    return tuple(replace(m, by_slice=laying.highest_on_planes(m.by_slice)) for m in measurements)
