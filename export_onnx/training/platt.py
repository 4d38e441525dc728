"""Platt scaling fitted on validation: a score becomes a probability; numpy and scipy."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from inference.outputs import Calibration

_LEAST = 1e-6


def platt(probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> Calibration:
    """Slope and intercept on the logit of least cross entropy (Platt 1999).

    Targets are drawn in a little from 0 and 1, as Platt does, so that separable scores do not make it endlessly sure.

    Parameters
    ----------
    probability
        (case,): what the network says, in [0, 1].
    truth
        (case,).
    """
    inner = np.clip(probability.astype(np.float64), _LEAST, 1.0 - _LEAST)
    logit = np.log(inner / (1.0 - inner))
    positive, negative = int(truth.sum()), int((~truth).sum())
    wanted = np.where(truth, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))

    def entropy(parameters: NDArray[np.float64]) -> float:
        scaled = np.exp(parameters[0]) * logit + parameters[1]
        return float(np.mean(np.logaddexp(0.0, scaled) - wanted * scaled))

    found = minimize(entropy, np.zeros(2), method="L-BFGS-B", bounds=[(-4.0, 4.0), (-20.0, 20.0)])
    return Calibration(slope=round(float(np.exp(found.x[0])), 4), intercept=round(float(found.x[1]), 4))
