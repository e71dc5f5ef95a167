"""A small SVG writer: elements as escaped markup, geometries as short paths."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

INK, SECOND = "#1F2933", "#616E7C"
SITE, EXISTING, PARKING = "#D55E00", "#0072B2", "#009E73"
RULE, FAINT = "#D5D8DC", "#E8EAED"
WATER, REACHED, DISTRICT_LINE = "#DCEAF2", "#D9DCE0", "#8A9099"
UNMET = ("#F2E9F4", "#D9C3DF", "#B594C1", "#8F609C", "#6A2C70")


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return one element; text children and attribute values are escaped.

    Parameters
    ----------
    tag
        Its name.
    *children
        Markup as it is, anything else as text.
    **attributes
        ``stroke_width`` becomes ``stroke-width``, ``class_`` becomes ``class``; None is left out.

    Examples
    --------
    >>> str(element("text", "<b>", x=1.50, class_="axis"))
    '<text x="1.5" class="axis">&lt;b&gt;</text>'
    >>> str(element("path", d="M0 0", fill=None))
    '<path d="M0 0"/>'
    """
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{tag}{said}>{inside}</{tag}>" if children else f"<{tag}{said}/>")  # noqa: S704


def group(children: Iterable[Any], **attributes: Any) -> Markup:
    """Return a ``g`` of the children."""
    return element("g", *children, **attributes)


def drawing(
    children: Iterable[Any], *, width: float, height: float, label: str, class_: str
) -> Markup:
    """Return a whole picture in its own units; `label` says in words what it shows."""
    return element(
        "svg",
        element("title", label),
        *children,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        class_=class_,
    )


def _value(value: Any) -> str:
    """Numbers with one decimal at most, the rest as text."""
    if isinstance(value, (float, np.floating)):
        text = f"{value:.1f}".removesuffix(".0")
        return "0" if text == "-0" else text
    return str(value)


# ── text ──────────────────────────────────────────────────────────────────────────────────────


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is: a full em for CJK, 0.56 em for the rest."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56 for c in text) * size


def shorten(text: str, size: float, width: float) -> str:
    """Return the text cut with an ellipsis where it would be wider than `width`.

    Examples
    --------
    >>> shorten("沙河工业园社区服务中心", 10.0, 60.0), shorten("North", 10.0, 60.0)
    ('沙河工业园…', 'North')
    """
    if text_width(text, size) <= width:
        return text
    while text and text_width(text, size) + size > width + 0.01:
        text = text[:-1]
    return f"{text.rstrip()}…"


# ── paths ─────────────────────────────────────────────────────────────────────────────────────


def line_path(lines: np.ndarray) -> str:
    """Return one path through all lines, in whole units, steps relative.

    Parameters
    ----------
    lines
        LineStrings in the picture's units, y downwards. Those that shrink to a dot are dropped.

    Examples
    --------
    >>> line_path(shapely.from_wkt(["LINESTRING(0 0, 3.2 4, 3 4, 9 -1)"]))
    'M0 0l3 4l6-5'
    """
    return "".join(_steps(xy) for xy in _rounded(lines) if len(xy) > 1)


def area_path(areas: np.ndarray) -> str:
    """Return one path round all polygons and their holes, in whole units, for ``evenodd``.

    Examples
    --------
    >>> area_path(shapely.from_wkt(["POLYGON((0 0, 0 4, 4 4, 4 0, 0 0))"]))
    'M0 0l0 4l4 0l0-4z'
    """
    parts = shapely.get_parts(areas)
    rings = shapely.get_rings(parts[shapely.get_type_id(parts) == 3])
    return "".join(_steps(xy[:-1]) + "z" for xy in _rounded(rings) if len(xy) > 3)


def _rounded(lines: np.ndarray) -> list[np.ndarray]:
    """Coordinates of each line in whole units, repeated points once."""
    if not len(lines):
        return []
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    whole = np.rint(xy).astype(np.int64)
    fresh = np.r_[True, (np.diff(whole, axis=0) != 0).any(axis=1) | (np.diff(owner) != 0)]
    whole, owner = whole[fresh], owner[fresh]
    cuts = np.flatnonzero(np.diff(owner)) + 1
    return np.split(whole, cuts)


def _steps(xy: np.ndarray) -> str:
    steps = "".join(
        f"l{dx}{dy}" if dy < 0 else f"l{dx} {dy}" for dx, dy in np.diff(xy, axis=0).tolist()
    )
    return f"M{xy[0, 0]} {xy[0, 1]}{steps}"
