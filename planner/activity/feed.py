"""What fixes look like on their way in: Arrow record batches, whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    import numpy as np

    from planner.geo import Datum

_WORD = pa.dictionary(pa.int32(), pa.string())

FIX_SCHEMA = pa.schema([
    ("rider_id", _WORD),  # null or empty where there is none
    ("worker_type", _WORD),  # the column may be missing: all are `rider` then
    ("time", pa.timestamp("us", tz="UTC")),  # null where there is none that can be used
    ("lon", pa.float64()),  # degrees in the feed's datum; null where there is none, NaN where
    ("lat", pa.float64()),  # something stands that is no coordinate
])  # fmt: skip


class FeedPart(NamedTuple):
    """A part of a feed that can be read on its own, also by another process.

    Attributes
    ----------
    read
        Yields record batches of `FIX_SCHEMA`, and the number of each one's first row in its file
        if its rows follow each other there, else every row's, shape (n,) int64. It is given a dict
        to which it adds the notes of this part.
    place
        What stands before a row's number when its place is told: ``day2.csv row``.
    """

    read: Callable[[dict[str, int]], Iterator[tuple[pa.RecordBatch, int | np.ndarray]]]
    place: str


@dataclass(frozen=True)
class FixFeed:
    """Fixes that are read as a stream, never all at once.

    Attributes
    ----------
    read
        Starts anew and yields record batches of `FIX_SCHEMA`, every row of the input in one of
        them.
    place
        Says where the n-th row stands: ``row 42``, ``day2.csv row 42``.
    area
        Districts in a metric CRS; what lies farther than 100 m outside is left out.
    datum
        What the degrees are in.
    timezone
        IANA zone of the result.
    rows
        How many there are, None if that is not known beforehand.
    note
        What the plan tells of the input: `file`, `sha256`, and `notes` of what was assumed.
    parts
        The same rows in parts, one after the other; none if the feed cannot be parted.
    """

    read: Callable[[], Iterator[pa.RecordBatch]]
    place: Callable[[int], str]
    area: gpd.GeoDataFrame = field(repr=False)
    datum: Datum
    timezone: str
    rows: int | None
    note: dict[str, Any]
    parts: tuple[FeedPart, ...] = field(default=(), repr=False)
