"""The hexagons of demand on paper: reached today, gained by the plan, not reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from planner.report.figures import table
from planner.report.svg import REACHED, UNMET, area_path, element, group

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from planner.plan import Plan

# A hexagon with its point up has its corners at these steps of (half widths, half radii).
_CORNERS = np.array([(0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1)])
_HALF_RADIUS = 0.5 / np.sqrt(3.0)  # in widths


class Reached(NamedTuple):
    """Which demand points have a station within the limit; rows as in the demand table."""

    today: np.ndarray
    planned: np.ndarray


def who_is_reached(plan: Plan) -> Reached:
    """Return which demand points the stations of today, and those of the plan, reach."""
    reach, candidates = plan.reach, table(plan, "candidates")
    kept = candidates.index[candidates["action"] == "keep"]
    sites = table(plan, "sites")
    chosen = sites["candidate_id"] if len(sites) else []
    rows = reach.demand_id.get_indexer(table(plan, "demand").index)
    columns = [
        reach.facility_id.get_indexer(pd.Index(list(names), dtype=object))
        for names in (kept, chosen)
    ]
    today = reach.covered(columns[0][columns[0] >= 0])
    fresh = reach.covered(columns[1][columns[1] >= 0])
    return Reached((rows >= 0) & today[rows], (rows >= 0) & (today | fresh)[rows])


def unmet_breaks(weight: np.ndarray) -> np.ndarray:
    """Return four weights that part unmet demand into fifths of its sum, heaviest class last.

    Parameters
    ----------
    weight
        Shape (n,), the unmet demand of each cell today.

    Examples
    --------
    >>> unmet_breaks(np.array([1.0, 1, 1, 1, 1, 5, 10])).tolist()
    [1.0, 5.0, 10.0, 10.0]
    """
    if not len(weight):
        return np.zeros(len(UNMET) - 1)
    ordered = np.sort(weight)
    share = np.cumsum(ordered) / ordered.sum()
    steps = np.arange(1, len(UNMET)) / len(UNMET)
    return ordered[np.searchsorted(share, steps - 1e-12).clip(0, len(ordered) - 1)]


def draw_cells(
    plan: Plan, turn: Callable[[np.ndarray], np.ndarray], *, least_m: float = 0.0
) -> Markup:
    """Draw every demand point's cell: grey, hatched or purple by how much is not reached.

    Parameters
    ----------
    plan
        Its demand, reach, candidates and sites.
    turn
        From metres to the picture's units.
    least_m
        How wide a cell is drawn at least where most stand alone and would be lost on paper.
    """
    demand = table(plan, "demand")
    weight, reached = demand["weight_per_day"].to_numpy(dtype=float), who_is_reached(plan)
    breaks = unmet_breaks(weight[~reached.today])
    step = np.searchsorted(breaks, weight, side="left")
    layers = [(reached.today, REACHED)]
    layers += [(~reached.planned & (step == k), colour) for k, colour in enumerate(UNMET)]
    layers += [(reached.planned & ~reached.today, "url(#gained)")]
    parts = []
    for chosen, fill in layers:
        if chosen.any():
            shapes = turn(np.array([_merged_cells(plan, chosen, least_m)]))
            parts.append(element("path", d=area_path(shapes), fill=fill))
    return group(parts, fill_rule="evenodd")


def _merged_cells(plan: Plan, chosen: np.ndarray, least_m: float) -> shapely.Geometry:
    """Return the hexagons of the chosen rows as one shape in metres; neighbours share no seam.

    The corners lie on a grid of whole numbers, so that neighbours meet exactly.
    """
    whole_table = table(plan, "demand")
    demand, note = whole_table.loc[chosen], whole_table.attrs.get("demand", {})
    width = float(note.get("cell_m", plan.settings.demand.cell_m))
    row, col = demand["cell_row"].to_numpy(), demand["cell_col"].to_numpy()
    cells = np.unique(np.column_stack([2 * col + row % 2, 3 * row]), axis=0)
    size = max(1.0, least_m / width) if _mostly_alone(whole_table) else 1.0
    corners = cells[:, None, :] + size * _CORNERS[None, :, :]
    whole = shapely.union_all(shapely.polygons(corners))
    factor = np.array([0.5 * width, _HALF_RADIUS * width])
    origin = np.array([float(note.get("origin_x", 0.0)), float(note.get("origin_y", 0.0))])
    return shapely.transform(whole, lambda xy: xy * factor + origin)


def _mostly_alone(demand: pd.DataFrame) -> bool:
    """Tell whether most cells have no neighbour to their right: then they may be drawn larger."""
    cells = set(zip(demand["cell_row"], demand["cell_col"], strict=True))
    return sum((row, col + 1) in cells for row, col in cells) < 0.3 * len(cells)
