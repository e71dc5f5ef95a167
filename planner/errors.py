"""Every error the planner raises on purpose.

::

    PlannerError
    ├── InputError(ValueError)        a file, table or value from outside is wrong
    │   ├── MissingFileError(FileNotFoundError)
    │   ├── ColumnError(KeyError)     a column is missing
    │   └── CrsError                  degrees where metres are needed, or no CRS at all
    ├── SettingsError(ValueError)     study.toml or an argument is wrong
    └── NoSolutionError(RuntimeError) a location model has no feasible answer

Each message says what is wrong and where, then the remedy in one sentence. The command line prints
it without a traceback and leaves with exit code 2.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class PlannerError(Exception):
    """The root of the tree: catch it to catch every error of the planner."""

    def __str__(self) -> str:
        """Return the plain message (`KeyError` would quote it)."""
        return " ".join(str(a) for a in self.args)


class InputError(PlannerError, ValueError):
    """A file, table or value from outside is wrong.

    Parameters
    ----------
    message
        What is wrong and, in a last sentence, the remedy.
    file
        The file it was found in.
    row
        The row as a person counts it in that file: the header is row 1.
    column
        The column's name in the file.
    """

    def __init__(
        self,
        message: str,
        *,
        file: Path | str | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        place = [str(file)] if file is not None else []
        place += [f"row {row}"] if row is not None else []
        place += [f"column `{column}`"] if column is not None else []
        super().__init__(f"{', '.join(place)}: {message}" if place else message)
        self.file, self.row, self.column = file, row, column


class MissingFileError(InputError, FileNotFoundError):
    """A file that the study names does not exist."""


class ColumnError(InputError, KeyError):
    """A table lacks a column that is needed."""


class CrsError(InputError):
    """A table has no CRS, or degrees where metres are needed."""


class SettingsError(PlannerError, ValueError):
    """`study.toml` or an argument is wrong."""


class NoSolutionError(PlannerError, RuntimeError):
    """A location model has no feasible answer."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean `x`?`` for the known name most like `name`, or an empty text.

    Examples
    --------
    >>> nearest_name("cuont", ["count", "model"])
    ' Did you mean `count`?'
    >>> nearest_name("zzz", ["count"])
    ''
    """
    match = get_close_matches(name, list(known), n=1, cutoff=0.55)
    return f" Did you mean `{match[0]}`?" if match else ""
