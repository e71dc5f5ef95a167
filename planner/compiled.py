"""Compile kernels with numba, on disk where that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function to machine code that runs without the GIL.

    The result is kept beside the module, or in the user's cache folder, so that only the first run
    on a machine compiles. Where neither can be written (a read-only installation without a home,
    or a `NUMBA_CACHE_DIR` that cannot be made) numba refuses to decorate at all; then every
    process compiles anew, which costs seconds but works.
    """
    try:
        return njit(nogil=True, cache=True)(function)
    except (RuntimeError, OSError):
        return njit(nogil=True)(function)
