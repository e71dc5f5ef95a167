"""Which figures may be shown: those with k distinct workers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLUR = 0.05  # of the smallest shown figure: what rounding may take from it (guess)


def count_workers(slot: np.ndarray, rider: np.ndarray, slots: int) -> list[int]:
    """Count the distinct riders of each slot 0..slots-1.

    Parameters
    ----------
    slot, rider
        Shape (n,), integers.
    slots
        How many there are.

    Examples
    --------
    >>> count_workers(np.array([0, 0, 2]), np.array([7, 7, 1]), 3)
    [1, 0, 1]
    """
    if not len(slot):
        return [0] * slots
    riders = int(rider.max()) + 1
    pair = pd.unique(slot.astype(np.int64) * riders + rider)
    return np.bincount(pair // riders, minlength=slots).tolist()


def hide_small(values: Sequence[int], workers: Sequence[int], enough: int) -> list[int | None]:
    """Return the values, None for those that fewer than k workers are known behind.

    A published sum less what is shown would tell what is hidden. So what is shown is rounded until
    the rounding swallows the hidden; where that would take more than 5 % from the smallest shown
    value, that one is hidden too: what is left then tells of its workers as well. Zero is shown.

    Parameters
    ----------
    values
        Counts, one a slot.
    workers
        How many distinct workers are known behind each, at least.
    enough
        The privacy limit k.

    Examples
    --------
    >>> hide_small([50, 20, 3, 0], [9, 6, 2, 0], 5)
    [50, None, None, 0]
    >>> hide_small([26_658, 24_113, 30], [90, 80, 2], 5)
    [26700, 24100, None]
    """
    hidden = {i for i, v in enumerate(values) if v and workers[i] < enough}
    shown = [i for i, v in enumerate(values) if v and i not in hidden]
    unit = 1
    if hidden and shown:
        unit = _unit(sum(values[i] for i in hidden))
        least = min(shown, key=lambda i: (values[i], i))
        if unit > _BLUR * values[least]:
            hidden.add(least)
            unit = 1
    return [None if i in hidden else (v + unit // 2) // unit * unit for i, v in enumerate(values)]


def _unit(hidden: int) -> int:
    """Return the power of ten, at least twice what is hidden."""
    unit = 10
    while unit < 2 * hidden:
        unit *= 10
    return unit
