"""Everything a study names, loaded into one metric CRS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner import load
from planner.errors import SettingsError
from planner.load.files import fingerprint
from planner.network import StreetNetwork, edit_streets, load_streets, trace_edits
from planner.network.load import REMARKS
from planner.network.slope import SOURCE
from planner.progress import OnStage, Stages

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from planner.activity import FixFeed
    from planner.settings import Settings


@dataclass(frozen=True)
class Inputs:
    """What a study brings, in one metric CRS."""

    area: gpd.GeoDataFrame
    streets: StreetNetwork  # with the study's adopted edits
    activity: gpd.GeoDataFrame | FixFeed  # fixes are a feed
    stations: gpd.GeoDataFrame | None
    hosts: gpd.GeoDataFrame | None
    register: gpd.GeoDataFrame | None  # what planners decided on sites
    water: gpd.GeoDataFrame | None
    exclude: gpd.GeoDataFrame | None  # where nothing may be opened
    notes: dict[str, dict[str, Any]]  # name → what was read and lost (`tables.record_input`)
    unedited: StreetNetwork  # the streets as their file has them


def load_inputs(s: Settings, *, on_stage: OnStage | None = None) -> Inputs:
    """Load every file that a study names.

    Raises
    ------
    SettingsError
        The study names no activity or no streets.
    InputError
        A file is missing or wrong.
    """
    stage = Stages(on_stage)
    for section in ("activity", "streets"):
        if getattr(s, section).file is None:
            raise SettingsError(f"the study names no `{section}.file`. Add it to study.toml.")
    mode, speed = s.service.mode, s.service.speed_kmh
    area = stage("area", _load, s, "area", load.load_area) if s.area.file else None
    streets = stage(
        "streets", load_streets, s.path(str(s.streets.file)), mode=mode, speed_kmh=speed,
        crs=None if area is None else area.crs, elevation=_elevation(s),
        junction_s=s.streets.junction_s,
    )  # fmt: skip
    if area is None:
        area = load.area_from_streets(streets.lines(), s.name)
    edited = _adopt(s, streets)
    activity = _open_activity(s, area, stage)
    stations = None
    if s.stations.file:
        hours = s.stations.assumed_hours
        stations = stage(
            "stations", _load, s, "stations", load.load_stations, area=area, assumed_hours=hours
        )
    hosts = stage("hosts", _load_hosts, s, area)
    register = None
    if s.siting.register_:
        register = stage("register", load.load_register, s.path(s.siting.register_), area=area)
    read = {
        "area": area, "activity": activity, "stations": stations, "hosts": hosts,
        "register": register,
    }  # fmt: skip
    attrs = {name: getattr(table, "attrs", {}) for name, table in read.items()}
    notes = {name: said["input"] for name, said in attrs.items() if "input" in said}
    notes["streets"] = _note_streets(s, streets)
    if register is not None:
        stations = load.add_opened(stations, register, s.stations.assumed_hours)
    water, exclude = (_load_polygons(s, f, area) for f in (s.streets.water, s.candidates.exclude))
    return Inputs(
        area, edited, activity, stations, hosts, register, water, exclude, notes, unedited=streets
    )


def _adopt(s: Settings, streets: StreetNetwork) -> StreetNetwork:
    """Return the streets with the edits that the study adopts; all its edits must be possible."""
    edits, datum = s.streets.edits, s.study.datum
    adopted = {number for number, edit in enumerate(edits, 1) if edit.adopt}
    for number in range(1, len(edits) + 1):
        trace_edits(streets, edits, datum=datum, only=adopted | {number})
    return edit_streets(streets, edits, datum=datum, only=adopted)


def _open_activity(
    s: Settings, area: gpd.GeoDataFrame, stage: Stages
) -> gpd.GeoDataFrame | FixFeed:
    """Load what riders did; fixes are only opened, they are read while stays are looked for."""
    clocks = {"timezone": s.study.timezone, "clock": s.activity.timezone}
    if s.activity.kind == "fixes":
        return _load(s, "activity", load.scan_activity, area=area, **clocks)
    return stage(
        "activity", _load, s, "activity", load.load_activity, area=area, kind=s.activity.kind,
        **clocks,
    )  # fmt: skip


def _load(s: Settings, section: str, loader: Callable[..., Any], **options: object) -> Any:
    """Call a loader with what every input section says: file, datum and columns."""
    given = getattr(s, section)
    return loader(
        s.path(given.file), datum=s.datum_of(given), columns=given.columns or None, **options
    )


def _elevation(s: Settings) -> Path | str | None:
    """Return where heights come from: a file of the study, or the street source itself."""
    given = s.streets.elevation
    return given if given in (None, SOURCE) else s.path(given)


def _dem(s: Settings) -> list[Path]:
    """Return the raster of heights as far as walking goes by it."""
    given = _elevation(s)
    return [] if s.service.mode != "walk" or given in (None, SOURCE) else [Path(str(given))]


def _note_streets(s: Settings, streets: StreetNetwork) -> dict[str, Any]:
    """Count the edges of the network as the rows of its file."""
    path = Path(s.path(str(s.streets.file)))
    remarks = {what: n for what, n in streets.dropped.items() if what in REMARKS}
    dropped = {why: n for why, n in streets.dropped.items() if why not in REMARKS}
    lost = sum(dropped.values())
    return {
        "file": path.name,
        "rows": streets.n_edges + lost,
        "kept": streets.n_edges,
        "dropped": dropped,
        "examples": {},
        "notes": remarks,
        "sha256": fingerprint([path, *_dem(s)]),
    }


def _load_hosts(s: Settings, area: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    if s.hosts.osm:
        return load.load_hosts(s.path(str(s.streets.file)), area=area)
    return _load(s, "hosts", load.load_hosts, area=area) if s.hosts.file else None


def _load_polygons(
    s: Settings, file: str | None, area: gpd.GeoDataFrame
) -> gpd.GeoDataFrame | None:
    """Load named polygons of the study's datum: water, and where nothing may be opened."""
    if file is None:
        return None
    return load.load_area(s.path(file), datum=s.study.datum)[["name", "geometry"]].to_crs(area.crs)
