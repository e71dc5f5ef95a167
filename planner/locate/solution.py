"""What a location model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from scipy import sparse


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
    """

    chosen: np.ndarray
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    model: str
    seconds: float
    assignment: sparse.csr_array | None = None

    def _repr_html_(self) -> str:
        """Return one line for a notebook."""
        return (
            f"<b>{self.model}</b>: {len(self.chosen)} chosen · objective {self.objective:,.6g} · "
            f"bound {self.bound:,.6g} · gap {self.gap:.2%} · {self.status} · {self.seconds:.1f} s"
        )
