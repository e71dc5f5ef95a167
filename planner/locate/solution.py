"""What a location model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Solution:
    """Chosen candidates, and how good they provably are.

    Attributes
    ----------
    chosen
        Shape (count,), int64, sorted columns.
    objective
        What they reach, in the unit of the weights; existing facilities included.
    bound
        A proven limit on what any choice can reach; never under `objective` where we maximise.
    gap
        ``(bound - objective) / bound`` where we maximise, 0..1.
    status
        ``optimal`` only when the gap is proven to be within what was asked, else ``feasible``.
    model
        Which model, e.g. ``mclp``.
    seconds
        Wall time.
    """

    chosen: np.ndarray
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    model: str
    seconds: float

    def _repr_html_(self) -> str:
        """Return one line for a notebook."""
        return (
            f"<b>{self.model}</b>: {len(self.chosen)} chosen · objective {self.objective:,.6g} · "
            f"bound {self.bound:,.6g} · gap {self.gap:.2%} · {self.status} · {self.seconds:.1f} s"
        )
