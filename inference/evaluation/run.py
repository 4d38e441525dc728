"""A bundle's figures over labelled cases, as `evaluate --json` and `metrics.json` have them, and two bundles compared.

The subset "all" takes several sources together. There a slice may be told by its source instead of its finding, so
beside its `image_auroc` stands the baseline `image_auroc_by_source`: what a reader gets that knows the source alone.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from pydicom.sr.codedict import codes

from inference.algorithms import Scorer
from inference.evaluation import classes, detection, pixels, statistics
from inference.evaluation.detection import DetectionTally
from inference.evaluation.pixels import PixelTally
from inference.evaluation.statistics import Values
from inference.evaluation.tallies import CaseTally, Gathered, Patient, Progress, Subsets, SubsetTally, gather

Part = tuple[dict[str, Values], dict[str, float]]
"""Figures on each row of weights, and baselines."""


def evaluate(scorer: Scorer, subsets: Subsets, progress: Progress) -> dict[str, Any]:
    """Score every case and take the figures; the result as `report`, raises as `gather`."""
    return report(gather(scorer, subsets, progress))


def report(gathered: Gathered) -> dict[str, Any]:
    """Figures of what was gathered.

    Returns
    -------
    dict
        {"bundle", "digest", "subsets": [{"name", "n_patients", "n_cases", "n_abstained", "mixes_sources", "metrics":
        {NAME: {"value", "ci95": [low, high]}}, "baselines": {NAME: value}}]}: each subset, then "all". A figure that
        the cases of a subset do not define is left out. Where some show a class that the bundle does not know,
        "n_other_class" counts them.
    """
    algorithm = gathered.algorithm
    return {
        "bundle": f"{algorithm.name}-{algorithm.version}",
        "digest": algorithm.digest,
        "subsets": [
            _subset(subset, organ=gathered.sought == codes.SCT.Brain)
            for subset in (*gathered.subsets, gathered.together)
        ],
    }


def comparison(first: Gathered, second: Gathered) -> list[dict[str, Any]]:
    """Paired tests of two scorers over the same cases.

    Parameters
    ----------
    first, second
        Gathered over the same subsets. Cases that one of the two abstained from are left out of both.

    Returns
    -------
    list of dict
        For each subset, then "all": {"name", "differences": {NAME: {"n", "mean", "t", "p", "wilcoxon_p"}}}, of
        `case_dice` and `pixel_accuracy`, first minus second, each the mean of a patient's cases. Empty differences
        where a subset has fewer than 2 patients.

    Raises
    ------
    DataError
        If there are fewer than 2 patients in all.
    """
    pairs = zip((*first.subsets, first.together), (*second.subsets, second.together), strict=True)
    told = []
    for one, other in pairs:
        differences = _differences(one, other)
        few = one.name != "all" and len(differences) < 2
        tests = {} if few else {n: asdict(statistics.paired(differences[:, k])) for k, n in enumerate(_COMPARED)}
        told.append({"name": one.name, "differences": tests})
    return told


_COMPARED = ("case_dice", "pixel_accuracy")


def _subset(subset: SubsetTally, *, organ: bool) -> dict[str, Any]:
    """`organ`: what is sought is in every image and once, so that there is nothing to detect."""
    patients = {who: index for index, who in enumerate(sorted({case.patient for case in subset.cases}))}
    mixed = len({source for source, _ in patients}) > 1
    figures: dict[str, Values] = {}
    baselines: dict[str, float] = {}
    if patients:
        weights = statistics.weights(len(patients))
        parts = [_pixels(subset, patients, weights)]
        if organ:
            parts = [_of_organ(parts[0])]
        else:
            parts += [_slices(subset, patients, weights, mixed=mixed), _classes(subset, patients, weights)]
        for part in parts:
            figures |= part[0]
            baselines |= part[1]
    found = {name: statistics.interval(values, len(patients)) for name, values in figures.items()}
    other = sum(_of_another_class(case) for case in subset.cases)
    return {
        "name": subset.name,
        "n_patients": len(patients),
        "n_cases": len(subset.cases),
        "n_abstained": subset.abstained,
        **({"n_other_class": other} if other else {}),
        "mixes_sources": mixed,
        "metrics": {name: figure for name, figure in found.items() if figure is not None},
        "baselines": {name: value for name, value in baselines.items() if np.isfinite(value)},
    }


def _drawn(subset: SubsetTally) -> list[tuple[Patient, PixelTally, DetectionTally]]:
    """Cases with a truth."""
    return [
        (c.patient, c.pixels, c.detection) for c in subset.cases if c.pixels is not None and c.detection is not None
    ]


def _pixels(subset: SubsetTally, patients: dict[Patient, int], weights: Values) -> Part:
    drawn = _drawn(subset)
    if not drawn:
        return {}, {}
    index = np.array([patients[who] for who, _, _ in drawn])
    none = np.zeros((2, pixels.BINS))
    histograms = np.stack([subset.histograms.get(who, none) for who in patients])
    counted = [tally for _, tally, _ in drawn]
    return pixels.figures(weights, index, counted, histograms), pixels.baselines(counted)


def _of_organ(part: Part) -> Part:
    """Dice of a case under the organ's name; what tells with and without a finding apart is left out."""
    renamed = {"case_dice": "brain_dice", **{n: n for n in part[0] if n.startswith("pixel_")}}
    figures = {new: part[0][name] for name, new in renamed.items() if name in part[0]}
    return figures, {name: value for name, value in part[1].items() if name.startswith("pixel_")}


def _slices(subset: SubsetTally, patients: dict[Patient, int], weights: Values, *, mixed: bool) -> Part:
    drawn = _drawn(subset)
    if not drawn:
        return {}, {}
    index = np.array([patients[who] for who, _, _ in drawn])
    found = [tally for _, _, tally in drawn]
    of_slices = detection.slice_figures(weights, index, found)
    sources = [source for (source, _), _, _ in drawn]
    known = {"image_auroc_by_source": detection.by_source(sources, found)} if mixed and of_slices else {}
    return detection.figures(weights, index, found) | of_slices, known


def _classes(subset: SubsetTally, patients: dict[Patient, int], weights: Values) -> Part:
    known = [c for c in subset.cases if c.label and c.label in c.classes]
    if not known:
        return {}, {}
    labels = [str(case.label) for case in known]
    lines = classes.table([patients[c.patient] for c in known], labels, [c.classes for c in known])
    return classes.figures(weights, lines), classes.baselines(lines)


def _of_another_class(case: CaseTally) -> bool:
    return bool(case.label) and bool(case.classes) and case.label not in case.classes


def _differences(one: SubsetTally, other: SubsetTally) -> Values:
    """(patient, figure): first minus second, of the patients that have a case both scored."""
    seconds = {(c.patient, c.name): c.pixels for c in other.cases}
    of_patient: dict[Patient, list[Sequence[float]]] = {}
    for case in one.cases:
        first, second = case.pixels, seconds.get((case.patient, case.name))
        if first is not None and second is not None:
            differences = (first.dice - second.dice, first.accuracy - second.accuracy)
            of_patient.setdefault(case.patient, []).append(differences)
    means = [np.mean(cases, axis=0) for _, cases in sorted(of_patient.items())]
    return np.array(means, dtype=np.float64).reshape(-1, len(_COMPARED))
