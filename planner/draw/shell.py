"""One HTML page that shows a plan without fetching anything: a folium map, everything else inlined.

The page's text comes from three places only: markup and scripts of this package, the words of the
catalogues, and one packed JSON of the study, whose strings the scripts show as text, never as
markup. A policy in the head lets exactly these scripts run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Element, Figure
from jinja2 import Template

from planner.draw.words import page_words

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOM = files("planner.draw")
_SCRIPTS = (
    "dom", "packed", "canvas", "streets", "cells", "whatif", "words", "store", "layers", "edits",
    "markers", "places", "popups", "legend", "card", "sheet", "search", "controls", "address",
    "main",
)  # fmt: skip
_STYLES = ("frame", "card", "controls", "marks", "phone", "print")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class _Verbatim(Element):
    """Text that Jinja must not read: `{#` and `{{` occur in honest JavaScript."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class OfflinePage(Figure):
    """A figure that fetches nothing: its policy names the scripts it was rendered with."""

    _template = Template(
        '<!DOCTYPE html>\n<html class="pm-full">\n<head>\n{{ this.header.render(**kwargs) }}\n'
        "</head>\n<body>\n{{ this.html.render(**kwargs) }}\n"
        "<script>{{ this.script.render(**kwargs) }}</script>\n</body>\n</html>\n"
    )

    def render(self, **kwargs: Any) -> str:
        """Return the page."""
        page = super().render(**kwargs)
        hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in _SCRIPT.findall(page))
        policy = (
            "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
            f"script-src {hashes}; base-uri 'none'; form-action 'none'"
        )
        head = (
            '<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        )
        return page.replace("<head>", head, 1)


class PlanMap(folium.Map):
    """A folium map that carries a whole plan; `save` writes one file that needs no network.

    Parameters
    ----------
    blobs
        What `planner.draw.content.pack_content` returned.
    language
        The language it opens in; the other is one click away.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="pm" id="{{ this.get_name() }}_page">
          <div class="folium-map pm-map" id="{{ this.get_name() }}"></div>
          <noscript><p class="pm-message">{{ this.no_script }}</p></noscript>
        </div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = L.map("{{ this.get_name() }}",
          {center: [0, 0], zoom: 8, minZoom: 8, maxZoom: 18, zoomSnap: 0.5, zoomControl: false,
           attributionControl: false, fadeAnimation: false});
        startPlanMap({{ this.get_name() }}, document.getElementById("{{ this.get_name() }}_page"),
          PLAN_WORDS, "{{ this.language }}");
        {% endmacro %}
        """
    )

    def __init__(self, blobs: Mapping[str, str], *, language: str = "zh") -> None:
        super().__init__(tiles=None)
        self.default_js: list[Any] = []  # without folium's ten links
        self.default_css: list[Any] = []
        self.blobs, self.language = dict(blobs), language
        self.no_script = page_words()[language]["noScript"]
        self._id = hashlib.sha256("".join(self.blobs.values()).encode()).hexdigest()[:12]
        OfflinePage(ratio="66%").add_child(self)

    def render(self, **kwargs: Any) -> None:
        """Put the parts of the page into the figure that the map stands in."""
        figure = self.get_root()
        for name, text in _assets().items():
            figure.header.add_child(_Verbatim(text), name=name)
        super().render(**kwargs)
        for name, text in self.blobs.items():
            blob = f'<script type="application/octet-stream" id="{self.get_name()}_{name}">{text}'
            figure.html.add_child(_Verbatim(f"{blob}</script>"), name=f"{self.get_name()}_{name}")


@cache
def _assets() -> dict[str, str]:
    """Return what all maps of a page share: added once however many there are."""
    leaflet = _read("vendor/leaflet/leaflet.js").replace("//# sourceMappingURL=leaflet.js.map", "")
    parts = "\n".join(_read(f"page/{name}.js") for name in _SCRIPTS)
    words = json.dumps(page_words(), ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    styles = "\n".join(_read(f"page/{name}.css") for name in _STYLES)
    return {
        "plan_viewport": '<meta name="viewport" content="width=device-width, initial-scale=1, '
        'viewport-fit=cover">',
        "plan_styles": f"<style>{_inline_pictures(_read('vendor/leaflet/leaflet.css'))}</style>\n"
        f"<style>{styles}</style>",
        "plan_leaflet": _script(leaflet),
        "plan_script": _script(
            f'(() => {{\n"use strict";\n{parts}\nwindow.startPlanMap = startPlanMap;\n}})();\n'
            f"const PLAN_WORDS = {words};"
        ),
    }


def _read(name: str) -> str:
    return _ROOM.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _script(code: str) -> str:
    if "</script" in code.lower():
        raise ValueError("a script must not hold its own end tag")
    return f"<script>{code}</script>"


def _inline_pictures(css: str) -> str:
    """Return Leaflet's styles with the pictures in them."""

    def inline(match: re.Match[str]) -> str:
        picture = _ROOM.joinpath("vendor", "leaflet", "images", match[1]).read_bytes()
        return f"url(data:image/png;base64,{base64.b64encode(picture).decode('ascii')})"

    return re.sub(r"url\(images/([\w.-]+)\)", inline, css)


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
