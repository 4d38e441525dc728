"""Image and text are joined by a logistic regression that anyone can compute by hand."""

import math

import pytest

from inference.fusion import Fusion, fused, log_odds

EVEN = Fusion(image_weight=1.0, text_weight=1.0, intercept=0.0, text="made up")


def test_log_odds_add_up() -> None:
    assert fused(0.8, 0.5, EVEN) == pytest.approx(0.8)
    assert fused(0.8, 0.8, EVEN) == pytest.approx(16.0 / 17.0)
    shifted = EVEN.model_copy(update={"intercept": math.log(3.0)})
    assert fused(0.5, 0.5, shifted) == pytest.approx(0.75)


def test_neither_source_silences_the_other() -> None:
    assert 0.0 < fused(1.0, 0.0, EVEN) < 1.0
    assert log_odds(0.0) == pytest.approx(-log_odds(1.0))
    assert math.isfinite(log_odds(0.0))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="the text score is a probability"):
        fused(0.5, value, EVEN)
