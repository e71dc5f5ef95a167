"""How evenly districts are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def measure_equity(coverage: pd.DataFrame) -> dict[str, Any]:
    r"""Return how unequal the districts' covered shares are, and the worst served district.

    Parameters
    ----------
    coverage
        What `measure_coverage` returned with an `area`. Columns read: `scope`, `name`,
        `weight_per_day`, `covered_share`.

    Returns
    -------
    dict
        ``gini`` (0 all districts alike, towards 1 all coverage in one), ``worst_district`` (its
        name; of equals the first) and ``worst_share`` (0..1). All None where no district holds
        demand. Districts without demand do not count.

    Notes
    -----
    The Gini coefficient of the covered shares :math:`x_i` of districts *i*, weighted by their
    demand :math:`w_i` (half the mean absolute difference over the mean):

    .. math:: G = \frac{\sum_i \sum_j w_i w_j |x_i - x_j|}{2 \bar{x} (\sum_i w_i)^2},
       \quad \bar{x} = \frac{\sum_i w_i x_i}{\sum_i w_i}

    and 0 where nothing at all is covered. Sources: C. Gini (1912), Variabilità e mutabilità;
    weighted form R. Lerman and S. Yitzhaki (1989), “Improving the accuracy of estimates of Gini
    coefficients”, Journal of Econometrics 42; as a measure of fair location T. Drezner,
    Z. Drezner and J. Guyse (2009), “Equitable service by a facility: minimizing the Gini
    coefficient of service distances”, Computers & Operations Research 36.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"scope": "district", "name": ["A", "B"],
    ...     "weight_per_day": [30.0, 10.0], "covered_share": [0.9, 0.1]})
    >>> equity = measure_equity(table)
    >>> round(equity["gini"], 4), equity["worst_district"], float(equity["worst_share"])
    (0.2143, 'B', 0.1)
    """
    districts = coverage[(coverage["scope"] == "district") & (coverage["weight_per_day"] > 0)]
    if districts.empty:
        return {"gini": None, "worst_district": None, "worst_share": None}
    share = districts["covered_share"].to_numpy(dtype=float)
    weight = districts["weight_per_day"].to_numpy(dtype=float)
    weight = weight / weight.sum()
    mean = weight @ share
    spread = weight @ np.abs(share[:, None] - share[None, :]) @ weight
    worst = int(share.argmin())
    return {
        "gini": float(spread / (2 * mean)) if mean > 0 else 0.0,
        "worst_district": str(districts["name"].iloc[worst]),
        "worst_share": float(share[worst]),
    }
