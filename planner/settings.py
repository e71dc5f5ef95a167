"""What a study can say: one frozen model a section of `study.toml`, every key with a default."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from planner.errors import MissingFileError, SettingsError, nearest_name
from planner.geo import Datum
from planner.questions import check_question

Mode = Literal["walk", "ebike", "drive"]
LocationModel = Literal[
    "mclp", "lscp", "backup", "gradual", "pmedian", "pcenter", "capacitated"
]  # fmt: skip
Hours = tuple[Annotated[float, Field(ge=0, le=24)], Annotated[float, Field(ge=0, le=24)]]

WALK_KMH = 4.0  # 1 km in 15 min (Shanghai's community-life circle)
SPEED_KMH: dict[str, float] = {"walk": WALK_KMH, "ebike": 15.0, "drive": 30.0}
DAYPARTS: dict[str, Hours] = {
    "morning": (6, 11),
    "noon": (11, 14),  # meal peak
    "afternoon": (14, 17),  # food riders rest (Beijing seed)
    "evening": (17, 21),  # meal peak
    "night": (21, 6),
}
StayClass = Literal["rest", "wait", "handover"]
STAY_CLASSES: dict[StayClass, tuple[float, float]] = {  # [from, to) minutes (guess)
    "handover": (0, 5),
    "wait": (5, 20),
    "rest": (20, 240),
}


class _Section(BaseModel):
    """Frozen; a key that is not declared is an error; an empty text is an absent value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any, info: ValidationInfo) -> Any:
        optional = cls.model_fields[str(info.field_name)].default is None
        return None if optional and value == "" else value


class StudySettings(_Section):
    """The study itself."""

    name: str = Field("", description="printed on every output; the folder's name if empty")
    language: Literal["zh", "en"] = Field("zh", description="of map, report and workbook")
    timezone: str = Field("Asia/Shanghai", description="IANA name; clock of hours and dayparts")
    datum: Datum = Field("wgs84", description="of every input unless the input says otherwise")
    seed: int = Field(0, ge=0, description="of everything drawn at random")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"is not an IANA time zone. Got {name!r}; e.g. Asia/Shanghai"
            ) from error
        return name


class InputSettings(_Section):
    """A file that is read."""

    file: str | None = Field(None, description="path or pattern, relative to study.toml")
    datum: Datum | None = Field(None, description="the study's datum if absent")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="our name = the file's name, where synonyms do not find it",
    )


class AreaSettings(InputSettings):
    """Polygons, one a district; without a file, the hull of the streets."""


class ActivitySettings(InputSettings):
    """What riders did."""

    file: str | None = Field(
        None,
        description="path or pattern, relative to study.toml; a DuckDB file, or a database's URL: "
        "postgresql://user@host/db#table",
    )
    kind: Literal["fixes", "orders", "stays", "counts"] = Field(
        "fixes", description="fixes | orders | stays | counts"
    )
    timezone: str | None = Field(
        None, description="clock of times without offset; the study's if absent"
    )
    engine: Literal["local", "spark"] = Field(
        "local", description="who finds stays: this process (bounded memory) or a Spark cluster"
    )
    master: str = Field("local[*]", description="Spark's master, e.g. spark://host:7077")
    radius_m: float = Field(100.0, gt=0, description="a stay's radius (Li et al. 2008)")
    min_stay_min: float = Field(
        5.0, gt=0, description="shortest stay that is demand; under 3 min noise grows"
    )
    max_stay_min: float = Field(240.0, gt=0, description="longer stays are depots (guess)")
    exclude_homes: bool = Field(
        True,
        description="leave out stays within 150 m of where a rider spends 3 h of the night (guess)",
    )

    @property
    def secret(self) -> bytes | None:
        """The key of pseudonyms, from the environment: a study's file is no place for it."""
        return os.environ.get("PLANNER_PSEUDONYM_KEY", "").encode() or None


class StationsSettings(InputSettings):
    """What exists and stays."""

    assumed_hours: str = Field(
        "09:00-17:00", description="where hours are missing (Shanghai's practice), flagged"
    )


class HostsSettings(InputSettings):
    """Existing premises that could be opened."""

    osm: bool = Field(False, description="take the amenities of the streets' OSM file")

    @model_validator(mode="after")
    def _one_source(self) -> HostsSettings:
        if self.osm and self.file:
            raise ValueError("name a `file` or set `osm = true`, not both")
        return self


