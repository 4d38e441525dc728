"""Two sides timed turn by turn in one run, so that what else the machine does falls on both."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Seconds of each turn on both sides; `limit` is the part of the other's time that is claimed."""

    what: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    limit: float

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return median(self.ours) / median(self.theirs)

    def __str__(self) -> str:
        told = f"{median(self.ours):.3f} s beside {median(self.theirs):.3f} s"
        by_turn = sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))
        spread = f"{by_turn[0]:.2f} to {by_turn[-1]:.2f}"
        verdict = "holds" if self.ratio <= self.limit else "DOES NOT HOLD"
        return f"{self.what}: {told}, ratio {self.ratio:.2f} (turns {spread}), claimed {self.limit:.2f}: {verdict}"


def turn_by_turn(
    what: str, ours: Callable[[], object], theirs: Callable[[], object], *, limit: float, turns: int
) -> Compared:
    """Both once to warm up, then `turns` times each, who comes first taking turns."""
    sides = (ours, theirs)
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(-1, turns):
        for side in (0, 1) if turn % 2 else (1, 0):
            began = time.perf_counter()
            sides[side]()
            if turn >= 0:
                seconds[side].append(time.perf_counter() - began)
    return Compared(what=what, ours=tuple(seconds[0]), theirs=tuple(seconds[1]), limit=limit)
