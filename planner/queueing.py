"""Erlang's loss formula: how many bays keep arrivals from finding none free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError, SettingsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def erlang_b(servers: ArrayLike, load: ArrayLike) -> np.ndarray:
    r"""Return the share of arrivals that find all servers busy and leave.

    Parameters
    ----------
    servers
        Number of servers (bays), whole, ≥ 0; broadcast against `load`.
    load
        Offered load in erlangs, ≥ 0: arrivals per hour × mean dwell in hours.

    Returns
    -------
    numpy.ndarray
        Blocked share, 0..1, of the broadcast shape.

    Raises
    ------
    InputError
        `servers` or `load` is negative, not finite, or `servers` is not whole.

    Notes
    -----
    For Poisson arrivals, any distribution of dwell with a finite mean, *n* servers and no waiting
    room (M/G/n/n), the blocked share is

    .. math:: B(n, a) = \frac{a^n / n!}{\sum_{k=0}^{n} a^k / k!}

    with *a* the offered load. It is computed by the recursion
    :math:`B(0, a) = 1,\; B(n, a) = a B(n-1, a) / (n + a B(n-1, a))`, whose terms never leave
    0..1, so nothing overflows.

    Source: A. K. Erlang (1917), “Solution of some problems in the theory of probabilities of
    significance in automatic telephone exchanges”, Elektroteknikeren 13. That the distribution of
    dwell does not matter: B. A. Sevastyanov (1957), Theory of Probability and its Applications 2.

    Examples
    --------
    Two bays offered one erlang (12 arrivals an hour of 5 min each) turn away one in five:

    >>> round(float(erlang_b(2, 1.0)), 6)
    0.2
    >>> erlang_b([5, 10, 10], [3.0, 5.0, 0.0]).round(4).tolist()
    [0.1101, 0.0184, 0.0]
    """
    count, load = np.broadcast_arrays(np.asarray(servers), _checked_load(load))
    if not np.all(np.isfinite(count) & (count >= 0) & (count == np.floor(count))):
        raise InputError("`servers` must be whole numbers of at least 0. Round them up.")
    blocked = np.ones(load.shape)
    for n in range(1, int(count.max(initial=0)) + 1):
        step = load * blocked
        blocked = np.where(n <= count, step / (n + step), blocked)
    return blocked


def bays_needed(load: ArrayLike, max_blocking: float) -> np.ndarray:
    """Return the smallest number of bays that turns away at most `max_blocking` of the arrivals.

    Parameters
    ----------
    load
        Offered load in erlangs, ≥ 0: arrivals per hour × mean dwell in hours.
    max_blocking
        Share of arrivals that may find no bay, between 0 and 1, both excluded.

    Returns
    -------
    numpy.ndarray
        int64, of the shape of `load`; at least 1, since without a bay every arrival is lost.

    Raises
    ------
    InputError
        `load` is negative or not finite.
    SettingsError
        `max_blocking` is not between 0 and 1.

    Notes
    -----
    The inverse of `erlang_b`, which falls strictly with the number of servers: the recursion is
    followed until it passes under the limit.

    Examples
    --------
    The printed tables give 1.361 erlangs for 5 servers and 4.461 for 10, at 1 % blocking:

    >>> bays_needed([1.360, 1.362, 4.460, 4.462], 0.01).tolist()
    [5, 6, 10, 11]
    """
    if not 0 < max_blocking < 1:
        raise SettingsError(
            f"The `max_blocking` setting must lie between 0 and 1. Got {max_blocking}. "
            "5 % is written 0.05."
        )
    load = _checked_load(load)
    blocked = np.ones(load.shape)
    needed = np.zeros(load.shape, dtype=np.int64)
    n = 0
    while np.any(busy := blocked > max_blocking):
        n += 1
        step = load * blocked
        needed = np.where(busy, n, needed)
        blocked = np.where(busy, step / (n + step), blocked)
    return needed


def _checked_load(load: ArrayLike) -> np.ndarray:
    """Offered load as floats, refused where it cannot be one."""
    values = np.asarray(load, dtype=float)
    if not np.all(np.isfinite(values) & (values >= 0)):
        raise InputError(
            "`load` must be finite and at least 0 erlangs. "
            "It is arrivals per hour × mean dwell in hours."
        )
    return values
