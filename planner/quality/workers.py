"""Who is in the sample: workers seen by type, against those registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def measure_workers(
    visits: pd.DataFrame,
    account: Mapping[str, Any],
    *,
    registered: Mapping[str, float],
    min_workers: int,
) -> dict[str, Any]:
    """Count the distinct workers of each type, and what share of the registered they are.

    Parameters
    ----------
    visits
        What is counted as a visit; columns read where there: `rider_id`, `worker_type`.
    account
        What became of the fixes: ``workers_by_type`` where it is there, and ``workers_basis``.
    registered
        Type → registered workers.
    min_workers
        The privacy limit k.

    Returns
    -------
    dict
        ``basis`` (``riders``, ``orders`` where every order counts as a person, ``unknown`` for
        counts), ``types`` [{worker_type, workers, registered, share}] and ``hidden_types``: those
        under k workers, and the next smallest with them until all hidden together have k. Share and
        workers are None there; share also where nobody is registered.
    """
    basis = str(account.get("workers_basis", "riders"))
    seen = account.get("workers_by_type")
    if seen is None and "rider_id" in visits:
        seen = visits.groupby("worker_type")["rider_id"].nunique().to_dict()
    if not seen:
        return {"basis": "unknown", "types": [], "hidden_types": []}
    counts = {str(kind): int(n) for kind, n in seen.items()}
    counts |= {str(kind): 0 for kind in registered if kind not in counts}
    hidden = _hidden(counts, min_workers)
    types = [
        {
            "worker_type": kind,
            "workers": None if kind in hidden else n,
            "registered": registered.get(kind),
            "share": _share(n, registered.get(kind))
            if kind not in hidden and basis == "riders"
            else None,
        }
        for kind, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return {"basis": basis, "types": types, "hidden_types": sorted(hidden)}


def _hidden(counts: Mapping[str, int], enough: int) -> set[str]:
    """Return the types that may not be counted."""
    hidden = {kind for kind, n in counts.items() if 0 < n < enough}
    others = sorted((k for k in counts if counts[k] >= enough), key=lambda k: (-counts[k], k))
    while hidden and others and sum(counts[k] for k in hidden) < enough:
        hidden.add(others.pop())
    return hidden


def _share(seen: int, registered: float | None) -> float | None:
    return round(seen / registered, 4) if registered else None
