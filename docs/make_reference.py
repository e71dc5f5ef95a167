"""Write `docs/reference.md` from what the code declares: `python docs/make_reference.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from planner.cli.new import as_toml, model_of_rows, model_within
from planner.settings import Settings
from planner.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Made from the code by `python docs/make_reference.py`; a test keeps it true.
"""


def make_reference() -> str:
    """Return the page."""
    return HEAD + "".join([*_settings(), *_tables()])


def _settings() -> Iterator[str]:
    yield "\n## Settings (`study.toml`)\n"
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _keys(f"[{section}]", model)
            for name, key in model.model_fields.items():
                held, rows = model_within(key), model_of_rows(key)
                if held is not None:
                    title = f"{section}.{name}" if rows else f"{section}.{name}.NAME"
                    yield from _keys(f"[[{title}]]" if rows else f"[{title}]", held)


def _keys(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"\n### {title}\n{(model.__doc__ or '').strip()}\n\n"
    yield "| key | default | meaning |\n|---|---|---|\n"
    for name, key in model.model_fields.items():
        default = key.get_default(call_default_factory=True)
        told = "needed" if key.is_required() else f"`{as_toml(default)}`"
        meaning = (key.description or "").replace("|", "\\|")
        yield f"| `{key.alias or name}` | {told} | {meaning} |\n"


def _tables() -> Iterator[str]:
    yield "\n## Tables\n\nAll in one metric CRS; the index is named `<table>_id`.\n"
    for name, columns in TABLES.items():
        yield f"\n### {name}\n| column | type | unit | meaning |\n|---|---|---|---|\n"
        for column, spec in columns.items():
            kind = spec.dtype + (", may be empty" if spec.nullable else "")
            yield f"| `{column}` | {kind} | {spec.unit} | {spec.meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(make_reference(), encoding="utf-8")
