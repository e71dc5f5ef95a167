"""A street network in one file: saved once, read back in milliseconds, the same to the last bit."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError as UnknownCrsError

from planner.errors import InputError, MissingFileError, SettingsError
from planner.network.streets import StreetNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".npz"
_FORMAT = "planner streets"
_VERSION = 1
_NOTE = "note"  # what is no array, as JSON
_TEXT, _TEXT_ENDS = "names_utf8", "names_end"
_ARRAYS = (
    "x", "y", "tail", "head", "length_m", "forward_ms", "backward_ms", "name_code",
    "street_class", "vertex_ptr", "vertex_x", "vertex_y", "vertex_m",
)  # fmt: skip
_AGAIN = "Save it again with `save_streets`, or load the streets from their source."


def save_streets(streets: StreetNetwork, file: Path | str) -> Path:
    """Write a network to a file that `load_streets` reads back as it is.

    Parameters
    ----------
    streets
        The network.
    file
        Where to, ending in ``.npz``. What stood there is replaced once the new file is whole.

    Returns
    -------
    The path.

    Raises
    ------
    SettingsError
        The name ends otherwise.

    Notes
    -----
    Arrays of numpy without pickle: reading one never runs code. Equal networks give equal bytes.
    """
    file = Path(file)
    if file.suffix.lower() != SUFFIX:
        raise SettingsError(
            f"A saved street network must end in `{SUFFIX}`. Got `{file.name}`. Rename it."
        )
    names = [str(name).encode("utf-8", "surrogatepass") for name in streets.names]
    arrays = {name: getattr(streets, name) for name in _ARRAYS} | {
        _TEXT: np.frombuffer(b"".join(names), dtype=np.uint8),
        _TEXT_ENDS: np.cumsum([len(name) for name in names], dtype=np.int64),
        _NOTE: np.frombuffer(json.dumps(_note(streets)).encode(), dtype=np.uint8),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    try:
        with fresh.open("wb") as out:
            np.savez(out, **arrays)
        return fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def read_streets(file: Path | str) -> StreetNetwork:
    """Read a network that `save_streets` wrote.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        The file is damaged, is no street network, or comes from a newer version.
    """
    file = Path(file)
    if not file.is_file():
        raise MissingFileError("no such file. Check `streets.file`.", file=file)
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            held = {name: found[name] for name in found.files}
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"cannot be read as a saved street network: {error}. {_AGAIN}", file=file
        ) from error
    note = _checked_note(held, file)
    try:
        streets = _network(held, note)
    except (KeyError, TypeError, ValueError, UnknownCrsError) as error:
        raise InputError(f"is a damaged street network: {error}. {_AGAIN}", file=file) from error
    if fault := _fault(streets):
        raise InputError(f"is a damaged street network: {fault}. {_AGAIN}", file=file)
    return streets


def read_asked(
    file: Path, *, mode: str, speed_kmh: float | None, crs: Any, elevation: Path | str | None
) -> StreetNetwork:
    """Read a saved network and refuse it where it is not what is asked for.

    Raises
    ------
    InputError
        It was made for another mode, speed or CRS, or slopes are asked for.
    """
    streets = read_streets(file)
    asked = [
        ("mode", mode != streets.mode, f"`{mode}`", f"`{streets.mode}`"),
        (
            "speed_kmh",
            speed_kmh is not None and speed_kmh != streets.speed_kmh,
            f"{speed_kmh} km/h",
            f"{streets.speed_kmh:g} km/h",
        ),
        (
            "crs",
            crs is not None and CRS.from_user_input(crs) != streets.crs,
            f"{CRS.from_user_input(crs).to_string()[:40]}" if crs is not None else "",
            streets.crs.to_string()[:40],
        ),
        ("elevation", elevation is not None, "other slopes", "those they were saved with"),
    ]
    for name, differs, wanted, there in asked:
        if differs:
            raise InputError(
                f"the saved streets are for {there}, not {wanted} (`{name}`). Load them from "
                "their source and save them again, or ask for what they are for.",
                file=file,
            )
    return streets


def _note(streets: StreetNetwork) -> dict[str, Any]:
    """Return what is no array."""
    plain = {f.name: getattr(streets, f.name) for f in fields(streets)}
    plain = {k: v for k, v in plain.items() if k not in _ARRAYS and k != "names"}
    return plain | {
        "format": _FORMAT,
        "version": _VERSION,
        "crs": streets.crs.to_wkt(),
        "dropped": {reason: int(n) for reason, n in streets.dropped.items()},
    }


def _checked_note(held: Mapping[str, np.ndarray], file: Path) -> dict[str, Any]:
    """Return the note of a file that is one of ours; refuse the rest."""
    try:
        note = json.loads(held[_NOTE].tobytes())
        ours, version = note["format"] == _FORMAT, note["version"]
    except (KeyError, TypeError, ValueError):
        ours, version = False, 0
    if not ours:
        raise InputError(
            "holds numpy arrays, but no street network. Name a file that `save_streets` wrote.",
            file=file,
        )
    if version != _VERSION:
        raise InputError(
            f"was saved in format {version}; this planner reads format {_VERSION}. {_AGAIN}",
            file=file,
        )
    return note


def _network(held: Mapping[str, np.ndarray], note: dict[str, Any]) -> StreetNetwork:
    """Put arrays and note together again."""
    text, ends = held[_TEXT].tobytes(), held[_TEXT_ENDS].tolist()
    starts = [0, *ends[:-1]]
    names = [text[i:j].decode("utf-8", "surrogatepass") for i, j in zip(starts, ends, strict=True)]
    rest = {k: v for k, v in note.items() if k not in {"format", "version"}}
    rest |= {"crs": CRS.from_wkt(note["crs"]), "dropped": MappingProxyType(note["dropped"])}
    arrays: dict[str, Any] = {name: held[name] for name in _ARRAYS}
    return StreetNetwork(**arrays, names=np.array(names, dtype=object), **rest)


def _fault(streets: StreetNetwork) -> str:
    """Say what would send a kernel astray: a length or a number that cannot be."""
    n, m, ptr = streets.n_nodes, streets.n_edges, streets.vertex_ptr
    of_nodes = {len(streets.x), len(streets.y)}
    of_edges = {
        len(getattr(streets, name))
        for name in ("head", "length_m", "forward_ms", "backward_ms", "name_code", "street_class")
    }
    of_shape = {len(getattr(streets, name)) for name in ("vertex_x", "vertex_y", "vertex_m")}
    if not (of_nodes == {n} and of_edges == {m} and len(ptr) == m + 1 and of_shape == {ptr[-1]}):
        return "its arrays differ in length"
    for name, values, most in (
        ("tail", streets.tail, n),
        ("head", streets.head, n),
        ("name_code", streets.name_code, len(streets.names)),
        ("vertex_ptr", np.diff(ptr) - 2, ptr[-1]),
    ):
        if m and (values.min() < 0 or values.max() >= most):
            return f"`{name}` points to what is not there"
    return ""
