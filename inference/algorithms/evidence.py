"""The bundle whose masks and measurements hold to account what another one says of the same image."""

from dataclasses import replace

import numpy as np
from pydicom.sr.codedict import codes

from inference.algorithms import Reader
from inference.errors import UnsuitableImageError
from inference.findings import Algorithm, Finding, Findings, Narrative, Sentence
from inference.image import Image
from inference.imaging.head_placement import laid_over, matrix_of
from inference.imaging.sites import Points, site
from inference.inputs import Inputs
from inference.language import places
from inference.statements import LiesIn, MarkedBy


class Evidence:
    """Another reader, and where in the brain its findings lie.

    Parameters
    ----------
    reader
        Marks and measures.
    locate
        Whether a finding that is somewhere in the brain gets the part of it in which it lies.
    """

    def __init__(self, reader: Reader, *, locate: bool) -> None:
        self._reader = reader
        self._locate = locate

    @property
    def algorithm(self) -> Algorithm:
        """Who marks and measures."""
        return self._reader.algorithm

    @property
    def inputs(self) -> Inputs:
        """Which series it reads."""
        return self._reader.inputs

    def read(self, image: Image) -> Findings:
        """What is marked and measured, first of all by whom; raises as the reader does."""
        found, by = self._reader.read(image), self.algorithm
        says = MarkedBy(name=by.name, version=by.version, digest=by.digest[:12])
        text = f"Marked and measured by {by.name} {by.version} ({says.digest})."
        sentences = (Sentence(text=text, says=says), *found.narrative.sentences)
        named = replace(found, narrative=Narrative(sentences=sentences))
        return located(named, image) if self._locate else named


def is_organ(finding: Finding) -> bool:
    """Whether a finding is a part of the body as such, and not something in it."""
    return places.place_of(finding.code.scheme_designator, finding.code.value) is not None


def located(found: Findings, image: Image) -> Findings:
    """The same with the part of the brain of each finding that is only known to lie in the brain, or not even that.

    By the standard head laid over the image; unchanged where that shows no head, or a finding lies near a border.
    """
    if not any(_unplaced(finding) for finding in found.findings):
        return found
    try:
        from_standard = matrix_of(laid_over(image))
    except UnsuitableImageError:
        return found
    findings = [
        replace(one, site=site(_points(one, image), from_standard) or one.site) if _unplaced(one) else one
        for one in found.findings
    ]
    told = [_said(new) for old, new in zip(found.findings, findings, strict=True) if new.site != old.site]
    narrative = Narrative(sentences=(*found.narrative.sentences, *told))
    return replace(found, findings=tuple(findings), narrative=narrative)


def _unplaced(finding: Finding) -> bool:
    unknown = finding.site is None or finding.site == codes.SCT.Brain
    return unknown and finding.region is not None and not is_organ(finding)


def _points(finding: Finding, image: Image) -> Points:
    """(voxel, 3): centers of the finding's voxels, LPS, mm."""
    if finding.region is None:
        raise ValueError(f"{finding.label} has no region")
    indices = np.argwhere(finding.region[finding.box]) + [part.start for part in finding.box]
    affine = image.volume.affine
    points: Points = indices @ affine[:3, :3].T + affine[:3, 3]
    return points


def _said(finding: Finding) -> Sentence:
    if finding.site is None:
        raise ValueError(f"{finding.label} has no site")
    where = " ".join(code.meaning.lower() for code in (finding.laterality, finding.site) if code)
    text = f"{finding.label.capitalize()} lies in the {where}, by the standard head laid over the image."
    return Sentence(text=text, finding=finding.label, says=LiesIn(site=finding.site))
