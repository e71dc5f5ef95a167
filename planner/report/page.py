"""A page of the report family: a template with the style sheet in it, in one file."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


def render_page(template: str, *, footer: str, **values: Any) -> str:
    """Return a page as HTML text that runs no script and asks the network for nothing.

    Parameters
    ----------
    template
        A file of ``report/templates``.
    footer
        What stands at the foot of every printed page.
    **values
        What the template names.
    """
    style = Markup(_style(footer))  # noqa: S704  our own file and an escaped name
    digest = b64encode(sha256(style.encode()).digest()).decode()
    page = _environment().get_template(template)
    return page.render(**values, style=style, style_hash=digest)


def write_page(text: str, path: Path | str) -> Path:
    """Write a page; a file that stands there is replaced at once."""
    path = Path(path)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return fresh.replace(path)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("planner.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["digits"] = _digits
    environment.filters["code"] = _code
    return environment


def _digits(percentage: str) -> str:
    """Take a percentage's sign away: the column's head has it."""
    return percentage.rstrip("%\u202f")


def _code(text: str) -> Markup:
    """Set what stands between backticks as code; the rest is escaped.

    Examples
    --------
    >>> print(_code("Set `a.b = 1` if a < b"))
    Set <code>a.b = 1</code> if a &lt; b
    """
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # a lone backtick is none
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _style(footer: str) -> str:
    """Return the style sheet, the footer's words in it as a CSS string."""
    text = files("planner.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    return text.replace('"the study"', _css_string(footer))


def _css_string(text: str) -> str:
    r"""Return a CSS string; everything but letters, digits and CJK is written as its number.

    Examples
    --------
    >>> print(_css_string("江 1</style>"))
    "江\20 1\3c \2f style\3e "
    """
    return '"' + "".join(c if c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'
