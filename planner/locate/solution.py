"""What a location model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy import sparse

# The smallest gap that floating point can tell from none.
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Solution:
    """Chosen candidates, and how good they provably are.

    Attributes
    ----------
    chosen
        Shape (count,), int64, sorted columns.
    objective
        What they reach, in the unit of the weights, existing facilities included; or what they
        cost, where we minimise.
    bound
        A proven limit on what any choice can reach: never under `objective` where we maximise,
        never over it where we minimise.
    gap
        ``(bound - objective) / bound`` where we maximise, ``(objective - bound) / objective``
        where we minimise, 0..1.
    status
        ``optimal`` only when the gap is proven to be within what was asked, else ``feasible``.
    model
        Which model, e.g. ``mclp``.
    seconds
        Wall time.
    assignment
        CSR, demand × candidates: the weight of each demand that each facility serves, where the
        model has capacities; else None.
    travel_gap
        By how much at most the travel of the assignment is above the least of all that serve as
        much, relative, 0..1.
    """

    chosen: np.ndarray
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    model: str
    seconds: float
    assignment: sparse.csr_array | None = None
    travel_gap: float = 0.0

    def _repr_html_(self) -> str:
        """Return one line for a notebook."""
        return (
            f"<b>{self.model}</b>: {len(self.chosen)} chosen · objective {self.objective:,.6g} · "
            f"bound {self.bound:,.6g} · gap {self.gap:.2%} · {self.status} · {self.seconds:.1f} s"
        )


def at_most(
    chosen: np.ndarray,
    objective: float,
    bound: float,
    *,
    gap: float,
    model: str,
    seconds: float,
    assignment: sparse.csr_array | None = None,
) -> Solution:
    """Return the solution of a model that maximises; the status follows from the `gap` allowed."""
    bound = max(objective, bound)
    distance = (bound - objective) / bound if bound > 0 else 0.0
    status = _status(distance, gap)
    chosen = chosen.astype(np.int64)
    return Solution(chosen, objective, bound, distance, status, model, seconds, assignment)


def at_least(
    chosen: np.ndarray, objective: float, bound: float, *, gap: float, model: str, seconds: float
) -> Solution:
    """Return the solution of a model that minimises; the status follows from the `gap` allowed."""
    bound = min(objective, bound)
    distance = (objective - bound) / objective if objective > 0 else 0.0
    status = _status(distance, gap)
    return Solution(chosen.astype(np.int64), objective, bound, distance, status, model, seconds)


def _status(distance: float, gap: float) -> Literal["optimal", "feasible"]:
    return "optimal" if distance <= max(gap, TOLERANCE) else "feasible"


def tell(on_step: Callable[[int, int], None] | None, done: int, total: int) -> None:
    """Tell how far a run is."""
    if on_step is not None:
        on_step(done, total)
