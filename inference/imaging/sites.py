"""In which part of the brain a region lies, by a coarse table of regions in the standard head; silent near borders.

The table is no atlas: deep nuclei, brain stem and cerebellum are ellipsoids, the lobes are parted by planes along the
central, Sylvian and parieto-occipital sulci. Centres, radii and planes were set by hand in MNI coordinates, held
against the tissue maps of ICBM 2009a, and compared with no published atlas. Heads differ from each other by up
to 10 mm, and a fit that only turns and stretches does not follow. So a region has a site only where it stays in one
part when moved by a few millimetres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

STABLE = 0.75
"""Share of a region's voxels, moved by `MOVED_MM` in each direction and not moved, that have to lie in one part."""

MOVED_MM = 5.0
"""What the fit of the standard head is trusted to."""

BASAL_GANGLIA = Code("basal-ganglia", "99DICOMNODE", "Basal ganglia")
"""A code of our own: the tables of PS3.16 name the single nuclei and have none for all of them together."""

Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Ellipsoid:
    """In MNI coordinates, mm: |x| from the middle, y to the front, z to the head."""

    code: Code
    center: tuple[float, float, float]
    radii: tuple[float, float, float]

    def holds(self, points: Points) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (((points - self.center) / self.radii) ** 2).sum(axis=1) <= 1.0
        return inside


_STEM, _SMALL_BRAIN, _THALAMUS = codes.SCT.BrainStem, codes.SCT.Cerebellum, codes.SCT.Thalamus

_DEEP = (
    _Ellipsoid(code=_THALAMUS, center=(11.0, -18.0, 7.0), radii=(10.0, 14.0, 9.0)),
    _Ellipsoid(code=BASAL_GANGLIA, center=(12.0, 12.0, 7.0), radii=(6.5, 10.0, 10.0)),  # head of the caudate
    _Ellipsoid(code=BASAL_GANGLIA, center=(25.0, 2.0, 1.0), radii=(7.5, 16.0, 10.0)),  # putamen
    _Ellipsoid(code=BASAL_GANGLIA, center=(19.0, -5.0, 0.0), radii=(6.0, 9.0, 7.0)),  # pallidum
    _Ellipsoid(code=_STEM, center=(0.0, -22.0, -13.0), radii=(15.0, 10.0, 9.0)),  # midbrain
    _Ellipsoid(code=_STEM, center=(0.0, -27.0, -32.0), radii=(17.0, 13.0, 13.0)),  # pons
    _Ellipsoid(code=_STEM, center=(0.0, -39.0, -53.0), radii=(10.0, 9.0, 14.0)),  # medulla
    _Ellipsoid(code=_SMALL_BRAIN, center=(22.0, -63.0, -36.0), radii=(31.0, 31.0, 23.0)),
    _Ellipsoid(code=_SMALL_BRAIN, center=(0.0, -60.0, -25.0), radii=(14.0, 26.0, 24.0)),  # vermis
)
"""The first that holds a point names it."""

_MIDDLE_MM = 20.0  # from the middle: what is nearer and below the Sylvian fissure is no temporal lobe


def site(points: Points, from_standard: NDArray[np.float64]) -> Code | None:
    """The part of the brain that a region lies in, or None near a border.

    Parameters
    ----------
    points
        (voxel, 3): the region's voxel centers in the patient, LPS, mm.
    from_standard
        (4, 4): points of the standard head to the patient, LPS, mm.
    """
    to_standard = np.linalg.inv(from_standard)
    there = points @ to_standard[:3, :3].T + to_standard[:3, 3]
    return site_in_standard(there)


def site_in_standard(points: Points) -> Code | None:
    """The same for points (voxel, 3) in the standard head, LPS, mm."""
    moves = np.vstack([np.zeros((1, 3)), MOVED_MM * np.eye(3), -MOVED_MM * np.eye(3)])
    around = (points[:, None, :] + moves[None, :, :]).reshape(-1, 3)
    names = _parts(around)
    found, counts = np.unique(names, return_counts=True)
    most = int(counts.argmax())
    return _CODES[int(found[most])] if counts[most] >= STABLE * len(names) and found[most] >= 0 else None


_LOBES = (codes.SCT.FrontalLobe, codes.SCT.ParietalLobe, codes.SCT.TemporalLobe, codes.SCT.OccipitalLobe)
_CODES: tuple[Code, ...] = (*_LOBES, *(part.code for part in _DEEP))
_FRONTAL, _PARIETAL, _TEMPORAL, _OCCIPITAL, _NONE = 0, 1, 2, 3, -1


def _parts(points: Points) -> NDArray[np.int64]:
    """Index in `_CODES` of the part each point (n, 3), LPS, lies in; -1 for none."""
    mni = np.column_stack([np.abs(points[:, 0]), -points[:, 1], points[:, 2]])
    parts = _lobes(mni)
    for index in reversed(range(len(_DEEP))):
        parts[_DEEP[index].holds(mni)] = _CODES.index(_DEEP[index].code, len(_LOBES))
    return parts


def _lobes(mni: Points) -> NDArray[np.int64]:
    """By planes; what lies below the Sylvian fissure near the middle belongs to no lobe."""
    x, y, z = mni.T
    central = 5.0 - 0.5 * z  # y of the central sulcus: about -30 at the vertex, -6 at its lower end
    sylvian = np.clip(-12.0 + 0.58 * (20.0 - y), -12.0, 20.0)  # z of the Sylvian fissure, rising backwards
    occipital = -68.0 - 0.4 * (z - 5.0)  # y of parieto-occipital sulcus and preoccipital notch
    parts = np.where(y > central, _FRONTAL, _PARIETAL)
    low = (z < sylvian) & (y < 22.0)
    parts[low] = np.where(x[low] > _MIDDLE_MM, _TEMPORAL, _NONE)
    parts[y < occipital] = _OCCIPITAL
    return parts.astype(np.int64)
