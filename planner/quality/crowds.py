"""Which figures may be shown: those with k distinct workers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T", int, float)


def crowds_of(slot: np.ndarray, rider: np.ndarray, slots: int) -> list[np.ndarray]:
    """Return the distinct riders of each slot 0..slots-1, ascending.

    Parameters
    ----------
    slot, rider
        Shape (n,), integers.
    slots
        How many there are.

    Examples
    --------
    >>> [c.tolist() for c in crowds_of(np.array([0, 0, 2]), np.array([7, 7, 1]), 3)]
    [[7], [], [1]]
    """
    pair = np.unique(np.column_stack([slot, rider]), axis=0)
    return np.split(pair[:, 1], np.searchsorted(pair[:, 0], np.arange(1, slots)))


def hide_small(values: Sequence[T], crowds: Sequence[np.ndarray], enough: int) -> list[T | None]:
    """Return the values, None for those that fewer than k workers stand behind.

    Where the hidden ones together have fewer than k workers, the next smallest is hidden as well:
    a published sum less what is shown would else tell what is hidden. A value of 0 is shown.

    Parameters
    ----------
    values
        One a slot.
    crowds
        The distinct workers known behind each.
    enough
        The privacy limit k.

    Examples
    --------
    >>> hide_small([50, 20, 3, 0], [np.arange(9), np.arange(6), np.arange(2), np.arange(0)], 5)
    [50, None, None, 0]
    """
    hidden = {i for i, v in enumerate(values) if v and len(crowds[i]) < enough}
    others = sorted(
        (i for i, v in enumerate(values) if v and i not in hidden),
        key=lambda i: (len(crowds[i]), values[i], i),
        reverse=True,
    )
    while hidden and others and len(_together(crowds, hidden)) < enough:
        hidden.add(others.pop())
    return [None if i in hidden else v for i, v in enumerate(values)]


def _together(crowds: Sequence[np.ndarray], slots: set[int]) -> np.ndarray:
    return np.unique(np.concatenate([crowds[i] for i in sorted(slots)]))