Lonlat = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class StreetEdit(_Section):
    """A change to the streets: a passage or bridge, a road closed, a gate opened."""

    model_config = ConfigDict(populate_by_name=True)

    action: Literal["connect", "close", "open"] = Field(
        description="connect: a passage or bridge `from` – `to`; close: the street `at` a place, "
        "those of a name (`street`), those that the line `from` – `to` crosses or those `inside` "
        "an area; open: join the street ends within 25 m of `at`",
        examples=["connect"],
    )
    name: str = Field("", description="printed on outputs", examples=["back door of the mall"])
    from_: Lonlat | None = Field(
        None,
        alias="from",
        description="[longitude, latitude] in the study's datum, within 100 m of a street",
        examples=[[114.9362, 25.8473]],
    )
    to: Lonlat | None = Field(None, description="as `from`", examples=[[114.9371, 25.8469]])
    at: Lonlat | None = Field(None, description="as `from`; for close and open")
    inside: tuple[Lonlat, ...] | None = Field(
        None,
        min_length=3,
        description="for close: corners of an area that may not be entered, such as an estate; "
        "closed are streets of which the greater part lies in it",
    )
    street: str | None = Field(
        None, description="for close: streets of this name only, all of them or as told besides"
    )
    length_m: float | None = Field(
        None, gt=0, description="of what is connected; straight if absent"
    )
    oneway: bool = Field(False, description="what is connected leads `from` – `to` only")
    adopt: bool = Field(
        False, description="the plan counts with it; otherwise it is told as a what-if"
    )

    @model_validator(mode="after")
    def _places_fit_the_action(self) -> StreetEdit:
        line = self.from_ is not None and self.to is not None
        if (self.from_ is None) != (self.to is None):
            raise ValueError("names only one of `from` and `to`; give both")
        if self.action == "connect" and not (line and self.at is None):
            raise ValueError("connects `from` – `to`; give both as [longitude, latitude], no `at`")
        where = line + (self.at is not None) + (self.inside is not None)
        if self.action == "close" and (where > 1 or not (where or self.street)):
            raise ValueError(
                "closes a street `at` a place, a `street` by name, what the line `from` – `to` "
                "crosses or what lies `inside` an area; give one of them"
            )
        if self.action == "open" and (self.at is None or line):
            raise ValueError("opens a gate `at` a place; give it as [longitude, latitude]")
        if self.action != "connect" and (self.length_m is not None or self.oneway):
            raise ValueError("`length_m` and `oneway` are for the action connect only")
        if self.action != "close" and (self.street is not None or self.inside is not None):
            raise ValueError("`street` and `inside` are for the action close only")
        return self


class StreetsSettings(_Section):
    """Where the street network comes from."""

    file: str | None = Field(None, description="osm.pbf | osm | graphml | any line layer | npz")
    elevation: str | None = Field(
        None,
        description="walking by slope (Tobler): a raster of heights in metres, or `source` for "
        "those in the street file",
    )
    junction_s: float = Field(
        0.0, ge=0, le=600, description="seconds lost at every junction on the way (lights, waiting)"
    )
    water: str | None = Field(None, description="polygons of rivers and lakes, only drawn")
    attribution: str | None = Field(
        None, description="whom the map thanks for the streets; OpenStreetMap by the file's name"
    )
    edits: tuple[StreetEdit, ...] = Field(
        (), description="changes to the streets, a `[[streets.edits]]` each: what-ifs, or adopted"
    )


class ServiceSettings(_Section):
    """What “served” means."""

    mode: Mode = Field("walk", description="walk | ebike | drive")
    limit_min: float = Field(15.0, gt=0, le=120, description="Ganzhou's 15分钟服务圈")
    speed_kmh: float | None = Field(
        None, gt=0, le=120, description="walk 4.0, ebike 15.0 (legal cap), drive from OSM"
    )
    full_min: float = Field(
        5.0,
        ge=0,
        le=120,
        description="up to here the gradual share counts in full, from here to the limit ever less "
        "(guess)",
    )
    snap_m: float = Field(300.0, gt=0, description="farthest a point may lie from a street (guess)")

    @property
    def circle_kmh(self) -> float:
        """The one speed of the mode: what a circle on paper would be drawn with."""
        return self.speed_kmh or SPEED_KMH[self.mode]


