"""How well lesions were found: per case, then over patients with bootstrap intervals; knows no network and no file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from inference.evaluation.statistics import percentiles, samples
from inference.findings import Mask

_IOU = 0.1


@dataclass(frozen=True, kw_only=True)
class CaseScore:
    """One scan against the truth.

    Attributes
    ----------
    lesions
        How many there are.
    touched
        How many have a voxel in common with what was marked.
    hit
        How many have an intersection over union of 0.1 or more with one marked region.
    false_positives
        Marked regions that touch no lesion.
    true_voxels, marked_voxels, common_voxels, voxels
        Lesion, marked, both, and all.
    """

    lesions: int
    touched: int
    hit: int
    false_positives: int
    true_voxels: int
    marked_voxels: int
    common_voxels: int
    voxels: int

    @property
    def dice(self) -> float:
        """2 * both / (lesion + marked); 1 where both are empty."""
        together = self.true_voxels + self.marked_voxels
        return 2.0 * self.common_voxels / together if together else 1.0


def score(lesions: Sequence[Mask], regions: Sequence[Mask], voxels: int) -> CaseScore:
    """Compare the lesions of a scan with the regions that were marked; all masks lie on one grid of `voxels` voxels."""
    truth, marked = _together(lesions, voxels), _together(regions, voxels)
    return CaseScore(
        lesions=len(lesions),
        touched=sum(bool(marked[lesion.ravel()].any()) for lesion in lesions),
        hit=sum(any(_iou(lesion, region) >= _IOU for region in regions) for lesion in lesions),
        false_positives=sum(not truth[region.ravel()].any() for region in regions),
        true_voxels=int(truth.sum()),
        marked_voxels=int(marked.sum()),
        common_voxels=int((truth & marked).sum()),
        voxels=voxels,
    )


def subset(name: str, scores: Sequence[CaseScore]) -> dict[str, object]:
    """Figures of some scans, one a patient, as `metrics.json` has them: metrics with interval, and baselines."""
    some = any(s.lesions for s in scores)
    wanted = _ALWAYS | (_WITH_LESION if some else {}) | ({} if all(s.lesions for s in scores) else _WITHOUT_LESION)
    return {
        "name": name,
        "n_patients": len(scores),
        "n_cases": len(scores),
        "n_lesions": sum(s.lesions for s in scores),
        # a figure that these cases do not define, as a precision where nothing is marked, is left out
        "metrics": {
            k: interval(scores, statistic) for k, statistic in wanted.items() if np.isfinite(statistic(scores))
        },
        "baselines": {
            "pixel_accuracy_all_negative": 1.0 - _ratio(scores, lambda s: s.true_voxels, lambda s: s.voxels),
            "case_dice_all_negative": sum(not s.true_voxels for s in scores) / len(scores),
        },
    }


def interval(
    scores: Sequence[CaseScore], statistic: Callable[[Sequence[CaseScore]], float]
) -> dict[str, float | list[float]]:
    """A figure and its 95 % interval: percentile bootstrap that resamples patients, seeded."""
    drawn = [statistic([scores[i] for i in sample]) for sample in samples(len(scores))]
    return {"value": statistic(scores), "ci95": percentiles(np.array(drawn))}


def _ratio(scores: Sequence[CaseScore], above: Callable[[CaseScore], int], below: Callable[[CaseScore], int]) -> float:
    whole = sum(below(s) for s in scores)
    return sum(above(s) for s in scores) / whole if whole else float("nan")


def _mean_dice(scores: Sequence[CaseScore]) -> float:
    return sum(s.dice for s in scores) / len(scores)


def _empty_when_healthy(scores: Sequence[CaseScore]) -> float:
    healthy = [s for s in scores if not s.lesions]
    return sum(not s.marked_voxels for s in healthy) / len(healthy) if healthy else float("nan")


_ALWAYS: dict[str, Callable[[Sequence[CaseScore]], float]] = {
    "case_dice": _mean_dice,
    "false_positives_per_scan": lambda scores: sum(s.false_positives for s in scores) / len(scores),
    "pixel_accuracy": lambda scores: _ratio(
        scores, lambda s: s.voxels - s.true_voxels - s.marked_voxels + 2 * s.common_voxels, lambda s: s.voxels
    ),
}
_WITH_LESION: dict[str, Callable[[Sequence[CaseScore]], float]] = {
    "lesion_sensitivity": lambda scores: _ratio(scores, lambda s: s.touched, lambda s: s.lesions),
    "lesion_sensitivity_iou10": lambda scores: _ratio(scores, lambda s: s.hit, lambda s: s.lesions),
    "pixel_dice": lambda scores: _ratio(
        scores, lambda s: 2 * s.common_voxels, lambda s: s.true_voxels + s.marked_voxels
    ),
    "pixel_precision": lambda scores: _ratio(scores, lambda s: s.common_voxels, lambda s: s.marked_voxels),
    "pixel_recall": lambda scores: _ratio(scores, lambda s: s.common_voxels, lambda s: s.true_voxels),
}
_WITHOUT_LESION: dict[str, Callable[[Sequence[CaseScore]], float]] = {"empty_when_healthy": _empty_when_healthy}


def _together(masks: Sequence[Mask], voxels: int) -> Mask:
    union = np.zeros(voxels, dtype=np.bool_)
    for mask in masks:
        union |= mask.ravel()
    return union


def _iou(first: Mask, second: Mask) -> float:
    return float((first & second).sum() / (first | second).sum())
