"""`planner coverage`: what exists today, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.run import AsJson, Set, Study
from planner.cli.screen import RESULTS, print_rows, stage_lines
from planner.i18n import translator
from planner.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


def coverage(
    study: Study,
    overrides: Set = [],  # noqa: B006  typer copies it
    as_json: AsJson = False,
) -> None:
    """Measure what the existing stations cover today: all, by daypart, district, worker type."""
    from planner.pipeline import measure_today
    from planner.plan import to_json
    from planner.summary import basis_text

    settings = load_settings(study, tuple(overrides))
    with stage_lines(settings.study.language) as tell:
        stations, table = measure_today(settings, on_stage=tell)
    basis = basis_text(settings, stations, **table.attrs["visits"])
    if as_json:
        rows = table.astype(object).to_dict("records")
        circle = table.attrs["circle_share"]
        RESULTS.print(
            to_json({"basis": basis, "circle_share": circle, "rows": rows}), markup=False, end=""
        )
        return
    print_rows(_rows(table, settings.study.language), title=f"{settings.name} · {basis}")


def _rows(table: pd.DataFrame, language: str) -> Iterator[tuple[str, str]]:
    from pandas import isna

    t = translator(language)
    for name, covered, open_then in zip(
        table["name"], table["covered_share"], table["open_share"], strict=True
    ):
        share = "–" if isna(covered) else f"{covered:.1%}"
        if not isna(open_then):
            share += "   " + t("open then {share}", share=f"{open_then:.1%}")
        yield t(name), share
    yield t("circles would claim"), f"{table.attrs['circle_share']:.1%}"
    far = table.attrs["coverage"]["horizon_min"]
    yield t("two stations or more"), f"{table['backup_share'].loc['all']:.1%}"
    half, most = (
        t("{n} min", n=f"{minutes:.1f}") if minutes <= far else t("over {n} min", n=f"{far:g}")
        for minutes in (float(table[name].loc["all"]) for name in ("median_min", "p90_min"))
    )
    yield (
        t("minutes to the nearest station"),
        t("half of the visits {half}, nine in ten {most}", half=half, most=most),
    )
