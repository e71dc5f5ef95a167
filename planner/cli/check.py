"""`planner check`: what the data are worth, before a plan is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.run import AsJson, Set, Study
from planner.cli.screen import RESULTS, print_paths, print_rows, stage_lines, warn
from planner.i18n import translator
from planner.settings import load_settings


def check(
    study: Study,
    overrides: Set = [],  # noqa: B006  typer copies it
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the reports [default: STUDY/out].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a study's settings and data: what was read and lost, when, where, in which datum."""
    from planner.outputs import require_folder, write_quality
    from planner.pipeline import check_inputs
    from planner.quality import input_rows

    settings, today = load_settings(study, tuple(overrides)), datetime.now(tz=UTC).date()
    folder = out or settings.folder / "out"
    require_folder(folder)
    with stage_lines(settings.study.language) as tell:
        found = check_inputs(settings, on_stage=tell)
    folder.mkdir(parents=True, exist_ok=True)
    numbers, paths = write_quality(settings, found, folder, today=today)
    if as_json:
        RESULTS.print(paths["numbers"].read_text(encoding="utf-8"), markup=False, end="")
        return
    print_rows(input_rows(numbers, translator(settings.study.language)), title=settings.name)
    for line in numbers["warnings"]:
        warn(line)
    RESULTS.print(numbers["verdict"]["text"], markup=False)
    print_paths(paths, settings.study.language)
