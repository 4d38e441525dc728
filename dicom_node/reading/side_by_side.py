"""Work on many values on the cores at hand, for functions that let go of the interpreter's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAXIMUM_THREADS = 8
"""More would wait for memory."""

_BLOCKS = 32  # for each thread, so that none waits long for the last

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")


def side_by_side(function: Callable[[_Value], _Result], values: Sequence[_Value]) -> list[_Result]:
    """The function's results, in the order of the values; where it raises, what it raises for the first of them."""
    threads = min(len(os.sched_getaffinity(0)), MAXIMUM_THREADS, len(values))
    if threads < 2:
        return [function(value) for value in values]
    size = max(1, len(values) // (threads * _BLOCKS))
    blocks = [values[start : start + size] for start in range(0, len(values), size)]
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(lambda block: [function(value) for value in block], blocks)
        return [result for of_block in done for result in of_block]
