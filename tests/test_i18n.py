"""Every word that a user sees has its Chinese."""

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import planner
from planner.cli.screen import STAGES
from planner.i18n import translator
from planner.settings import DAYPARTS
from planner.summary import EXPANDED, MODES, NEEDED, VISITS

WORDLESS = {"of", "·", "/"}  # said by figures and signs alone
ROOT = Path(planner.__file__).parent


def messages():
    found = extract_from_dir(
        ROOT, method_map=[("**.py", "python")], keywords={"t": None}, comment_tags=()
    )
    return sorted({message for _, _, message, *_ in found if isinstance(message, str)})


def test_some_messages_are_found():
    assert len(messages()) > 15


@pytest.mark.parametrize(
    "message",
    [
        *messages(),
        *STAGES.values(),
        *MODES.values(),
        *VISITS.values(),
        *DAYPARTS,
        EXPANDED,
        NEEDED,
    ],
)
def test_message_has_chinese_with_the_same_blanks(message):
    chinese = translator("zh")(message)
    blanks = [{f for _, f, *_ in string.Formatter().parse(m) if f} for m in (message, chinese)]
    words = "".join(text for text, *_ in string.Formatter().parse(message)).split()
    assert any(ord(c) > 0x2E80 for c in chinese) or set(words) <= WORDLESS, message
    assert blanks[0] == blanks[1]


def test_unknown_message_is_said_in_english():
    assert translator("zh")("no such words {n}", n=3) == "no such words 3"
