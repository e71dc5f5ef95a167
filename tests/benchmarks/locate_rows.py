"""Rows of the tables of siting, and what is asked of them."""

from typing import NamedTuple

from network import tell_ratio, tell_seconds

HEAD = (
    "| task | CPU | value | LP residual | gap to LP bound | proven gap | peer | ratio | target "
    "| met |"
)
LISTS = "| list | p | best known | value | bound | CPU | proven gap | reached |"
_RUN_ON = 3.0  # times the target: how long a proof may go on to tell when it would have ended
WITHIN = 0.95  # of the time limit are given, the rest is for reading and presolve


class Target(NamedTuple):
    """What is asked: all of what is not None."""

    seconds: float | None = None
    gap: float | None = None
    proven: bool = False
    ratio: float | None = None

    def __str__(self):
        """Write it in words."""
        words = ["proven"] if self.proven else []
        if self.gap is not None:
            words.append(f"≤ {self.gap:.1%}")
        if self.seconds is not None:
            words.append(f"≤ {tell_seconds(self.seconds)}")
        if self.ratio is not None:
            words.append(f"≥ {tell_ratio(self.ratio)}")
        return ", ".join(words)

    def met(self, said, ratio=None):
        """Tell whether all of it holds."""
        return not (
            (self.proven and not said["proven"])
            or (self.gap is not None and said["gap"] > self.gap)
            or (self.seconds is not None and said["seconds"] > self.seconds)
            or (self.ratio is not None and (ratio is None or ratio < self.ratio))
        )

    @property
    def limit_s(self):
        """Seconds to give."""
        if self.seconds is None:
            return 60.0
        return self.seconds * (_RUN_ON if self.proven else WITHIN)


class Row(NamedTuple):
    """One row of the table: `said` is what the job has told."""

    task: str
    said: dict
    peer: str = ""
    ratio: float | None = None
    target: Target | None = None
    good: bool = True  # what else is asked holds

    def __str__(self):
        """Write the row as Markdown."""
        said, target, judged = self.said, "", ""
        if self.target is not None:
            target = str(self.target)
            judged = "yes" if self.good and self.target.met(said, self.ratio) else "NO"
        cells = [
            self.task,
            tell_seconds(said["seconds"]),
            _told(said, "value", "{:,.0f}"),
            *(_told(said, key, "{:.3%}") for key in ("residual", "lp_gap")),
            f"{said['gap']:.3%}{' (proven)' if said['proven'] else ''}",
            self.peer,
            "" if self.ratio is None else tell_ratio(self.ratio),
            target,
            judged,
        ]
        return f"| {' | '.join(cells)} |"


class Listed(NamedTuple):
    """One row of the published values; `best` is None where nobody has published one."""

    name: str
    said: dict
    best: float | None
    most: bool = True  # the higher the better

    @property
    def reached(self):
        """Tell whether the best known value is reached or beaten."""
        value = self.said["value"]
        return value >= self.best if self.most else value <= self.best

    def __str__(self):
        """Write the row as Markdown."""
        said, reached = self.said, ""
        if self.best is not None:
            off = (said["value"] - self.best) / self.best
            reached = ("yes" if self.reached else "NO") + (f" ({off:+.3%})" if off else "")
        best = "" if self.best is None else f"{self.best:,.0f}"
        cells = [
            self.name, str(said["count"]), best, f"{said['value']:,.0f}", f"{said['bound']:,.0f}",
            tell_seconds(said["seconds"]),
            f"{said['gap']:.3%}{' (proven)' if said['proven'] else ''}", reached,
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


class Skipped(NamedTuple):
    """What could not be asked, and why."""

    task: str
    why: str
    columns: int

    def __str__(self):
        """Write the row as Markdown."""
        return f"| {self.task} | skipped: {self.why} |{' |' * (self.columns - 2)}"


def _told(said, key, form):
    return form.format(said[key]) if key in said else "–"
