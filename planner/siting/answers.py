"""What answers about a finished plan share: the site that is asked about, and their look."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from planner.errors import InputError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from planner.plan import Plan


def site_of(plan: Plan, site_id: str) -> pd.Series:
    """Return the row of a site.

    Raises
    ------
    InputError
        The plan has no such site.
    """
    sites = plan.tables["sites"]
    if site_id not in sites.index:
        raise InputError(
            f"the plan has no site `{site_id}`. It has {_listing(sites.index.tolist())}."
            f"{nearest_name(str(site_id).upper(), sites.index)}"
        )
    return sites.loc[[site_id]].iloc[0]


def show_rows(rows: Iterable[tuple[str, str]], title: str | None = None) -> str:
    """Return label and value pairs as the table that a notebook shows."""
    body = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>" for label, value in rows
    )
    caption = "" if title is None else f"<caption>{escape(title)}</caption>"
    return f"<table>{caption}{body}</table>"


def _listing(names: list[str]) -> str:
    """Name the first and the last of many."""
    if len(names) <= 1:
        return f"`{names[0]}`" if names else "none"
    return f"`{names[0]}` to `{names[-1]}`"
