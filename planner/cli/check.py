"""`planner check`: what the data are worth, before a plan is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.run import AsJson, Set, Study
from planner.cli.screen import RESULTS, print_rows, stage_lines, warn
from planner.i18n import translator
from planner.settings import load_settings


def check(
    study: Study,
    overrides: Set = [],  # noqa: B006  typer copies it
    out: Annotated[
        Path | None, typer.Option("--out", help="Write quality.json into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a study's settings and data: what was read, what was lost and why."""
    from planner.pipeline import check_inputs
    from planner.plan import to_json
    from planner.quality import find_warnings, input_rows

    settings = load_settings(study, tuple(overrides))
    with stage_lines(settings.study.language) as tell:
        quality = check_inputs(settings, on_stage=tell)
    warnings = find_warnings(settings, quality, today=datetime.now(tz=UTC).date())
    text = to_json({**quality, "warnings": warnings})
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "quality.json").write_text(text, encoding="utf-8")
    if as_json:
        RESULTS.print(text, markup=False, end="")
        return
    t = translator(settings.study.language)
    print_rows(input_rows(quality, t), title=settings.name)
    for line in warnings:
        warn(line)
    RESULTS.print(t("{n} warnings", n=len(warnings)), markup=False)
