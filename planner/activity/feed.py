"""What fixes look like on their way in: Arrow record batches, whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd

    from planner.geo import Datum

_WORD = pa.dictionary(pa.int32(), pa.string())

FIX_SCHEMA = pa.schema([
    ("rider_id", _WORD),  # null or empty where there is none
    ("worker_type", _WORD),  # the column may be missing: all are `rider` then
    ("time", pa.timestamp("us", tz="UTC")),  # null where there is none that can be used
    ("lon", pa.float64()),  # degrees in the feed's datum; null where there is none, NaN where
    ("lat", pa.float64()),  # something stands that is no coordinate
])  # fmt: skip


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
    """

    read: Callable[[], Iterator[pa.RecordBatch]]
    place: Callable[[int], str]
    area: gpd.GeoDataFrame = field(repr=False)
    datum: Datum
    timezone: str
    rows: int | None
    note: dict[str, Any]
