"""The hexagon grid: pointy-top cells, anchored at the origin of the CRS, whatever the data.

A cell of width w in row r and column c has its centre at ``x = w (c + (r mod 2) / 2)`` and
``y = r w √3/2``. The map draws by the same formula.
"""

from __future__ import annotations

import numpy as np

_ROW_STEP = np.sqrt(3.0) / 2.0  # between rows, in widths


def cell_of(x: np.ndarray, y: np.ndarray, width_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column (int64) of the hexagon that each point lies in.

    A point on the line between two cells belongs to the lower row, then to the higher column.

    Examples
    --------
    >>> cell_of(np.array([0.0, 50.0, 100.0]), np.array([0.0, 87.0, 0.0]), 100.0)
    (array([0, 1, 0]), array([0, 0, 1]))
    """
    low = np.floor(y / (width_m * _ROW_STEP)).astype(np.int64)
    low_col, low_off = _nearest_in_row(x, y, low, width_m)
    high_col, high_off = _nearest_in_row(x, y, low + 1, width_m)
    upper = high_off < low_off
    return low + upper, np.where(upper, high_col, low_col)


def cell_centre(row: np.ndarray, col: np.ndarray, width_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of cells: x, y in metres."""
    return width_m * (col + 0.5 * (row % 2)), row * width_m * _ROW_STEP


def halves(row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Return how far right a cell lies in half widths: so the grid looks alike from every cell.

    With this, the squared distance of two centres is ``(Δhalves² + 3 Δrow²) · width² / 4``.
    """
    return 2 * col + row % 2


def steps_within(reach_m: float, width_m: float) -> list[tuple[int, int]]:
    """Return the offsets of all other cells whose centre is within reach, nearest first.

    An offset is (rows, halves); ties come by row, then column.
    """
    rows = int(reach_m / (width_m * _ROW_STEP)) + 1
    sides = int(2.0 * reach_m / width_m) + 2
    limit = 4.0 * (reach_m / width_m) ** 2 * (1.0 + 1e-9)
    steps = [
        (dh * dh + 3 * dr * dr, dr, dh)
        for dr in range(-rows, rows + 1)
        for dh in range(-sides, sides + 1)
        if (dr - dh) % 2 == 0 and (dr or dh)
    ]
    return [(dr, dh) for square, dr, dh in sorted(steps) if square <= limit]


def _nearest_in_row(
    x: np.ndarray, y: np.ndarray, row: np.ndarray, width_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest column in a row and the squared distance to its centre."""
    col = np.floor(x / width_m - 0.5 * (row % 2) + 0.5).astype(np.int64)
    cx, cy = cell_centre(row, col, width_m)
    return col, (x - cx) ** 2 + (y - cy) ** 2
