"""`planner explain`: why one site of a finished plan is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.run import AsJson
from planner.cli.screen import RESULTS, print_rows


def explain(
    out: Annotated[Path, typer.Argument(help="The folder that `planner run` wrote.")],
    site: Annotated[str, typer.Argument(help="A site of the plan, e.g. S03.")],
    move_to: Annotated[
        str | None,
        typer.Option(
            "--move-to",
            metavar="PLACE",
            help="Tell instead what changes if it moves: to another candidate (number or name), or "
            "to longitude,latitude.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain one recommended station: whom it gains, what is near, what could replace it."""
    from planner.editing import move_site
    from planner.plan import load_plan, to_json
    from planner.siting import explain_site

    plan = load_plan(out)
    told = explain_site(plan, site) if move_to is None else move_site(plan, site, move_to)
    if as_json:
        RESULTS.print(to_json(told.numbers()), markup=False, end="")
        return
    print_rows(told.rows(), title=f"{told.site_id} · {told.name}")
