"""Rows in, rows out, and what became of the rest: every row lost is counted once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from planner.tables import Loss, check_table, no_rows_left, record_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import geopandas as gpd

    from planner.load.source import Source

log = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A reason to leave rows out."""

    reason: str
    rows: np.ndarray  # shape (n,) bool
    show: Callable[[int], str]  # what to show of the row at a position


def sift(count: int, faults: Iterable[Fault]) -> tuple[np.ndarray, list[Loss]]:
    """Return which of `count` rows stay, and the losses; a row is lost to its first fault only.

    Examples
    --------
    >>> low = Fault("low", np.array([True, False, False]), lambda i: f"row {i}")
    >>> odd = Fault("odd", np.array([True, False, True]), lambda i: f"row {i}")
    >>> kept, losses = sift(3, [low, odd])
    >>> kept.tolist(), losses
    ([False, True, False], [Loss(reason='low', rows=1, example='row 0'),
                            Loss(reason='odd', rows=1, example='row 2')])
    """
    kept = np.ones(count, dtype=bool)
    losses: list[Loss] = []
    for fault in faults:
        lost = kept & fault.rows
        number = int(lost.sum())
        if number:
            kept &= ~lost
            losses.append(Loss(fault.reason, number, fault.show(int(np.argmax(lost)))))
    return kept, losses


def finish(
    table: gpd.GeoDataFrame,
    name: str,
    source: Source,
    losses: Sequence[Loss],
    *,
    rows: int | None = None,
    notes: Mapping[str, Any] | None = None,
) -> gpd.GeoDataFrame:
    """Return a read table with its provenance, checked against its declaration.

    ``attrs["input"]`` is what `planner.tables.record_input` writes and, if there is anything to
    say, ``notes``: {what was assumed or repaired: rows}.

    Raises
    ------
    InputError
        No row is left; the message lists the losses.
    """
    rows = len(source) if rows is None else rows
    if table.empty:
        raise no_rows_left(rows, losses, file=source.path)
    record_input(table, file=source.path.name, rows=rows, losses=losses, sha256=source.sha256)
    said = {what: n for what, n in (notes or {}).items() if n}
    if said:
        table.attrs["input"]["notes"] = said
    check_table(table, name, file=source.path)
    log.info("%s: %d rows in, %d kept (%s)", name, rows, len(table), source.path.name)
    return table


def make_ids(wanted: Sequence[str], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return distinct identifiers: a repeated one is numbered, by place and not by row.

    Parameters
    ----------
    wanted
        Shape (n,), none of them empty.
    x, y
        Shape (n,), metres; they order rows that want the same identifier.

    Examples
    --------
    >>> make_ids(["a", "b", "a"], np.array([5.0, 0, 1]), np.zeros(3)).tolist()
    ['a#2', 'b', 'a']
    """
    ids = pd.Series(list(wanted), dtype=object)
    taken = set(ids)
    order = pd.DataFrame({"id": ids, "x": x, "y": y}).sort_values(["id", "x", "y"], kind="stable")
    place = order.groupby("id").cumcount().sort_index()
    for position in np.flatnonzero(place.to_numpy()).tolist():
        number = int(place[position]) + 1
        name = ids[position]
        while f"{name}#{number}" in taken:
            number += 1
        ids[position] = f"{name}#{number}"
        taken.add(ids[position])
    return ids.to_numpy()


def natural_order(ids: Iterable[str]) -> np.ndarray:
    """Return the positions that sort identifiers as people do: ``2`` before ``10``.

    Examples
    --------
    >>> natural_order(["10", "2", "b"]).tolist()
    [1, 0, 2]
    """
    keys = pd.Series(list(ids), dtype=str).str.replace(r"\d+", lambda m: m[0].zfill(20), regex=True)
    return np.argsort(keys.to_numpy(dtype=object), kind="stable")
