"""The page says nothing that is not in the catalogues, in both languages."""

import re
import string
from importlib.resources import files

import pytest
from babel.messages.pofile import read_po

from planner.draw.words import WORDS, page_words

SCRIPTS = "\n".join(
    entry.read_text(encoding="utf-8")
    for entry in sorted(files("planner.draw").joinpath("page").iterdir(), key=lambda e: e.name)
    if entry.name.endswith(".js")
)


def test_every_word_the_scripts_ask_for_is_there():
    asked = set(re.findall(r'(?:say|tell)\("(\w+)"', SCRIPTS))
    asked |= set(re.findall(r'\b(?:layer|hit)_\w+\b(?=")', SCRIPTS))
    assert len(asked) > 40
    assert asked <= set(WORDS)


@pytest.mark.parametrize("key", WORDS)
def test_every_word_is_used(key):
    made_up = [
        p
        for p in ("layer_", "kind_", "part_", "mode_", "action_", "status_", "headline")
        if key.startswith(p)
    ]
    assert (
        re.search(rf'["`]{key}["`]', SCRIPTS)
        or any(p in SCRIPTS for p in made_up)
        or key == "noScript"
    )


@pytest.mark.parametrize("key", WORDS)
def test_chinese_has_the_same_blanks(key):
    blanks = [
        {field for _, field, *_ in string.Formatter().parse(page_words()[language][key]) if field}
        for language in ("zh", "en")
    ]
    assert blanks[0] == blanks[1]
    assert any(ord(c) > 0x2E80 for c in page_words()["zh"][key])


def test_no_other_catalogue_says_it_differently():
    with files("planner.i18n").joinpath("zh", "draw.po").open("rb") as file:
        own = {m.id: m.string for m in read_po(file, locale="zh") if m.id}
    assert set(own) == set(WORDS.values())
    assert {k: page_words()["zh"][k] for k in WORDS} == {k: own[m] for k, m in WORDS.items()}