class DemandSettings(_Section):
    """How stays become demand."""

    basis: Literal["auto", "stays", "presence"] = Field(
        "auto",
        description="what fixes weigh: stays, or where riders are every 5 min; auto takes presence "
        "only where there is under one stay a rider and day",
    )
    cell_m: float = Field(100.0, ge=20, le=5000, description="hexagon width")
    min_workers: int = Field(10, ge=5, description="privacy: distinct workers a cell (MDS)")
    merge_m: float = Field(
        400.0,
        ge=0,
        description="how far apart cells may stand that join to reach min_workers (guess); "
        "publish one value only, two can be subtracted",
    )
    dayparts: dict[str, Hours] = Field(
        default_factory=lambda: dict(DAYPARTS), description="name = [from, to) hours"
    )
    registered: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="registered workers by type, e.g. `{ food = 12000, courier = 3000 }`: what the "
        "sample is expanded to; empty = not at all",
    )
    need: dict[StayClass, Annotated[float, Field(ge=0)]] = Field(
        default_factory=lambda: dict.fromkeys(get_args(StayClass), 1.0),
        description="what a visit weighs by how long it lasts: rest 20–240 min, wait 5–20, "
        "handover under 5",
    )
    need_types: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="what a visit weighs by worker type; 1 if absent"
    )

    @field_validator("dayparts")
    @classmethod
    def _no_overlap(cls, dayparts: dict[str, Hours]) -> dict[str, Hours]:
        if not dayparts:
            raise ValueError("must name at least one daypart")
        owner: dict[int, str] = {}
        for name, (start, end) in dayparts.items():
            span = range(int(start * 2), int((end if end > start else end + 24) * 2))
            for half_hour in (h % 48 for h in span):
                if half_hour in owner:
                    raise ValueError(f"{name!r} overlaps {owner[half_hour]!r}")
                owner[half_hour] = name
        return dayparts


class CandidatesSettings(_Section):
    """Where a station could be."""

    kinds: tuple[Literal["hosts", "hotspots", "corners", "streets"], ...] = Field(
        ("hosts", "hotspots", "corners"),
        description="what may become a station: existing premises, medoids of hot spots, street "
        "corners, and points along the streets every `spacing_m`",
    )
    cluster: Literal["auto", "dbscan", "hdbscan", "kmeans"] = Field(
        "auto",
        description="how demand is grouped to hot spots: dbscan (compact dense groups), hdbscan "
        "(of any density), kmeans (busy points shared out); auto: dbscan up to 50,000 points, "
        "kmeans above",
    )
    host_classes: tuple[str, ...] = Field(
        (),
        description='which hosts are offered, e.g. `["community", "pharmacy", "fuel"]` or '
        '`["社区", "药店", "加油站"]`, of two on one spot the class named first; empty = all',
    )
    host_caps: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="at most so many hosts of a class, those that most demand reaches, e.g. "
        "`{ convenience = 100 }`",
    )
    spacing_m: float = Field(
        250.0, gt=0, description="between street corners and street points (guess)"
    )
    host_m: float = Field(
        100.0, ge=0, description="nothing is built this near to a host that could be opened (guess)"
    )
    shelter_m: float = Field(
        200.0,
        gt=0,
        description="where riders gather to rest with no station this near, straight line, they "
        "rest without shelter (guess)",
    )
    min_from_existing_m: float = Field(
        0.0, ge=0, description="nothing new is offered nearer to an existing station; 0 is free"
    )
    exclude: str | None = Field(
        None,
        description="polygons in which nothing may be opened, a file like `area.file`; what exists "
        "there stays",
    )
    max_count: int = Field(
        1500,
        ge=1,
        description="at most so many; those that another can replace go first, so that the best "
        "plan stays among them, or the plan tells what may be lost",
    )


class KindSettings(_Section):
    """What a place can become: an entry of `siting.kinds`."""

    action: Literal["activate", "build", "enlarge"] = Field(
        description="activate: existing premises; build: any candidate; enlarge: existing stations"
    )
    seats: float = Field(ge=0, description="that it has; of enlarge, that are added")
    cost: float = Field(0.0, ge=0, description="of one, in the unit of `siting.budget`")


