"""Compile kernels with numba, on disk where that is possible."""

from __future__ import annotations

import hashlib
import os
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba import config, njit
from numba.core import event
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


def working_seconds() -> float:
    """Return the clock's seconds without those that kernels took to compile: for time limits.

    A machine's first run compiles for a minute; what it may work must not depend on that.
    """
    return time.perf_counter() - _compiling.seconds


class _Compiling(event.Listener):
    """Adds up the seconds in which kernels are compiled, those within others once."""

    def __init__(self) -> None:
        self.seconds, self.depth, self.began = 0.0, 0, 0.0

    def on_start(self, event: event.Event) -> None:  # noqa: ARG002 - numba's signature
        if self.depth == 0:
            self.began = time.perf_counter()
        self.depth += 1

    def on_end(self, event: event.Event) -> None:  # noqa: ARG002
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.perf_counter() - self.began


_compiling = _Compiling()
event.register("numba:compile", _compiling)


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
