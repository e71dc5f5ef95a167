"""What planners decided on sites, kept from run to run: rejected, agreed, opened, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.siting.locks import lock_and_ban
from planner.siting.matching import match_register
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OUTCOMES = ("rejected", "agreed", "opened", "kept", "waiting", "unmatched")
_KINDS = ("host", "hotspot", "corner", "street")


class Settled(NamedTuple):
    """Candidates after what was decided.

    Attributes
    ----------
    candidates
        Without those that are rejected or forbidden, with agreed places that were none of them.
    required
        Identifiers of those that open in any case, in their order.
    register
        `register` table with `matched_id` and `match`; None where there is none.
    """

    candidates: gpd.GeoDataFrame
    required: list[str]
    register: gpd.GeoDataFrame | None


def settle_sites(
    candidates: gpd.GeoDataFrame,
    register: gpd.GeoDataFrame | None,
    *,
    required: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    count: int | None = None,
    min_spacing_m: float = 0.0,
    new_hours: str = "00:00-24:00",
) -> Settled:
    """Apply a register of sites, and what the study requires and forbids, to the candidates.

    Parameters
    ----------
    candidates
        `candidates` table.
    register
        `register` table in the same CRS; None for none. A site is known again by rules in this
        order: the candidate's number (within 30 m, or the same premises), a candidate within 30 m,
        premises of the same name. Rejected ones are taken off the table, agreed ones open first,
        in the register's order after `required`; an agreed place that is no candidate becomes one.
        Candidates where a station has opened are taken off too.
    required, forbidden
        As in `choose_stations`.
    count
        How many may open; None for any number.
    min_spacing_m
        As in `choose_stations`.
    new_hours
        Hours of an agreed place that becomes a candidate, where it has none.

    Raises
    ------
    SettingsError
        As `lock_and_ban`.
    InputError
        More sites are agreed than may open, two of them stand too close, one is forbidden, a
        rejected one is required, or an agreed one can be found nowhere; with file, row and remedy.
    """
    if register is None:
        return Settled(*lock_and_ban(candidates, required, forbidden), None)
    check_table(register, "register")
    found = match_register(register, candidates)
    register = register.assign(
        matched_id=[ids[0] if ids else None for ids in found.ids], match=found.rule
    )
    candidates, register = _add_agreed(candidates, register, new_hours)
    _refuse_opened(register, required, forbidden)
    offered, locked = lock_and_ban(candidates, required, forbidden)
    agreed = register[register["status"] == "agreed"]
    _refuse_contradictions(register, found.ids, offered, locked)
    order = list(dict.fromkeys([*locked, *agreed["matched_id"]]))
    _refuse_too_many(agreed, order, count)
    _refuse_too_close(agreed, offered, min_spacing_m)
    gone = register["status"].isin(["rejected", "opened"])
    off = {i for ids, is_gone in zip(found.ids, gone, strict=True) if is_gone for i in ids}
    return Settled(offered.drop(index=off & set(offered.index)), order, register)


def note_sites(
    sites: gpd.GeoDataFrame, settled: Settled, *, file: str = ""
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Give recommended sites their status, owner and note, and tell what became of every row.

    Parameters
    ----------
    sites
        `sites` table, chosen from `settled.candidates`.
    settled
        From `settle_sites`.
    file
        What the register is called in ``attrs["siting"]["register"]``.

    Returns
    -------
    sites, register
        `sites` with `status`, `owner` and `note` (``proposed`` and empty where nothing is known),
        ``attrs["siting"]["register"]`` = ``{file, rows, rejected, agreed, opened, kept, waiting,
        unmatched, matched_by}`` if there is a register; and the register with `site_id` and
        `outcome`: each of its rows is one of the sites, or has no `site_id`.
    """
    register = settled.register
    noted = sites.assign(status="proposed", owner="", note="")
    noted.attrs = dict(sites.attrs)
    if register is None:
        return _ordered(noted), None
    site_of = dict(zip(sites["candidate_id"], sites.index, strict=True))
    live = register["status"].isin(["proposed", "surveyed", "agreed"])
    site_id = register["matched_id"].map(site_of).where(live, None).astype(object)
    site_id = site_id.where(site_id.notna(), None)
    register = register.assign(site_id=site_id, outcome=_outcomes(register, site_id))
    told = register[site_id.notna()].set_index("site_id")
    for column in ("status", "owner", "note"):
        noted.loc[told.index, column] = told[column]
    rules = register.loc[register["match"] != "", "match"].value_counts()
    counts = register["outcome"].value_counts()
    noted.attrs["siting"] = {
        **noted.attrs.get("siting", {}),
        "register": {
            "file": file,
            "rows": len(register),
            **{name: int(counts.get(name, 0)) for name in OUTCOMES},
            "matched_by": {r: int(rules.get(r, 0)) for r in ("id", "place", "name", "added")},
        },
    }
    check_table(register, "register")
    return _ordered(noted), register