class SitingSettings(_Section):
    """How many stations, chosen how."""

    model_config = ConfigDict(populate_by_name=True)

    model: LocationModel = Field(
        "mclp",
        description="mclp: most demand within the limit (Church & ReVelle 1974); lscp: fewest "
        "stations that bring `target_share` within it; backup: most demand within the limit of one "
        "station and of two (Hogan & ReVelle 1986); gradual: the nearer the more, in full up to "
        "`service.full_min` (Berman & Krass 2002); pmedian: least minutes in all; pcenter: "
        "least minutes of the farthest demand that can be reached; capacitated: most demand that "
        "seats within the limit can serve",
    )
    count: int = Field(10, ge=1, description="new stations; lscp finds its own number")
    target_share: float = Field(
        0.9, gt=0, le=1, description="for lscp: the share of the demand to bring within the limit"
    )
    backup_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="for backup: the part of a visit's weight that only a second station within "
        "the limit brings; 0 is mclp",
    )
    budget: float | None = Field(
        None,
        ge=0,
        description="what the new stations may cost together, with `cost`; for capacitated with "
        "`kinds`, what is enlarged included",
    )
    cost: dict[Literal["activate", "build"], Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description="what one costs, e.g. `{ activate = 1, build = 4 }`, with `budget`; for lscp "
        "also without, which seeks the cheapest",
    )
    min_district_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="at least this share of each district's demand within the limit; 0 is no "
        "floor. Not for pcenter. The plan tells what that costs in coverage",
    )
    required: tuple[str, ...] = Field(
        (), description="candidates, by identifier or name, that open in any case and first"
    )
    forbidden: tuple[str, ...] = Field(
        (), description="candidates, by identifier or name, that are never opened"
    )
    register_: str | None = Field(
        None,
        alias="register",
        description="a plan's workbook or layer of sites as planners edited it: rejected sites are "
        "not recommended again, agreed ones open first, opened ones exist, notes are kept",
    )
    min_spacing_m: float = Field(0.0, ge=0, description="between recommended stations")
    informal_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="up to this share of the new stations opens first where most riders rest "
        "without shelter and no station is within the limit (Leshan's rule); 0 leaves all to "
        "coverage",
    )
    new_hours: str = Field(
        "00:00-24:00", description="opening hours planned for new stations without a host's hours"
    )
    new_seats: float | None = Field(
        None, ge=0, description="seats a new station is planned with; empty: not told, adds none"
    )
    kinds: dict[str, KindSettings] = Field(
        default_factory=dict,
        description="for capacitated: what a place can become, of which it becomes one, e.g. "
        '`{ small = { action = "activate", seats = 8, cost = 1 }, large = { action = "build", '
        'seats = 30, cost = 4 }, annex = { action = "enlarge", seats = 10, cost = 2 } }`; empty: a '
        "station of `new_seats`",
    )
    visits_per_seat: float | None = Field(
        None,
        gt=0,
        description="for capacitated: visits that a seat serves a day; empty: hours open × 60 / "
        "mean stay in minutes × `seat_use`",
    )
    seat_use: float = Field(
        0.5,
        gt=0,
        le=1,
        description="for capacitated: share of the hours open that a seat is taken where all seats "
        "are wanted (guess)",
    )
    time_limit_s: float = Field(30.0, gt=0, description="for the proof; the plan is kept")
    gap: float = Field(1e-4, ge=0, lt=1, description="stop when proven this close to the best")
    reruns: int = Field(100, ge=0, le=1000, description="bootstrap runs behind `stability`")
    demand_change: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="for mclp without a floor: by how much of itself the demand of all, of one "
        "worker type, district or daypart grows and falls in the scenarios that the plan is tried "
        "on; 0 tries none (guess)",
    )

    @model_validator(mode="after")
    def _make_sense_together(self) -> SitingSettings:
        check_question(self.model, vars(self))
        return self


class ParkingSettings(_Section):
    """Friendly parking."""

    count: int = Field(20, ge=0, description="parking sites")
    min_stop_min: float = Field(3.0, gt=0, description="shortest stop that needs a bay (guess)")
    max_stop_min: float = Field(20.0, gt=0, description="longest stop that needs a bay (guess)")
    max_blocking: float = Field(0.05, gt=0, lt=1, description="arrivals that find no bay (guess)")
    door_m: float = Field(100.0, gt=0, description="bay to door, at most (guess)")
    station_m: float = Field(
        200.0, gt=0, description="bay to station, at most, to be linked (guess)"
    )


class ReportSettings(_Section):
    """What is written."""

    formats: tuple[Literal["html", "xlsx"], ...] = Field(
        ("html", "xlsx"), description="of the report"
    )
    review_number: str = Field("", description="审图号, printed on the map where one was granted")


