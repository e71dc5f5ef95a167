"""`planner fetch`: streets from OpenStreetMap's servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.screen import RESULTS, stage_lines
from planner.errors import SettingsError
from planner.settings import SPEED_KMH

if TYPE_CHECKING:
    from planner.network.fetch import Box


def fetch(
    place: Annotated[
        str | None, typer.Argument(help="A place that OpenStreetMap knows, such as “赣州市章贡区”.")
    ] = None,
    *,
    bbox: Annotated[
        str | None,
        typer.Option("--bbox", metavar="W,S,E,N", help="A box in degrees, instead of a place."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path(
        "streets.graphml"
    ),
    margin_min: Annotated[
        float, typer.Option("--margin-min", help="Minutes around it: at least the study's limit.")
    ] = 15.0,
    margin_m: Annotated[
        float | None, typer.Option("--margin-m", help="Metres around it, instead of minutes.")
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", help=f"How the minutes go: {' | '.join(SPEED_KMH)}.")
    ] = "walk",
    nominatim: Annotated[
        str | None, typer.Option("--nominatim", metavar="URL", help="Another server of places.")
    ] = None,
    overpass: Annotated[
        str | None, typer.Option("--overpass", metavar="URL", help="Another server of streets.")
    ] = None,
) -> None:
    """Download the streets of a place or box with a margin; one file serves every mode."""
    from planner.network.fetch import NOMINATIM, OVERPASS, fetch_streets

    if (place is None) == (bbox is None):
        raise SettingsError("Name a place or a --bbox, one of them.")
    with stage_lines("en") as tell:
        file = fetch_streets(
            place if bbox is None else _box(bbox),
            out,
            margin_m=margin_m,
            margin_min=margin_min,
            mode=mode,
            nominatim_url=nominatim or NOMINATIM,
            overpass_url=overpass or OVERPASS,
            on_stage=tell,
        )
    RESULTS.print(f'{file}\nin study.toml, under [streets]: file = "{file.name}"', markup=False)


def _box(text: str) -> Box:
    """Read four numbers."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"The box must be four numbers: west,south,east,north. Got {text!r}. An example: "
            "--bbox 114.90,25.80,114.98,25.88"
        ) from None
    return west, south, east, north