def _ordered(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the sites with the geometry last, as all tables have it."""
    columns = [c for c in sites.columns if c != "geometry"]
    return sites[[*columns, "geometry"]]


def _outcomes(register: gpd.GeoDataFrame, site_id: pd.Series) -> list[str]:
    return [
        status if status in ("agreed", "opened") else
        "unmatched" if not match else
        status if status == "rejected" else
        "kept" if site is not None else "waiting"
        for status, match, site in zip(
            register["status"], register["match"], site_id, strict=True
        )
    ]  # fmt: skip


def _add_agreed(
    candidates: gpd.GeoDataFrame, register: gpd.GeoDataFrame, new_hours: str
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Offer the agreed places that are none of the candidates."""
    lost = register[(register["status"] == "agreed") & (register["match"] == "")]
    if lost.empty:
        return candidates, register
    nowhere = lost[lost.geometry.isna()]
    if len(nowhere):
        raise _wrong(
            nowhere.iloc[0],
            f"the host of {_name(nowhere.iloc[0])} has agreed, but it is none of the candidates "
            "and its row has no coordinates. Fill in longitude and latitude.",
        )
    taken, ids = set(candidates.index), []
    for _, row in lost.iterrows():
        stem = row["candidate_id"] or f"host:{row['name'] or row.name}"
        ids.append(_unused(stem, taken))
        taken.add(ids[-1])
    kind = [i.split(":")[0] if i.split(":")[0] in _KINDS else "host" for i in ids]
    is_host = [k == "host" for k in kind]
    name = [row["name"] or row["host_name"] or i for (_, row), i in zip(lost.iterrows(), ids,
                                                                        strict=True)]  # fmt: skip
    host = [(row["host_name"] or n) if h else None
            for (_, row), n, h in zip(lost.iterrows(), name, is_host, strict=True)]  # fmt: skip
    fresh: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "action": ["activate" if h else "build" for h in is_host],
        "host_name": host,
        "hours": lost["hours"].mask(lost["hours"] == "", new_hours).to_numpy(),
    }
    if "informal_rest_per_day" in candidates.columns:
        fresh["informal_rest_per_day"] = 0.0
    index = pd.Index(ids, name=candidates.index.name)
    added = gpd.GeoDataFrame(fresh, geometry=lost.geometry.values, index=index, crs=register.crs)
    whole = gpd.GeoDataFrame(pd.concat([candidates, added.to_crs(candidates.crs)]))
    whole.attrs = dict(candidates.attrs)
    register = register.copy()
    register.loc[lost.index, "matched_id"] = ids
    register.loc[lost.index, "match"] = "added"
    return whole, register


def _unused(stem: str, taken: set[str]) -> str:
    """Return an identifier that no candidate has."""
    found, number = stem, 1
    while found in taken:
        number += 1
        found = f"{stem}#{number}"
    return found


def _refuse_opened(
    register: gpd.GeoDataFrame, required: Iterable[str], forbidden: Iterable[str]
) -> None:
    """Refuse a station that has opened and is still required or forbidden."""
    for what, named in (("required", required), ("forbidden", forbidden)):
        names = {str(n).strip() for n in named}
        for _, row in register[register["status"] == "opened"].iterrows():
            if names & {row["candidate_id"], row["name"]} - {""}:
                raise _wrong(
                    row,
                    f"{_name(row)} has opened, and `siting.{what}` still names it. Take it out "
                    "there.",
                )


def _refuse_contradictions(
    register: gpd.GeoDataFrame,
    ids: Sequence[Sequence[str]],
    offered: gpd.GeoDataFrame,
    locked: Iterable[str],
) -> None:
    """Refuse an agreed site that is forbidden, and a rejected one that is required."""
    locked = set(locked)
    for (_, row), found in zip(register.iterrows(), ids, strict=True):
        if row["status"] == "agreed" and row["matched_id"] not in offered.index:
            raise _wrong(
                row,
                f"the host of {_name(row)} has agreed, but `siting.forbidden` names it. Take it "
                "out there, or set its status to rejected.",
            )
        if row["status"] == "rejected" and locked & set(found):
            raise _wrong(
                row,
                f"{_name(row)} is rejected, but `siting.required` names it. Take it out there, or "
                "give it another status.",
            )


def _refuse_too_many(agreed: gpd.GeoDataFrame, order: Sequence[str], count: int | None) -> None:
    if count is None or len(order) <= count:
        return
    others = len(order) - len(set(agreed["matched_id"]))
    beside = f" beside the {others} of `siting.required`" if others else ""
    row = agreed.iloc[max(count - others, 0) if others < count else 0]
    raise _wrong(
        row,
        f"{len(agreed)} sites are agreed{beside}, but `siting.count` is {count}. Raise it to at "
        f"least {len(order)}, or set sites that are to wait back to surveyed.",
    )


def _refuse_too_close(
    agreed: gpd.GeoDataFrame, offered: gpd.GeoDataFrame, min_spacing_m: float
) -> None:
    """Refuse two agreed sites that break the spacing."""
    if min_spacing_m <= 0 or len(agreed) < 2:
        return
    points = offered.geometry.loc[agreed["matched_id"]]
    x, y = points.x.to_numpy(), points.y.to_numpy()
    for k in range(1, len(agreed)):
        apart = np.hypot(x[:k] - x[k], y[:k] - y[k])
        if (apart < min_spacing_m).any():
            other = agreed.iloc[int((apart < min_spacing_m).argmax())]
            raise _wrong(
                agreed.iloc[k],
                f"{_name(agreed.iloc[k])} and {_name(other)} (row {other['row']}) are both agreed "
                f"and stand {apart.min():.0f} m apart, under `siting.min_spacing_m`. Lower that, "
                "or set one of them back to surveyed.",
            )


def _name(row: pd.Series) -> str:
    return repr(str(row["name"] or row["host_name"] or row["candidate_id"]))


def _wrong(row: pd.Series, message: str) -> InputError:
    return InputError(message, file=row["part"], row=int(row["row"]), column="status")
