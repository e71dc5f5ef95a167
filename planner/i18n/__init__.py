"""Words in the study's language, from gettext catalogues (`i18n/zh/*.po`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = ("zh", "en")


class Translate(Protocol):
    """``t("covered {n}", n=3)``: the message in one language, its `{names}` filled in."""

    def __call__(self, message: str, /, **values: object) -> str:
        """Return the message in one language."""


def translator(language: str) -> Translate:
    """Return the function that says an English message in `language` (``zh`` or ``en``).

    A message without a translation is said in English.

    Examples
    --------
    >>> translator("en")("{n} sites", n=3)
    '3 sites'
    """
    catalogue = _catalogue(language)

    def translate(message: str, /, **values: object) -> str:
        text = str(catalogue.gettext(message)) if catalogue else message
        return text.format(**values) if values else text

    return translate


@cache
def _catalogue(language: str) -> Translations | None:
    """All `.po` files of a language as one; English needs none, its words are the messages."""
    folder = files(__package__).joinpath(language)
    if language == "en" or not folder.is_dir():
        return None
    merged = Translations()
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".po"):
            compiled = BytesIO()
            with entry.open("rb") as file:
                write_mo(compiled, read_po(file, locale=language))
            compiled.seek(0)
            merged.merge(Translations(compiled))
    return merged
