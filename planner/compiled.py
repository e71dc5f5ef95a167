"""Compile kernels with numba, on disk where that is possible."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba import config, njit
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function to machine code that runs without the GIL.

    The result is kept on disk, so that only the first run on a machine compiles: beside the module,
    or in the user's cache folder, or where `NUMBA_CACHE_DIR` says. Where none of them can be
    written every process compiles anew, which costs seconds but works.

    Notes
    -----
    Numba takes a cached kernel for fresh as long as its own file is unchanged, also when a kernel
    that it calls has changed. So the folder goes by the contents of all modules of the room.
    """
    chosen = config.CACHE_DIR
    config.CACHE_DIR = str(_folder(Path(function.__code__.co_filename).parent, chosen))
    try:
        return njit(nogil=True, cache=True)(function)
    except (RuntimeError, OSError):
        return njit(nogil=True)(function)
    finally:
        config.CACHE_DIR = chosen


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a small function into each kernel that calls it."""
    return njit(nogil=True, inline="always")(function)


@cache
def _folder(room: Path, chosen: str) -> Path:
    digest = hashlib.sha256()
    for module in sorted(room.glob("*.py")):
        digest.update(module.read_bytes())
    if chosen:
        base = Path(chosen)
    else:
        base = room / "__pycache__" if os.access(room, os.W_OK) else user_cache_path("planner")
    return base / f"kernels-{digest.hexdigest()[:16]}"
