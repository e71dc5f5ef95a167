"""`planner demo`: the sample city, planned."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.run import AsJson, run_settings, show_plan
from planner.cli.screen import stage_lines
from planner.errors import InputError
from planner.settings import load_settings


class Language(StrEnum):
    """What the sample can be planned in."""

    zh = "zh"
    en = "en"


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("planner-demo"),
    language: Annotated[Language, typer.Option(help="Of map and report.")] = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Write the sample study into a folder and plan it; nothing is downloaded."""
    from planner.load import write_sample

    if folder.exists() and any(folder.iterdir()) and not (folder / "study.toml").exists():
        raise InputError("is not empty and holds no study. Name a new folder.", file=folder)
    if not (folder / "study.toml").exists():
        with stage_lines(language.value) as tell:
            tell("sample")
            start = time.perf_counter()
            write_sample(folder)
            tell("sample", len(list(folder.iterdir())), time.perf_counter() - start)
    settings = load_settings(folder, (f"study.language={language.value}",))
    plan, paths = run_settings(settings, folder / "out")
    show_plan(plan, paths, as_json=as_json)
