"""Made-up reports of three classes, to try the way from reports to bundle; what is learnt from them says nothing."""

from collections.abc import Sequence

import numpy as np

from export_onnx.training.report_cohort import Report

LABELS = ("cavernous malformation", "acute haemorrhage", "no bleeding")

_SITES = ("left frontal lobe", "right temporal lobe", "pons", "left thalamus", "right cerebellum", "basal ganglia")
_SAID: dict[str, Sequence[str]] = {
    LABELS[0]: (
        "A lesion of {mm} mm in the {site} has a mixed core and a dark rim of haemosiderin on T2*.",
        "Popcorn-like lesion in the {site}, {mm} mm, without oedema; unchanged since the previous study.",
    ),
    LABELS[1]: (
        "Hyperdense collection of {mm} mm in the {site} with surrounding oedema and mass effect.",
        "Fresh blood in the {site}, {mm} mm, with a shift of the midline.",
    ),
    LABELS[2]: (
        "No blood in the {site} or elsewhere; the ventricles are not dilated.",
        "Normal signal of the {site}. No lesion above {mm} mm.",
    ),
}
_AROUND = ("The sinuses are clear.", "Mild atrophy for the age.", "The vessels show normal flow voids.", "No fracture.")


def made_up(count: int, seed: int) -> list[Report]:
    """Reports of three classes in turn, two of each patient; the same seed gives the same reports."""
    rng = np.random.default_rng(seed)
    reports = []
    for number in range(count):
        label = LABELS[(number // 2) % len(LABELS)]
        said = str(rng.choice(np.array(_SAID[label]))).format(site=rng.choice(np.array(_SITES)), mm=rng.integers(5, 40))
        sentences = [said, *rng.choice(np.array(_AROUND), 2, replace=False)]
        reports.append(
            Report(text=" ".join(map(str, rng.permutation(sentences))), label=label, patient=f"P{number // 2}")
        )
    return reports
