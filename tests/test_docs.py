"""The docs say what the code does."""

import doctest
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_reference_is_what_the_code_declares():
    made = runpy.run_path(str(DOCS / "make_reference.py"))["make_reference"]()
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == made


def test_examples_of_the_models_are_what_they_return():
    found = doctest.testfile(
        str(DOCS / "models.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 20
    assert not found.failed
