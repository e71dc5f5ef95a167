"""How the terminal looks: one line a stage on stderr, results on stdout."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from planner.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rich.status import Status

    from planner.progress import OnStage

RESULTS = Console(highlight=False, soft_wrap=True)
ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)

STAGES = {
    "sample": "files of the sample city",
    "area": "districts", "streets": "street edges", "activity": "activity records",
    "stations": "existing stations", "hosts": "hosts to open",
    "register": "sites of the register", "stays": "stays found",
    "demand": "demand points", "hotspots": "hot spots",
    "gatherings": "gathering places", "candidates": "candidates",
    "reach": "pairs in reach", "coverage": "coverage measures", "siting": "recommended stations",
    "frontier": "counts of stations compared", "money": "sums of money compared",
    "scenarios": "changes of demand tried", "explanations": "sites explained",
    "uncovered": "hot spots without a station", "parking": "parking sites",
    "service_areas": "service areas", "edits": "changes to the streets",
    "quality": "data checks", "outputs": "files",
    "place": "place found", "download": "street nodes downloaded", "junctions": "junctions",
}  # fmt: skip


@contextmanager
def stage_lines(language: str) -> Iterator[OnStage]:
    """Give a callback that prints one line a stage and spins while one runs."""
    t = translator(language)
    status: Status = ERRORS.status("")

    def show(stage: str, rows: int | None = None, seconds: float | None = None) -> None:
        label = t(STAGES.get(stage, stage))
        if seconds is None:
            status.update(Text(label if rows is None else f"{rows:,} {label}"))
            return
        line = Text.assemble((f"{rows:>12,}", "bold"), f"  {label}", (f"  {seconds:.1f} s", "dim"))
        ERRORS.print(line)

    if not ERRORS.is_terminal:
        yield show
        return
    with status:
        yield show


def print_rows(rows: Iterable[tuple[str, str]], *, title: str = "") -> None:
    """Print label and value pairs, the values below each other; nothing is cut off."""
    pairs = list(rows)
    width = max((cell_len(label) for label, _ in pairs), default=0)
    if title:
        RESULTS.print(Text(title, style="bold"))
    for label, value in pairs:
        gap = " " * (width - cell_len(label) + 2)
        RESULTS.print(Text.assemble("  ", (label, "dim"), gap, value))


def print_paths(paths: dict[str, Path], language: str) -> None:
    """Print where the outputs are, as paths that a terminal lets one click."""
    t = translator(language)
    print_rows((t(what), str(path)) for what, path in paths.items())


def warn(message: str) -> None:
    """Print a warning with its remedy."""
    ERRORS.print(Text(message, style="yellow"))
