"""One run of a study, frozen: its settings, tables and numbers, saved to a folder and read back."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from planner.errors import InputError, MissingFileError
from planner.settings import Settings, make_settings
from planner.tables import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.network import StreetNetwork

SUMMARY = "plan.json"
TABLES_FOLDER = "plan"
_REACH = "reach"
_SETTINGS = "settings.json"
_STREETS = "streets.npz"


@dataclass(frozen=True)
class Plan:
    """One run of a study.

    Attributes
    ----------
    settings
        What was asked.
    tables
        Name → frame, all in the study's metric CRS: ``demand, stations, sites, parking,
        districts``, and what maps need: ``candidates`` (existing stations included), ``streets``
        (lines), ``service_areas`` (``when, limit_min``), ``coverage_before``, ``coverage_after``,
        ``hotspots``, where there are any ``hosts`` and ``water``.
    summary
        The numbers, as in ``plan.json``.
    reach
        Demand × candidates, inbound.
    network
        The streets that all travel times ran over; None in a plan that was saved without them.
    """

    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]
    reach: Reach
    network: StreetNetwork | None = None

    def save(self, folder: Path | str) -> Path:
        """Write ``plan.json`` and ``plan/`` into a folder; each replaces what stood there at once.

        Returns
        -------
        The path of ``plan.json``.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{TABLES_FOLDER}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name, table in self.tables.items():
            table.to_parquet(fresh / f"{name}.parquet")
        _reach_table(self.reach).to_parquet(fresh / f"{_REACH}.parquet")
        (fresh / _SETTINGS).write_text(self.settings.model_dump_json(indent=1), encoding="utf-8")
        if self.network is not None:
            from planner.network import save_streets

            save_streets(self.network, fresh / _STREETS)
        _replace_folder(fresh, folder / TABLES_FOLDER)
        return _write_text(folder / SUMMARY, to_json(self.summary))

    def _repr_html_(self) -> str:
        coverage, siting = self.summary["coverage"], self.summary["siting"]
        figures = {
            "covered today": f"{coverage['before']['covered_share']:.1%}",
            "with the plan": f"{coverage['after']['covered_share']:.1%}",
            "basis": coverage["basis"],
            "new stations": len(siting["sites"]),
            "proven gap": f"{siting['gap']:.2%} ({siting['status']})",
        }
        rows = "".join(
            f"<tr><th>{k}</th><td>{escape(str(v))}</td></tr>" for k, v in figures.items()
        )
        return f"<table><caption>{escape(str(self.summary['study']))}</caption>{rows}</table>"


def load_plan(folder: Path | str) -> Plan:
    """Read a plan that `Plan.save` wrote.

    Raises
    ------
    MissingFileError
        The folder holds no plan.
    InputError
        A file of the plan cannot be read.
    """
    folder = Path(folder)
    summary, tables = folder / SUMMARY, folder / TABLES_FOLDER
    if not summary.is_file() or not tables.is_dir():
        raise MissingFileError(
            f"holds no plan ({SUMMARY} and {TABLES_FOLDER}/). `planner run STUDY` makes one.",
            file=folder,
        )
    try:
        frames = {p.stem: _read_frame(p) for p in sorted(tables.glob("*.parquet"))}
        reach = frames.pop(_REACH)
        settings = make_settings(json.loads((tables / _SETTINGS).read_text(encoding="utf-8")))
        return Plan(
            settings=settings,
            tables=frames,
            summary=json.loads(summary.read_text(encoding="utf-8")),
            reach=_to_reach(reach, frames["demand"].index, frames["candidates"].index),
            network=_read_network(tables / _STREETS),
        )
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"the plan cannot be read ({error}). Run the study again.", file=folder
        ) from error


def to_json(value: object) -> str:
    """Return JSON with Chinese as it is, a fixed order and NaN as null."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Numbers of numpy and NaN as JSON knows them."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value


def _reach_table(reach: Reach) -> pd.DataFrame:
    """Positions, not identifiers: the tables beside it hold those."""
    matrix = reach.minutes
    table = pd.DataFrame(
        {
            "demand": np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr)),
            "facility": matrix.indices.astype(np.int32),
            "minutes": matrix.data,
        }
    )
    table.attrs = {
        "limit_min": reach.limit_min,
        "mode": reach.mode,
        "speed_kmh": reach.speed_kmh,
        "unsnapped_demand": reach.unsnapped_demand.tolist(),
        "unsnapped_facilities": reach.unsnapped_facilities.tolist(),
        "apart_demand": reach.apart_demand.tolist(),
        "apart_facilities": reach.apart_facilities.tolist(),
    }
    return table


def _to_reach(table: pd.DataFrame, demand_id: pd.Index, facility_id: pd.Index) -> Reach:
    shape = (len(demand_id), len(facility_id))
    start = np.searchsorted(table["demand"].to_numpy(), np.arange(shape[0] + 1))
    minutes = csr_array(
        (table["minutes"].to_numpy(), table["facility"].to_numpy(), start), shape=shape
    )
    note = table.attrs
    lost = ("unsnapped_demand", "unsnapped_facilities", "apart_demand", "apart_facilities")
    return Reach(
        minutes,
        demand_id,
        facility_id,
        note["limit_min"],
        note["mode"],
        note["speed_kmh"],
        **{name: pd.Index(note.get(name, []), dtype=object) for name in lost},
    )


def _read_network(path: Path) -> StreetNetwork | None:
    from planner.network.store import read_streets

    return read_streets(path) if path.exists() else None


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        return gpd.read_parquet(path)
    except ValueError:  # no geometry in it
        return pd.read_parquet(path)


def _write_text(path: Path, text: str) -> Path:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    return fresh.replace(path)


def _replace_folder(fresh: Path, target: Path) -> None:
    """Put a finished folder where another stands; the old one goes last."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
