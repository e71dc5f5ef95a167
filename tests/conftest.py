"""What all tests share: where the real data lies, and the sample city made once."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared():
    """The folder of real data; tests that need it skip where it is absent."""
    root = Path(os.environ.get("PLANNER_SHARED", Path(__file__).parents[1] / ".." / "shared"))
    if not (root / "data").is_dir():
        pytest.skip("the shared real data is absent: set PLANNER_SHARED to its folder")
    return (root / "data").resolve()
