"""p-median under limits: spacing, a budget, and shares of groups that must be served."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import NoSolutionError
from planner.locate.covering.exact import keeps_limits, limit_rows
from planner.locate.covering.presolve import implied
from planner.locate.median.exact import Proof, cheapest, radius_program, start_point, steps_of
from planner.locate.median.lists import Lists, restrict_lists, value_of
from planner.locate.median.search import interchange
from planner.locate.needs import meet_needs
from planner.locate.problem import Cover, Limits
from planner.locate.program import Program, minimise
from planner.locate.setcover.limited import cheapest_within, name_limits
from planner.locate.setcover.reduce import keep_part

if TYPE_CHECKING:
    from planner.locate.median.bound import Certificate
    from planner.locate.needs import Floor

# Above so many entries HiGHS takes minutes and may not look at the clock: the bound stands alone.
_ENTRIES = 120_000
_NODES = 20_000
_SHAKES = (4, 40)
_WORK = 1.5e8
_PLACES = 20_000_000  # of the table of exchanges
_LIFTS = 16


class Limited(NamedTuple):
    """A p-median problem and what its choices must keep.

    Attributes
    ----------
    lists
        The problem; a client whose list is empty is served by nobody who may be chosen.
    limits
        How many columns, at what cost, and who excludes whom.
    floor
        What of each group's weight must be served, if anything.
    """

    lists: Lists
    limits: Limits
    floor: Floor | None

    @property
    def cover(self) -> Cover:
        """Who may serve whom."""
        lists, shape = self.lists, (self.lists.most.size, self.lists.back.size - 1)
        rows = sparse.csr_array((np.ones(lists.column.size), lists.column, lists.start), shape)
        rows.sort_indices()
        return Cover(
            lists.back, lists.client, rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
        )

    def kept(self, chosen: np.ndarray) -> bool:
        """Tell whether a choice keeps everything."""
        if not keeps_limits(self.limits, chosen):
            return False
        return self.floor is None or bool((self._lacking(chosen) <= 0).all())

    def _lacking(self, chosen: np.ndarray) -> np.ndarray:
        """Weight that each group lacks to its floor."""
        if self.floor is None:
            return np.zeros(0)
        served = np.zeros(self.lists.most.size)
        for j in chosen:
            served[self.lists.client[self.lists.back[j] : self.lists.back[j + 1]]] = 1.0
        return self.floor.needs.need - self.floor.needs.share @ served

    def search(self, near: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Return choices that keep all limits, found from one that need not.

        Notes
        -----
        Groups under the floor are served as if missing them cost more, until they have enough.
        """
        start = self._admit(near)
        found = [self._shake(self.lists, interchange(self.lists, start, self.limits), rng)]
        if self.floor is None or (self._lacking(_columns(found[0])) <= 0).all():
            return [_columns(line) for line in found]
        asked = np.asarray((self.floor.needs.share.T @ (self.floor.needs.need > 0)) > 0)
        extra, step = np.zeros(self.floor.total.size), np.ones(self.floor.total.size)
        line = found[0]
        for _ in range(_LIFTS):
            factor = np.where(asked, 1.0 + self._of_clients(extra), 1.0)
            most = np.rint(self.lists.most * factor).astype(np.int64)
            line = interchange(self.lists._replace(most=most), line, self.limits)
            low = self._lacking(_columns(line)) > 0
            if not low.any():
                found.append(line)
                extra, step = 0.75 * extra, np.maximum(0.25, step / 4)
            else:
                extra, step = np.where(low, extra + step, extra), np.where(low, 2 * step, step)
        if len(found) == 1:
            needs, cover = self.floor.needs, self.cover
            rescue, kept = meet_needs(cover, needs, self.limits, rng=rng, rounds=_LIFTS)
            if kept:
                found.append(rescue)
        return [_columns(line) for line in found]

    def _of_clients(self, extra: np.ndarray) -> np.ndarray:
        """Return for each client the greatest value of its groups."""
        if self.floor is None:
            return np.zeros(self.lists.most.size)
        share = sparse.csr_array(self.floor.needs.share.T)
        share.data = extra[share.indices]
        return np.asarray(share.max(axis=1).todense()).ravel()

    def _admit(self, near: np.ndarray) -> np.ndarray:
        """Take over of a choice what the limits allow; the other places stay empty."""
        n = self.lists.back.size - 1
        spent = np.cumsum(np.sort(self.limits.cost))
        cheap = int((spent <= self.limits.budget * (1 + 1e-9)).sum())
        most = min(self.limits.most, n, cheap, max(1, _PLACES // max(1, n)))
        taken: list[int] = []
        for j in near:
            if len(taken) < most and keeps_limits(self.limits, np.array([*taken, int(j)])):
                taken.append(int(j))
        return np.array(taken + [-1] * (most - len(taken)), dtype=np.int64)

    def _shake(self, lists: Lists, line: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Empty some places, open something by chance, exchange again; keep the better."""
        best, value = line, value_of(lists, _columns(line))
        n, filled = lists.back.size - 1, int((line >= 0).sum())
        if filled in {0, n}:
            return line
        work = 1.0 + 20.0 * lists.column.size + float(n) * line.size
        for _ in range(int(np.clip(_WORK / work, *_SHAKES))):
            out = rng.choice(
                np.flatnonzero(best >= 0), max(1, int((best >= 0).sum()) // 4), replace=False
            )
            rest = np.delete(best, out)
            rest = rest[rest >= 0]
            fresh = int(rng.choice(np.setdiff1d(np.arange(n), rest)))
            trial = interchange(lists, self._admit(np.append(rest, fresh)), self.limits)
            cost = value_of(lists, _columns(trial))
            if cost < value:
                best, value = trial, cost
        return best

    def serve_all(self, hard: np.ndarray, rng: np.random.Generator, deadline: float) -> np.ndarray:
        """Find a choice that serves all clients of whom each must be served."""
        pattern = self.cover
        alive = np.zeros(self.lists.most.size, dtype=bool)
        alive[hard] = True
        every = np.arange(self.limits.cost.size)
        cover = keep_part(pattern, every, alive)
        cover = keep_part(cover, every, ~implied(cover))
        ones = np.ones(every.size, dtype=np.int64)
        least = cheapest_within(
            cover, ones, self.limits, None, enough=self.limits.most, gap=0.0, rng=rng,
            deadline=deadline,
        )  # fmt: skip
        if least.chosen is None:
            raise self.refused(proven=least.bound == math.inf)
        return least.chosen

    def refused(self, *, proven: bool) -> NoSolutionError:
        """Say that no choice keeps the limits, or that none was found."""
        limits = name_limits(self.limits, floor=self.floor is not None)
        lacking, remedy = "", "Allow more, or offer more candidates."
        if self.floor is not None:
            remedy = "Lower the floor, allow more, or offer more candidates."
            closest, kept = meet_needs(
                self.cover, self.floor.needs, self.limits, rng=np.random.default_rng(0),
                rounds=_LIFTS,
            )  # fmt: skip
            lacking = "" if kept else f": {self.floor.tell_lacking(self.cover, closest)}"
        if proven:
            return NoSolutionError(f"no choice keeps {limits}{lacking}. {remedy}")
        return NoSolutionError(
            f"no choice that keeps {limits} was found, nor a proof that there is none{lacking}. "
            f"Raise `time_limit_s`. {remedy}"
        )

    def prove(  # noqa: PLR0917
        self,
        chosen: np.ndarray | None,
        found: Certificate,
        hard: int,
        unit: int,
        gap: float,
        deadline: float,
    ) -> Proof | None:
        """Solve by HiGHS what reduced costs leave open; None where it is too much.

        `chosen` keeps all limits, or is None where nothing that does is known.

        Raises
        ------
        NoSolutionError
            No choice keeps the limits.
        """
        lists, n = self.lists, self.lists.back.size - 1
        keep = np.arange(n)
        value = math.inf if chosen is None else value_of(lists, chosen)
        if chosen is not None and self.limits.most < n:
            last = np.sort(found.reduced)[self.limits.most - 1] if self.limits.most else 0
            out = found.reduced - last > value - unit - found.bound
            out[chosen] = False
            keep = np.flatnonzero(~out)
        none = np.empty(0, dtype=np.int64)
        small = restrict_lists(lists, keep, none)
        if not 0 < small.column.size <= _ENTRIES or working_seconds() > deadline:
            return None
        base = int(cheapest(small).sum())
        part = Limited(small, _among(self.limits, keep), self.floor)
        program = part.program(hard)
        start = None
        if chosen is not None:
            mine = np.flatnonzero(np.isin(keep, chosen))
            start = start_point(program, small, self.limits.most, mine)
        outcome = minimise(
            program,
            abs_gap=max(0.9 * gap * value if chosen is not None else 0.0, 0.99 * unit),
            nodes=_NODES,
            time_limit_s=deadline - working_seconds(),
            start=start,
        )
        best = chosen
        if outcome.values is not None:
            trial = keep[np.flatnonzero(outcome.values[: keep.size] > 0.5)]
            if self.kept(trial) and value_of(lists, trial) < min(value, hard):
                best = trial
        if outcome.bound == np.inf and chosen is None:
            raise self.refused(proven=True)
        if best is None:
            return None
        value = value_of(lists, best)
        bound = found.bound
        if outcome.bound == np.inf:
            bound = value
        elif math.isfinite(outcome.bound):
            inside = -(-(base + math.ceil(outcome.bound)) // unit) * unit
            bound = max(bound, min(value, inside))
        return Proof(best, bound)

    def program(self, hard: int) -> Program:
        """Write the radius formulation with rows of limits and floor."""
        lists, n = self.lists, self.lists.back.size - 1
        plain = radius_program(lists, n, hard)
        within, most = limit_rows(self.limits)
        wide = plain.cost.size
        within = sparse.csr_array((within.data, within.indices, within.indptr), (most.size, wide))
        rows, lower, upper = [plain.rows, within], [plain.lower, np.full(most.size, -np.inf)], [
            plain.upper, most
        ]  # fmt: skip
        if self.floor is not None and (self.floor.needs.need > 0).any():
            missed, may = self._missed(wide, n)
            rows.append(missed)
            lower.append(np.full(may.size, -np.inf))
            upper.append(may)
        return Program(
            plain.cost, plain.most, sparse.csr_array(sparse.vstack(rows)), np.concatenate(lower),
            np.concatenate(upper), plain.whole,
        )  # fmt: skip

    def _missed(self, wide: int, n: int) -> tuple[sparse.csr_array, np.ndarray]:
        """Return the weight of each group that is not served, and what of it may be missed."""
        needs, lists = self.floor.needs, self.lists  # type: ignore[union-attr]
        asked = np.flatnonzero(needs.need > 0)
        steps = steps_of(lists)
        owner = np.repeat(np.arange(lists.most.size), np.diff(lists.start))[steps.entry]
        final = np.ones(owner.size, dtype=bool)
        final[:-1] = owner[1:] != owner[:-1]
        last = sparse.csr_array(
            (np.ones(final.sum()), (owner[final], n + steps.number[final])),
            shape=(lists.most.size, wide),
        )
        scale = sparse.diags_array(1.0 / needs.need[asked])
        share = scale @ needs.share[asked]
        served = np.diff(lists.start) > 0
        return sparse.csr_array(share @ last), share @ served.astype(float) - 1.0


def _columns(line: np.ndarray) -> np.ndarray:
    return np.sort(line[line >= 0])


def _among(limits: Limits, keep: np.ndarray) -> Limits:
    """Return the limits of some columns, renumbered."""
    n = limits.cost.size
    rivals = sparse.csr_array((np.ones(limits.rival.size), limits.rival, limits.start), (n, n))
    rivals = sparse.csr_array(rivals[keep][:, keep])
    rivals.sort_indices()
    return Limits(
        limits.most, limits.cost[keep], limits.budget, rivals.indptr.astype(np.int64),
        rivals.indices.astype(np.int64),
    )  # fmt: skip
