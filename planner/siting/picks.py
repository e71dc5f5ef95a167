"""Candidates as a planner names them: by identifier or by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import SettingsError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_MOST_LISTED = 5


def pick_candidates(candidates: pd.DataFrame, named: Iterable[str], *, what: str) -> list[str]:
    """Find the candidates that are named, by identifier or else by host or other name.

    Parameters
    ----------
    candidates
        `candidates` table; columns read: `name`, `host_name`, `action`.
    named
        As a planner wrote them; blanks around them are ignored.
    what
        What the message calls the list, e.g. ``siting.required``.

    Returns
    -------
    list of str
        Identifiers in the order named.

    Raises
    ------
    SettingsError
        A name is unknown (the nearest one is suggested), stands for several candidates, is named
        twice, or is open already.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"name": ["Library", "A St"], "host_name": ["Library", None],
    ...     "action": ["activate", "build"]}, index=["host:1", "corner:7"])
    >>> pick_candidates(table, ["Library", "corner:7"], what="siting.required")
    ['host:1', 'corner:7']
    """
    found: list[str] = []
    for name in (str(text).strip() for text in named):
        candidate = _find(candidates, name, what)
        if candidates.loc[candidate, "action"] == "keep":
            raise SettingsError(
                f"`{what}` names {name!r}, which is open already. Leave it out of the list."
            )
        if candidate in found:
            raise SettingsError(f"`{what}` names {name!r} twice. Name every place once.")
        found.append(candidate)
    return found


def _find(candidates: pd.DataFrame, name: str, what: str) -> str:
    """Return the identifier of one name."""
    if name in candidates.index:
        return name
    called = candidates["name"].astype(str).eq(name) | candidates["host_name"].eq(name)
    ids = sorted(map(str, candidates.index[called]))
    if len(ids) == 1:
        return ids[0]
    if ids:
        more = ", …" if len(ids) > _MOST_LISTED else ""
        listed = ", ".join(f"`{i}`" for i in ids[:_MOST_LISTED])
        raise SettingsError(
            f"`{what}` names {name!r}, but {len(ids)} candidates are called so: {listed}{more}. "
            "Write the identifier of the one that is meant."
        )
    known = [*map(str, candidates.index), *candidates["name"].astype(str)]
    raise SettingsError(
        f"`{what}` names {name!r}, which is none of the {len(candidates)} candidates. Write "
        f"identifiers or names as in the table of candidates.{nearest_name(name, known)}"
    )
