"""How well lesions and slices with a finding are found: counts of one case, then figures over many.

A lesion is a connected component of the truth, found where a marked region has a voxel in common with it. A marked
region that touches no lesion is a false positive. A region is as sure as its highest probability. A scan is a case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.algorithms import Scores
from inference.evaluation.ranking import auroc, average_precision, ratio
from inference.findings import Mask

FALSE_POSITIVES_PER_SCAN = 1.0
"""At which sensitivity is read off the FROC curve."""

_IOU = 0.1
_CORNERS = np.ones((3, 3, 3), dtype=np.bool_)  # all 26 neighbours, as the findings of a reading

Values = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionTally:
    """One case against its truth.

    Attributes
    ----------
    lesions
        (lesion,): how sure the surest region is that touches it; -1 where none does.
    overlaps
        (lesion,): largest intersection over union with one region.
    false_positives
        (region,): how sure each region is that touches no lesion.
    slice_scores, slice_truth
        (slice,): how sure the reader is of each, and whether it shows what is sought.
    """

    lesions: Values
    overlaps: Values
    false_positives: Values
    slice_scores: Values
    slice_truth: Mask


def tally(scores: Scores, truth: Mask) -> DetectionTally:
    """Count one case; truth is (slice, row, column), on the grid of the scores."""
    lesion, lesions = ndimage.label(truth, _CORNERS)
    region, regions = ndimage.label(scores.marked, _CORNERS)
    sure = np.asarray(ndimage.maximum(scores.probability, region, np.arange(1, regions + 1)), dtype=np.float64)
    common = np.zeros((lesions, regions))
    np.add.at(common, (lesion[truth & scores.marked] - 1, region[truth & scores.marked] - 1), 1.0)
    touching = common > 0
    together = _sizes(lesion, lesions)[:, None] + _sizes(region, regions)[None, :] - common
    return DetectionTally(
        lesions=np.where(touching, sure[None, :], -1.0).max(axis=1, initial=-1.0),
        overlaps=(common / together).max(axis=1, initial=0.0),
        false_positives=sure[~touching.any(axis=0)],
        slice_scores=scores.slices.astype(np.float64),
        slice_truth=np.any(truth, axis=(1, 2)),
    )


def figures(weights: Values, patient: Indices, cases: Sequence[DetectionTally]) -> dict[str, Values]:
    """Figures on each row of weights, (row, patient); `patient` is the index of each case's; as `pixels.figures`."""
    of_case = weights[:, patient]
    lesions = of_case @ np.array([float(len(c.lesions)) for c in cases])
    found = of_case @ np.array([float((c.lesions >= 0).sum()) for c in cases])
    hit = of_case @ np.array([float((c.overlaps >= _IOU).sum()) for c in cases])
    wrong = of_case @ np.array([float(len(c.false_positives)) for c in cases])
    return {
        "lesion_sensitivity": ratio(found, lesions),
        "lesion_sensitivity_iou10": ratio(hit, lesions),
        "false_positives_per_scan": wrong / of_case.sum(axis=1),
        "froc_sensitivity_1fp": _froc(of_case, cases, lesions),
    }


def slice_figures(weights: Values, patient: Indices, cases: Sequence[DetectionTally]) -> dict[str, Values]:
    """How well slices with a finding are told from those without; as `figures`."""
    owner = np.repeat(patient, [len(c.slice_scores) for c in cases])
    truth = np.concatenate([c.slice_truth for c in cases])
    return _slices(weights, owner, np.concatenate([c.slice_scores for c in cases]), truth)


def by_source(source: Sequence[int], cases: Sequence[DetectionTally]) -> float:
    """`image_auroc` of a reader that knows only from which source a slice comes; `source` is the index of each case's.

    Each slice scores the share of slices with a finding in its source. NaN where all or none have one.
    """
    owner = np.repeat(source, [len(c.slice_scores) for c in cases])
    truth = np.concatenate([c.slice_truth for c in cases])
    share = ratio(_sums(owner, truth.astype(np.float64)), _sums(owner, np.ones(len(owner))))[owner]
    return float(_slices(np.ones((1, 1)), np.zeros(len(owner), np.int64), share, truth)["image_auroc"][0])


def _slices(weights: Values, owner: Indices, scores: Values, truth: Mask) -> dict[str, Values]:
    level = np.unique(scores, return_inverse=True)[1]
    found = np.empty((2, len(weights)))
    for row, weight in enumerate(weights):
        of_slice = weight[owner]
        positive, negative = _sums(level, of_slice * truth), _sums(level, of_slice * ~truth)
        found[:, row] = auroc(positive, negative), average_precision(positive, negative)
    both = truth.any() and not truth.all()  # average precision alone would be 1 where every slice has a finding
    return {"image_auroc": found[0], "image_ap": found[1]} if both else {}


def _froc(of_case: Values, cases: Sequence[DetectionTally], lesions: Values) -> Values:
    """Sensitivity where the regions are cut at the lowest certainty that leaves at most one false positive a scan."""
    wrong, wrong_case = _flat([c.false_positives for c in cases])
    order = np.argsort(-wrong, kind="stable")
    wrong, wrong_case = wrong[order], wrong_case[order]
    sure, lesion_case = _flat([c.lesions for c in cases])
    found = np.empty(len(of_case))
    for row, weight in enumerate(of_case):
        so_far = np.cumsum(weight[wrong_case])
        allowed = int(np.searchsorted(so_far, FALSE_POSITIVES_PER_SCAN * weight.sum(), side="right"))
        above = wrong[allowed] if allowed < len(wrong) else -1.0
        found[row] = weight[lesion_case][sure > above].sum()
    return ratio(found, lesions)


def _flat(parts: Sequence[Values]) -> tuple[Values, Indices]:
    """Values of all cases in one row, and the case of each."""
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _sums(group: Indices, values: Values) -> Values:
    """Sum of the values of each group, 0, 1, ... up to the highest."""
    return np.bincount(group, weights=values).astype(np.float64)


def _sizes(labelled: Indices, count: int) -> Values:
    return np.bincount(labelled.ravel(), minlength=count + 1)[1:].astype(np.float64)
