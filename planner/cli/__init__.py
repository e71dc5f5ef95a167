"""The command `planner`: one sub-command a file."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli import check, coverage, demo, explain, fetch, new, run
from planner.cli.screen import ERRORS
from planner.errors import InputError, NoSolutionError, PlannerError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    name="planner",
    help="Where do riders need the next station?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _stoppable(command: Callable[..., None]) -> Callable[..., None]:
    """Say what Ctrl-C has left; typer would leave without a word."""

    @functools.wraps(command)
    def call(*args: object, **options: object) -> None:
        try:
            command(*args, **options)
        except KeyboardInterrupt:
            ERRORS.print("stopped; earlier outputs are as they were.")
            raise typer.Exit(130) from None

    return call


for _command in (
    demo.demo, new.new, check.check, run.run, explain.explain, coverage.coverage, fetch.fetch,
):  # fmt: skip
    app.command()(_stoppable(_command))


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("station-coverage-planner"))
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Plan where riders need the next station."""


def main() -> None:
    """Run the command; leave with 0 done, 1 failed, 2 bad input, 130 stopped."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a GBK console
    try:
        app()
    except PlannerError as error:
        ERRORS.print(f"error: {error}", style="red", markup=False, highlight=False)
        bad_input = isinstance(error, InputError | SettingsError | NoSolutionError)
        raise SystemExit(2 if bad_input else 1) from None
    except OSError as error:
        where, why = error.filename or "the disk", error.strerror or error
        ERRORS.print(
            f"error: {where}: {why}. Check that you may read and write there and that there is "
            "room.",
            style="red", markup=False, highlight=False,
        )  # fmt: skip
        raise SystemExit(1) from None
