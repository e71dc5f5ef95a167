"""Write `docs/reference.md` from what the code declares: `python docs/make_reference.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from planner.cli.new import as_toml
from planner.settings import Settings
from planner.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Made from the code by `python docs/make_reference.py`; a test keeps it true.
"""
PLAN = """
## plan.json

| key | holds |
|---|---|
| `study, version, seed` | what was run, by which version, with which seed |
| `inputs.<name>` | `file, rows, kept, dropped {reason: rows}, examples {reason: text}, sha256`; kept and dropped add up to rows |
| `activity` | what became of the fixes: `dropped` by reason, `stays`, `riders`, `days` |
| `network` | `nodes, edges, components, mode` |
| `demand` | `points, weight_per_day` (rider-visits on an average day)`, workers, suppressed_share, by_daypart, first_day, last_day, days` |
| `coverage` | `mode, limit_min, basis`, then `before` and `after`: `covered_share` (any hour), `open_now {daypart: share}` (stations open at least half of it), `by_district`, `circle_share` (what straight-line circles would claim) |
| `siting` | `model, count, objective, bound` (rider-visits a day, existing stations included)`, gap` = (bound - objective) / bound`, status, seconds, sites` |
| `siting.sites[]` | `site_id, name, rank, action, lon, lat, gain_share, cumulative_share, stability` (share of bootstrap reruns that choose it or a neighbour)`, host_name, why` |
| `parking` | `covered_share` (short stops near a chosen site)`, sites[]`: `site_id, lon, lat, bays, served_per_day, blocking_share, station_id, station_walk_m` |
| `equity` | of the plan: `gini, worst_district, worst_share` |
| `privacy` | `min_workers, suppressed_cells` |
| `packages` | versions of what computed it |

Shares lie between 0 and 1; degrees are WGS 84; a missing value is null.
"""


def make_reference() -> str:
    """Return the page."""
    return HEAD + "".join([*_settings(), *_tables()]) + PLAN


def _settings() -> Iterator[str]:
    yield "\n## Settings (`study.toml`)\n"
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield f"\n### [{section}]\n{(model.__doc__ or '').strip()}\n\n"
            yield "| key | default | meaning |\n|---|---|---|\n"
            for name, key in model.model_fields.items():
                default = as_toml(key.get_default(call_default_factory=True))
                meaning = (key.description or "").replace("|", "\\|")
                yield f"| `{name}` | `{default}` | {meaning} |\n"


def _tables() -> Iterator[str]:
    yield "\n## Tables\n\nAll in one metric CRS; the index is named `<table>_id`.\n"
    for name, columns in TABLES.items():
        yield f"\n### {name}\n| column | type | unit | meaning |\n|---|---|---|---|\n"
        for column, spec in columns.items():
            kind = spec.dtype + (", may be empty" if spec.nullable else "")
            yield f"| `{column}` | {kind} | {spec.unit} | {spec.meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(make_reference(), encoding="utf-8")
