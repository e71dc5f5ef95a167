"""Everything a run leaves in its folder, all or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner import draw, quality, report, summary
from planner.errors import InputError, SettingsError
from planner.load.files import fingerprint
from planner.plan import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from planner.plan import Plan
    from planner.settings import Settings


def require_folder(out: Path) -> None:
    """Refuse a folder that outputs cannot be written to; nothing is made.

    Raises
    ------
    SettingsError
        There is a file in the way, or this user may not write there.
    """
    there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return
    why = "you may not write there" if there.is_dir() else f"`{there}` is no folder"
    raise SettingsError(f"outputs cannot go to {out}: {why}. Name another folder with --out.")


def write_outputs(plan: Plan, out: Path | str) -> dict[str, Path]:
    """Write everything a run leaves; a failure leaves what stood there before.

    Returns
    -------
    What it is → where it is, as far as written: ``plan, map, report, workbook, sites`` and
    ``data report``.

    Raises
    ------
    InputError
        The plan is of a version that did not look at its data.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=out))
    try:
        formats = plan.settings.report.formats
        plan.save(fresh)
        write_quality(plan.settings, _data_numbers(plan), fresh)
        draw.write_map(plan, fresh / "map.html")
        report.write_sites(plan, fresh)
        if "html" in formats:
            report.write_report(plan, fresh / "report.html")
        if "xlsx" in formats:
            report.write_workbook(plan, fresh / "plan.xlsx")
        _keep_register(plan.settings, out, {path.name for path in fresh.iterdir()})
        for path in sorted(fresh.iterdir()):
            _replace(path, out / path.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    names = {
        "plan": "plan.json", "map": "map.html", "report": "report.html", "workbook": "plan.xlsx",
        "sites": "sites.geojson", "data report": "quality.html",
    }  # fmt: skip
    return {what: out / name for what, name in names.items() if (out / name).exists()}


def _keep_register(s: Settings, out: Path, written: set[str]) -> None:
    """Copy the register beside the file that is about to replace it, under its fingerprint.

    The new file tells all that the register told; whatever else planners wrote into that workbook
    or layer stays in the copy.
    """
    if s.siting.register_ is None:
        return
    register = Path(s.path(s.siting.register_))
    if register.name in written and (out / register.name).is_file():
        if register.resolve() != (out / register.name).resolve():
            return
        mark = fingerprint([register])[:8]
        shutil.copy2(register, out / f"register-{mark}{register.suffix}")


def _data_numbers(plan: Plan) -> dict[str, Any]:
    """Return what a plan knows of its data.

    Raises
    ------
    InputError
        The plan is of a version that did not look at its data.
    """
    keys = (*summary.DATA_KEYS, *quality.MEASURED)
    lacking = [key for key in quality.MEASURED if key not in plan.summary]
    if lacking:
        raise InputError(
            f"the plan lacks {', '.join(f'`{key}`' for key in lacking)}: an earlier version made "
            "it. Run the study again; its map, report and workbook can be written without."
        )
    return {key: plan.summary[key] for key in keys if key in plan.summary}


def write_quality(
    s: Settings, found: Mapping[str, Any], folder: Path, *, today: date | None = None
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Write what the data are worth as ``quality.html`` and ``quality.json``.

    Parameters
    ----------
    s
        The study.
    found
        What `pipeline.check_inputs` found, or the same keys of a plan's summary.
    folder
        Where to; both files are there before the first replaces what stood there.
    today
        The day that the data's age is counted from; None leaves it out.

    Returns
    -------
    numbers, paths
        What was written, and what it is → where it is.
    """
    numbers = quality.judge(s, found, today=today)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        (fresh / "quality.json").write_text(to_json(numbers), encoding="utf-8")
        report.write_check(s, numbers, fresh / "quality.html")
        paths = {
            what: (fresh / name).replace(folder / name)
            for what, name in (("data report", "quality.html"), ("numbers", "quality.json"))
        }
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return numbers, paths


def _replace(fresh: Path, target: Path) -> None:
    """Put a finished file or folder where another may stand."""
    if target.is_dir():
        old = target.with_name(f".{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        fresh.replace(target)
