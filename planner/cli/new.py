"""`planner new`: a commented study to start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from pydantic import BaseModel

from planner.cli.screen import RESULTS
from planner.errors import InputError
from planner.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

HEAD = """# A study for the station coverage planner. Every key is shown with its default, commented
# out; take away the `#` of those you change. Paths are relative to this file.
"""
FILES = {
    "area": "districts.geojson",
    "activity": "activity/*.parquet",
    "stations": "stations.xlsx",
    "hosts": "hosts.geojson",
    "streets": "streets.osm.pbf",
}


def new(folder: Annotated[Path, typer.Argument(help="The study's folder.")]) -> None:
    """Write a commented study.toml with every setting and its default."""
    file = folder / "study.toml"
    if file.exists():
        raise InputError("exists already; it is left as it is.", file=file)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(study_template(), encoding="utf-8")
    RESULTS.print(f"{file}\nput your files beside it, then: planner check {folder}", markup=False)


def study_template() -> str:
    """Return a `study.toml` that names every section and key, as the settings declare them."""
    return HEAD + "\n".join(_sections())


def _sections() -> Iterator[str]:
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield f"\n[{section}]  # {(model.__doc__ or '').strip()}"
            plain = {n: f for n, f in model.model_fields.items() if model_of_rows(f) is None}
            yield from (_key(section, name, key) for name, key in plain.items())
            for name, field_of_rows in model.model_fields.items():
                yield from _example(f"{section}.{name}", field_of_rows)


def model_of_rows(field: FieldInfo) -> type[BaseModel] | None:
    """Return what the rows of an array of tables (`[[…]]`) are; None of any other key."""
    return None if get_origin(field.annotation) is dict else model_within(field)


def model_within(field: FieldInfo) -> type[BaseModel] | None:
    """Return what an array or a table of tables holds; None of any other key."""
    held = [a for a in get_args(field.annotation) if isinstance(a, type)]
    return next((a for a in held if issubclass(a, BaseModel)), None)


def _example(name: str, field: FieldInfo) -> Iterator[str]:
    """Lines of one row of an array of tables, commented out; keys without an example are empty."""
    model = model_of_rows(field)
    if model is not None:
        yield f"\n# [[{name}]]  # {field.description}"
        for key, told in model.model_fields.items():
            default = None if told.is_required() else told.get_default()
            value = told.examples[0] if told.examples else default
            yield f"# {told.alias or key} = {as_toml(value)}  # {told.description}"


def _key(section: str, name: str, field: FieldInfo) -> str:
    note = f"  # {field.description}" if field.description else ""
    if name == "file" and section in FILES:
        needed = section in ("activity", "streets")
        return f"{'' if needed else '# '}file = {as_toml(FILES[section])}{note}"
    default = as_toml(field.get_default(call_default_factory=True))
    return f"# {field.alias or name} = {default}{note}"


def as_toml(value: Any) -> str:
    """Return a default as TOML writes it; None as an empty text."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(as_toml(v) for v in value) + "]"
    return '""' if value is None else json.dumps(value, ensure_ascii=False)
