"""`planner run`: the whole line."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.screen import RESULTS, print_paths, print_rows, stage_lines, warn
from planner.settings import Settings, load_settings

if TYPE_CHECKING:
    from planner.plan import Plan

Study = Annotated[Path, typer.Argument(help="A study.toml or the folder that holds it.")]
Set = Annotated[
    list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="A setting that wins.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]


def run(
    study: Study,
    overrides: Set = [],  # noqa: B006  typer copies it
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the outputs [default: STUDY/out].")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check settings and inputs, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan a study: recommended stations and friendly parking, with map and report."""
    from planner.outputs import require_folder

    settings = load_settings(study, tuple(overrides))
    target = out or settings.folder / "out"
    require_folder(target)
    if dry_run:
        _dry_run(settings, target)
        return
    plan, paths = run_settings(settings, target)
    show_plan(plan, paths, as_json=as_json)


def run_settings(settings: Settings, out: Path) -> tuple[Plan, dict[str, Path]]:
    """Run the line and write its outputs, telling each stage."""
    from planner.outputs import write_outputs
    from planner.pipeline import plan_study

    with stage_lines(settings.study.language) as tell:
        plan = plan_study(settings, on_stage=tell)
        tell("outputs")
        start = time.perf_counter()
        paths = write_outputs(plan, out)
        tell("outputs", len(paths), time.perf_counter() - start)
    return plan, paths


def show_plan(plan: Plan, paths: dict[str, Path], *, as_json: bool) -> None:
    """Print the answer and where to look at it."""
    from planner.plan import to_json
    from planner.quality import find_warnings
    from planner.report import answer_rows

    for text in find_warnings(plan.settings, plan.summary, today=datetime.now(tz=UTC).date()):
        warn(text)
    if as_json:
        RESULTS.print(to_json(plan.summary), markup=False, end="")
        return
    print_rows(answer_rows(plan))
    print_paths(paths, plan.settings.study.language)


def _dry_run(settings: Settings, target: Path) -> None:
    from planner.inputs import load_inputs

    with stage_lines(settings.study.language) as tell:
        load_inputs(settings, on_stage=tell)
    RESULTS.print(f"settings and inputs are fine; a run would write to {target}", markup=False)