class Settings(_Section):
    """A whole study. `folder` is where relative paths start."""

    study: StudySettings = StudySettings()
    area: AreaSettings = AreaSettings()
    activity: ActivitySettings = ActivitySettings()
    stations: StationsSettings = StationsSettings()
    hosts: HostsSettings = HostsSettings()
    streets: StreetsSettings = StreetsSettings()
    service: ServiceSettings = ServiceSettings()
    demand: DemandSettings = DemandSettings()
    candidates: CandidatesSettings = CandidatesSettings()
    siting: SitingSettings = SitingSettings()
    parking: ParkingSettings = ParkingSettings()
    report: ReportSettings = ReportSettings()
    folder: Path = Field(Path(), exclude=True)

    @property
    def name(self) -> str:
        """The study's name, or its folder's."""
        return self.study.name or self.folder.resolve().name

    def path(self, file: str) -> Path | str:
        """Return a path of the study, relative ones from its folder; a URL as it stands."""
        return file if "://" in file else self.folder / file

    def datum_of(self, section: InputSettings) -> Datum:
        """Return the datum of an input: its own, else the study's."""
        return section.datum or self.study.datum


def load_settings(file: Path | str, overrides: tuple[str, ...] = ()) -> Settings:
    """Read a `study.toml`.

    Parameters
    ----------
    file
        The file, or the folder that holds it.
    overrides
        Texts like ``siting.count=12``: TOML values that win over the file.

    Raises
    ------
    MissingFileError
        There is no such file.
    SettingsError
        The file is no TOML, a key is unknown (the nearest known one is named) or a value is out
        of its range; every fault is listed.
    """
    file = Path(file)
    file = file / "study.toml" if file.is_dir() else file
    if not file.is_file():
        raise MissingFileError(
            "no such study. `planner new DIR` writes one to start from.", file=file
        )
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8. Save it as UTF-8 and try again.") from error
    for text in overrides:
        _override(data, text)
    return make_settings(data, folder=file.parent, source=str(file))


def make_settings(
    data: dict[str, Any], *, folder: Path = Path(), source: str = "settings"
) -> Settings:
    """Check a plain dict of sections and return it as `Settings`; errors as `load_settings`."""
    if "folder" in data:
        raise SettingsError(f"{source}: unknown key `folder`. Paths start at the file itself.")
    try:
        return Settings.model_validate({**data, "folder": folder})
    except ValidationError as error:
        faults = "\n".join(f"  {_say(fault)}" for fault in error.errors())
        raise SettingsError(f"{source}:\n{faults}") from error


def _override(data: dict[str, Any], text: str) -> None:
    """Set one ``section.key=value`` in the plain dict; a value that is no TOML is taken as text."""
    path, sign, raw = text.partition("=")
    keys = path.strip().split(".")
    if not sign or len(keys) < 2 or not all(keys):
        raise SettingsError(f"`--set {text}` must read section.key=value, e.g. siting.count=12.")
    try:
        value = tomllib.loads(f"v = {raw}")["v"]
    except tomllib.TOMLDecodeError:
        value = raw
    for key in keys[:-1]:
        data = data.setdefault(key, {})
        if not isinstance(data, dict):
            raise SettingsError(f"`--set {text}`: `{key}` is no section.")
    data[keys[-1]] = value


def _say(fault: Any) -> str:
    """One pydantic fault as a sentence with the remedy."""
    keys = [str(k) for k in fault["loc"]]
    nth = ""
    if keys[:2] == ["streets", "edits"] and len(keys) > 2:
        nth = f"edit {int(keys.pop(2)) + 1}: "
    path = ".".join(keys)
    if fault["type"] == "extra_forbidden":
        known = _keys_at(keys[:-1])
        hint = nearest_name(keys[-1], known) or f" Known here: {', '.join(sorted(known))}."
        return f"{nth}unknown key `{path}`.{hint}"
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    got = "" if isinstance(fault["input"], dict) else f" Got {fault['input']!r}."
    sign = ":" if message.startswith(("`", "the model")) else ""  # a sentence of its own
    return f"{nth}`{path}`{sign} {message}.{got}"


def _keys_at(path: list[str]) -> list[str]:
    if path[:2] == ["streets", "edits"]:
        return edit_keys()
    fields = Settings.model_fields
    if not path:
        return [name for name in fields if name != "folder"]
    section = fields[path[0]].annotation if path[0] in fields else None
    return [field.alias or name for name, field in getattr(section, "model_fields", {}).items()]


def edit_keys() -> list[str]:
    """Return the keys of a `[[streets.edits]]` as `study.toml` writes them."""
    return [field.alias or name for name, field in StreetEdit.model_fields.items()]
