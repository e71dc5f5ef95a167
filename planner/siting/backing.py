"""What a second station brings, and how near the first one is: measures of two models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.i18n import translator
from planner.locate.backup.model import count_covers
from planner.locate.covering.gradual import covered_shares, row_maximum
from planner.siting.why import digits

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.siting.case import Case


def measure_backing(case: Case, chosen: np.ndarray) -> dict[str, float]:
    """Return the share of the demand with two stations within reach, today and with the chosen."""
    matrix, total = case.cover.tocsc(), math.fsum(case.weight)
    sides = {"backed_share_before": case.existing, "backed_share": np.append(case.existing, chosen)}
    return {
        name: math.fsum(case.weight[count_covers(matrix, opened) >= 2]) / total
        for name, opened in sides.items()
    }


def measure_gradual(case: Case, chosen: np.ndarray, full_min: float, limit_min: float) -> float:
    """Return the gradual share: demand by how near its best station is."""
    shares = covered_shares(case.cover, full_min=full_min, limit_min=limit_min)
    best = row_maximum(shares, np.append(case.existing, chosen))
    return math.fsum(case.weight * best) / math.fsum(case.weight)


def add_backing(sites: gpd.GeoDataFrame, case: Case, language: str) -> gpd.GeoDataFrame:
    """Say of each site, by rank, for whom it is the second station within reach.

    Returns
    -------
    geopandas.GeoDataFrame
        The sites with the column `backed_per_day`, rider-visits, and that told in `why`.
    """
    matrix, t = case.cover.tocsc(), translator(language)
    times, backed = count_covers(matrix, case.existing), []
    for column in case.candidates.index.get_indexer(sites["candidate_id"]):
        rows = matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]]
        backed.append(math.fsum(case.weight[rows[times[rows] == 1]]))
        times[rows] += 1
    words = [
        t(" For {visits} rider-visits a day it is the second station.", visits=digits(number))
        if number > 0
        else ""
        for number in backed
    ]
    why = [said + more for said, more in zip(sites["why"], words, strict=True)]
    return sites.assign(backed_per_day=backed, why=why)
