"""Where a table lies: an address taken apart, and what a driver says without its password."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from planner.errors import InputError, PlannerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DUCKDB_FILE = re.compile(r"\.(duckdb|ddb)(#.*)?$", re.IGNORECASE)
_CONNECT_S = "10"


@dataclass(frozen=True)
class Address:
    """Where a table lies: a URL taken apart.

    Attributes
    ----------
    scheme
        ``postgresql``, ``duckdb`` or that of an Ibis backend.
    url
        For the driver: with the password, without the table.
    label
        For people and outputs: without user and password.
    table
        As written, empty if none is named.
    """

    scheme: str
    url: str = field(repr=False)
    label: str
    table: str

    def hide(self, text: str) -> str:
        """Return a driver's message without the password, in one line."""
        secret = urlsplit(self.url).netloc.rpartition("@")[0].partition(":")[2]
        for word in {secret, unquote(secret), self.url if secret else ""} - {""}:
            text = text.replace(word, "***")
        text = re.sub(
            r"^[A-Z_]+: |\[libpq\] |\s*(Query was|SQLSTATE): .*", "", text, flags=re.DOTALL
        )
        return " ".join(text.split())[:300].rstrip(". ")


def is_database(path: Path | str) -> bool:
    """Say whether a path of a study means a database: a URL or a DuckDB file.

    Examples
    --------
    >>> is_database("postgresql://planner@host/city#ops.fixes"), is_database("day.duckdb#fixes")
    (True, True)
    >>> is_database("activity/*.parquet")
    False
    """
    return bool(_URL.match(str(path)) or _DUCKDB_FILE.search(str(path)))


def read_address(path: Path | str) -> Address:
    """Take the address of a table apart; nothing is opened.

    Raises
    ------
    InputError
        A variable of the environment that it names is not set.

    Examples
    --------
    >>> read_address("postgresql://me:secret@db.city/ops?sslmode=require&table=gps.fixes")
    Address(scheme='postgresql', label='postgresql://db.city/ops', table='gps.fixes')
    >>> read_address("activity/day.duckdb#fixes")
    Address(scheme='duckdb', label='day.duckdb', table='fixes')
    """
    text = str(path)
    if not _URL.match(text):
        file, _, table = text.partition("#")
        return Address("duckdb", file, Path(file).name, table)
    parts = urlsplit(re.sub(r"\$\{(\w+)\}", _from_environment, text))
    scheme = parts.scheme.lower().partition("+")[0]
    scheme = "postgresql" if scheme == "postgres" else scheme
    query = parse_qsl(parts.query, keep_blank_values=True)
    table = unquote(parts.fragment) or dict(query).get("table", "")
    query = [(key, value) for key, value in query if key != "table"]
    if scheme == "duckdb":
        file = unquote(f"{parts.netloc}{parts.path}")
        return Address("duckdb", file, Path(file).name, table)
    if scheme == "postgresql" and "connect_timeout" not in dict(query):
        query.append(("connect_timeout", os.environ.get("PGCONNECT_TIMEOUT", _CONNECT_S)))
    host = parts.netloc.rpartition("@")[2]
    url = urlunsplit((scheme, parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))
    if not parts.netloc and not url.startswith(f"{scheme}://"):
        url = url.replace(":", "://", 1)  # of `postgresql:///db`, which urlunsplit shortens
    return Address(scheme, url, f"{scheme}://{host}{parts.path}", table)


def _from_environment(name: re.Match[str]) -> str:
    if name[1] not in os.environ:
        raise InputError(
            f"the database's address names ${{{name[1]}}}, which is not set. Set this variable of "
            "the environment."
        )
    return quote(os.environ[name[1]], safe="")


def import_driver(name: str, address: Address) -> ModuleType:
    """Import what reads a kind of database; `InputError` with the remedy if it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"reading a database needs the package `{name.partition('.')[0]}`, which is not "
            'installed. Install it: pip install "station-coverage-planner[databases]".',
            file=address.label,
        ) from error


@contextmanager
def told(address: Address, faults: type[Exception] | tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn a driver's errors into ours, without the password."""
    try:
        yield
    except PlannerError:
        raise
    except faults as error:
        raise InputError(_say(address.hide(str(error))), file=address.label) from None


def _say(message: str) -> str:
    plain = message.casefold()
    if "password" in plain or "authentication" in plain or ("role" in plain and "not" in plain):
        remedy = (
            "Check user and password; a password may stand in PGPASSWORD or ~/.pgpass, or in a "
            "variable that the address names as ${NAME}."
        )
    elif "lock" in plain:
        remedy = "Close the program that has it open for writing."
    elif "missing dependencies" in plain:
        remedy = "Install what it names."
    elif "database" in plain and "not exist" in plain:
        remedy = "Check the name after the host."
    elif "connect" in plain or "timeout" in plain:
        remedy = "Check that the server runs and that host and port are right."
    else:
        remedy = "Check the address, or export the table as Parquet and read that."
    return f"the database cannot be read ({message}). {remedy}"
