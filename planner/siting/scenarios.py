"""How a plan fares when demand is not what was seen: more or less in all, or of one part."""

from __future__ import annotations

import logging
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from planner.errors import SettingsError
from planner.locate.covering.scenarios import solve_scenarios
from planner.locate.problem import rows_covered
from planner.siting.case import district_rows, make_case, plan_columns, price_columns
from planner.siting.rank import daypart_names
from planner.siting.stability import share_near
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import geopandas as gpd

    from planner.siting.case import Case
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
_PROVEN = 1e-9  # the smallest gap that floating point can tell from none


class Scenario(NamedTuple):
    """One part of demand that grows or falls.

    Attributes
    ----------
    kind
        ``all``, ``type``, ``district`` or ``daypart``.
    name
        Of the worker type, district or daypart; empty of all.
    part
        Shape (demand,): the weight that changes.
    """

    kind: str
    name: str
    part: np.ndarray


def measure_scenarios(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    change: float = 0.2,
    districts: Sequence[str] | np.ndarray | None = None,
    min_spacing_m: float = 0.0,
    cost: Mapping[str, float] | None = None,
    budget: float | None = None,
    gap: float = 1e-4,
    on_step: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Tell what a plan covers if some demand grows or falls, and what a plan made for that would.

    Parameters
    ----------
    reach, demand, candidates, districts, min_spacing_m, cost, budget, gap
        As in `choose_stations`; also read of `demand`: ``weight_type_<worker type>``.
    sites
        The plan, as `choose_stations` returns it: by the model ``mclp``, without a floor.
    change
        More than 0 and less than 1: by how much of itself each part grows, and falls.
    on_step
        Called with (scenarios done, scenarios).

    Returns
    -------
    pandas.DataFrame
        `scenarios`, index `scenario_id`: `kind` (``all``, ``type``, ``district``, ``daypart``),
        `name`, `change` (± `change`), `covered_share` (of the plan), `best_share` (of the best
        choice found for the scenario, as many stations), `bound_share` (proven: no choice covers
        more), `regret` = best - covered, and `status` (``optimal`` where the best is proven). A
        kind of which only one name occurs is left out.
        ``attrs["scenarios"]`` = ``{change, worst, safe}``: the row, with its identifier, in which
        the plan covers least (of equals the one of most regret), and the sites (`site_id`) that the
        best choice of every scenario holds, or a candidate within 300 m of them.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or they do not belong together.
    SettingsError
        A number is out of range, or the plan is not one of coverage alone.

    Notes
    -----
    The regret of a decision is what it loses against the best one had the future been known
    (Savage 1951, "The theory of statistical decision"; for siting: Snyder 2006, "Facility location
    under uncertainty: a review"). Demand that grows everywhere alike changes no share: that row
    says so.
    """
    began = perf_counter()
    note = dict(sites.attrs.get("siting", {}))
    _check(change, note)
    case = make_case(reach, demand, candidates, min_spacing_m)
    plan = plan_columns(case, sites)
    parts = list(_scenarios(case, district_rows(case, demand, districts)))
    asked = [(s, sign * change) for s in parts for sign in (1.0, -1.0)]
    weights = np.array([np.maximum(case.weight + by * s.part, 0.0) for s, by in asked])
    first = plan[: note.get("required", 0) + note.get("informal_first", 0)]
    solved = solve_scenarios(
        case.cover, weights, max(note.get("count", 0), len(plan), 1), xy=case.xy,
        existing=case.existing, required=first, cost=price_columns(case, cost), budget=budget,
        conflicts=case.conflicts, start=plan, gap=gap, on_step=on_step,
    )  # fmt: skip
    kept = rows_covered(case.cover, np.append(case.existing, np.array(plan, dtype=np.int64)))
    total = np.array([math.fsum(row) for row in weights])
    covered = np.array([math.fsum(row[kept]) for row in weights]) / total
    best = np.maximum(np.minimum(1.0, solved.objective / total), covered)
    bound = np.maximum(np.minimum(1.0, solved.bound / total), best)
    table = pd.DataFrame(
        {
            "kind": [s.kind for s, _ in asked],
            "name": [s.name for s, _ in asked],
            "change": [by for _, by in asked],
            "covered_share": covered,
            "best_share": best,
            "bound_share": bound,
            "regret": best - covered,
            "status": np.where(best >= (1 - max(gap, _PROVEN)) * bound, "optimal", "feasible"),
        },
        index=pd.Index([f"sc{k + 1:02d}" for k in range(len(asked))], name="scenario_id"),
    )
    near = share_near(case.xy, plan, solved.chosen) if plan else np.empty(0)
    ranked = sites.sort_values("rank").index
    table.attrs = {
        "scenarios": {
            "change": float(change),
            "worst": _worst(table),
            "safe": [str(i) for i, share in zip(ranked, near, strict=True) if share >= 1.0],
        }
    }
    check_table(table, "scenarios")
    _LOG.info("scenarios: %d, %.1f s", len(table), perf_counter() - began)
    return table


def _check(change: float, note: Mapping[str, Any]) -> None:
    if not 0 < change < 1:
        raise SettingsError(f"`change` must be more than 0 and less than 1. Got {change}.")
    if note.get("model", "mclp") != "mclp" or note.get("min_district_share"):
        raise SettingsError(
            "scenarios are measured of plans by the model mclp without a floor, since only there "
            "coverage alone decides. Leave out `min_district_share`, or the scenarios."
        )


def _scenarios(case: Case, district: np.ndarray | None) -> Iterator[Scenario]:
    """Yield what may grow or fall: all, then each worker type, district and daypart."""
    yield Scenario("all", "", case.weight)
    columns = [str(c) for c in case.demand.columns]
    prefix = "weight_type_"
    types = [c.removeprefix(prefix) for c in columns if c.startswith(prefix)]
    dayparts = daypart_names(case.demand)
    families = [
        ("type", {n: case.demand[f"{prefix}{n}"].to_numpy(float) for n in sorted(types)}),
        ("district", _by_district(case, district)),
        ("daypart", {n: case.demand[f"weight_{n}"].to_numpy(float) for n in dayparts}),
    ]
    for kind, parts in families:
        there = {name: part for name, part in parts.items() if part.sum() > 0}
        if len(there) > 1:
            yield from (Scenario(kind, name, part) for name, part in there.items())


def _by_district(case: Case, district: np.ndarray | None) -> dict[str, np.ndarray]:
    if district is None:
        return {}
    known = sorted({str(name) for name in district if isinstance(name, str) and name})
    return {name: np.where(district == name, case.weight, 0.0) for name in known}


def _worst(table: pd.DataFrame) -> dict[str, Any]:
    """Return the row in which the plan covers least; of equals the one of most regret."""
    order = np.lexsort((-table["regret"].to_numpy(), table["covered_share"].to_numpy()))
    row = table.iloc[order[0]]
    return {"scenario_id": str(table.index[order[0]]), **row.to_dict()}
