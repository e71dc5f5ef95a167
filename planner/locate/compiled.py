"""Compile kernels with numba, on disk where that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function to machine code and keep it for the next run.

    numba refuses to decorate where it finds no folder to keep code in (a read-only installation
    without a home); then every process compiles anew, which costs seconds but works.
    """
    try:
        return njit(cache=True)(function)
    except (RuntimeError, OSError):
        return njit(function)
