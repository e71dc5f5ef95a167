"""Everything a run leaves in its folder, all or nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from planner import draw, quality, report, summary
from planner.plan import to_json

if TYPE_CHECKING:
    from planner.plan import Plan


def write_outputs(plan: Plan, out: Path | str) -> dict[str, Path]:
    """Write everything a run leaves; a failure leaves what stood there before.

    Returns
    -------
    What it is → where it is: ``plan, map, report, workbook, sites, quality``, as far as written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=out))
    try:
        formats = plan.settings.report.formats
        plan.save(fresh)
        notes = {**plan.summary, "warnings": quality.find_warnings(plan.settings, plan.summary)}
        data = {key: notes[key] for key in (*summary.DATA_KEYS, "warnings")}
        (fresh / "quality.json").write_text(to_json(data), encoding="utf-8")
        draw.write_map(plan, fresh / "map.html")
        report.write_sites(plan, fresh)
        if "html" in formats:
            report.write_report(plan, fresh / "report.html")
        if "xlsx" in formats:
            report.write_workbook(plan, fresh / "plan.xlsx")
        for path in sorted(fresh.iterdir()):
            _replace(path, out / path.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    names = {
        "plan": "plan.json", "map": "map.html", "report": "report.html", "workbook": "plan.xlsx",
        "sites": "sites.geojson",
    }  # fmt: skip
    return {what: out / name for what, name in names.items() if (out / name).exists()}


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
