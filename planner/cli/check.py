"""`planner check`: what the data are worth, before a plan is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.run import AsJson, Set, Study
from planner.cli.screen import RESULTS, print_paths, print_rows, stage_lines, warn
from planner.i18n import translator
from planner.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.settings import Settings


def check(
    study: Study,
    overrides: Set = [],  # noqa: B006  typer copies it
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the reports [default: STUDY/out].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a study's settings and data: what was read and lost, when, where, in which datum."""
    from planner.pipeline import check_inputs
    from planner.quality import input_rows, judge

    settings = load_settings(study, tuple(overrides))
    with stage_lines(settings.study.language) as tell:
        found = check_inputs(settings, on_stage=tell)
    numbers = judge(settings, found, today=datetime.now(tz=UTC).date())
    paths = write_quality(settings, numbers, out or settings.folder / "out")
    if as_json:
        RESULTS.print(paths["numbers"].read_text(encoding="utf-8"), markup=False, end="")
        return
    print_rows(input_rows(numbers, translator(settings.study.language)), title=settings.name)
    for line in numbers["warnings"]:
        warn(line)
    RESULTS.print(numbers["verdict"]["text"], markup=False)
    print_paths(paths, settings.study.language)


def write_quality(settings: Settings, numbers: Mapping[str, Any], out: Path) -> dict[str, Path]:
    """Write ``quality.json`` and ``quality.html``; each replaces what stood there at once."""
    from planner.plan import to_json
    from planner.report import write_check

    out.mkdir(parents=True, exist_ok=True)
    fresh = out / ".quality.json.new"
    fresh.write_text(to_json(numbers), encoding="utf-8")
    return {
        "data report": write_check(settings, numbers, out / "quality.html"),
        "numbers": fresh.replace(out / "quality.json"),
    }
