"""What other libraries do with the same cleaned fixes; each runs in an environment of its own.

`python peers.py scikit-mobility fixes.parquet stays.parquet` prints the CPU seconds of its call.
Only pandas, pyarrow and the peer are imported: some peers need a pandas of years ago.
"""

import argparse
import importlib.metadata
import json
import sys
import time
import warnings
from pathlib import Path

REQUIRES = {
    "scikit-mobility": ["scikit-mobility==1.3.1", "numpy<2", "shapely<2", "pyarrow<16"],
    "trackintel": ["trackintel==1.4.2", "pyarrow"],
    "movingpandas": ["movingpandas==0.23.0", "pyarrow"],
}
RADIUS_M = 100
STAY_MIN = 5
GAP_MIN = 25
STAY = ["rider_id", "arrive", "leave", "lon", "lat"]


def scikit_mobility(fixes):
    """`stay_locations`: from a first fix on, all within the radius of it."""
    from skmob import TrajDataFrame
    from skmob.preprocessing.detection import stay_locations

    fixes["time"] = fixes["time"].dt.tz_localize(None)  # it knows no time zones
    table = TrajDataFrame(
        fixes, latitude="lat", longitude="lon", datetime="time", user_id="rider_id"
    )

    def call():
        return stay_locations(
            table,
            minutes_for_a_stop=STAY_MIN,
            spatial_radius_km=RADIUS_M / 1000,
            no_data_for_minutes=GAP_MIN,
        )

    def tell(stays):
        stays = stays[["uid", "datetime", "leaving_datetime", "lng", "lat"]]
        stays = stays.set_axis(STAY, axis=1)
        for name in ("arrive", "leave"):
            stays[name] = stays[name].dt.tz_localize("UTC")
        return stays

    return call, tell


def trackintel(fixes):
    """`generate_staypoints`, its sliding method (Li et al. 2008)."""
    import geopandas as gpd
    from trackintel import Positionfixes
    from trackintel.preprocessing import generate_staypoints

    points = gpd.points_from_xy(fixes["lon"], fixes["lat"], crs="EPSG:4326")
    table = gpd.GeoDataFrame(
        {"user_id": fixes["rider_id"], "tracked_at": fixes["time"]}, geometry=points
    )
    table.index.name = "id"
    table = Positionfixes(table)

    def call():
        return generate_staypoints(
            table,
            method="sliding",
            dist_threshold=RADIUS_M,
            time_threshold=STAY_MIN,
            gap_threshold=GAP_MIN,
            include_last=True,
        )[1]

    def tell(stays):
        centre = stays.geometry
        stays = stays[["user_id", "started_at", "finished_at"]]
        return stays.assign(lon=centre.x, lat=centre.y).set_axis(STAY, axis=1)

    return call, tell


def movingpandas(fixes, crs="EPSG:4326"):
    """`TrajectoryStopDetector`, in degrees as its examples have it."""
    import datetime as dt

    import geopandas as gpd
    from movingpandas import TrajectoryCollection, TrajectoryStopDetector

    points = gpd.points_from_xy(fixes["lon"], fixes["lat"], crs="EPSG:4326").to_crs(crs)
    fixes["time"] = fixes["time"].dt.tz_localize(None)
    table = gpd.GeoDataFrame(fixes[["rider_id", "time"]], geometry=points)
    detector = TrajectoryStopDetector(TrajectoryCollection(table, "rider_id", t="time"))

    def call():
        return detector.get_stop_points(2 * RADIUS_M, dt.timedelta(minutes=STAY_MIN))

    def tell(stays):
        centre = gpd.GeoSeries(list(stays.geometry), crs=crs).to_crs("EPSG:4326")
        stays = stays[["traj_id", "start_time", "end_time"]].reset_index(drop=True)
        stays = stays.assign(lon=centre.x, lat=centre.y).set_axis(STAY, axis=1)
        for name in ("arrive", "leave"):
            stays[name] = stays[name].astype("datetime64[ns]").dt.tz_localize("UTC")
        return stays

    return call, tell


def movingpandas_in_metres(fixes):
    """Spare `TrajectoryStopDetector` the ellipsoid, which takes most of its time."""
    return movingpandas(fixes, "EPSG:32648")


PEERS = {
    "scikit-mobility": scikit_mobility,
    "trackintel": trackintel,
    "movingpandas": movingpandas,
    "movingpandas in metres": movingpandas_in_metres,
}


def main():
    """Time one peer's call; write its stays."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("fixes", type=Path)
    parser.add_argument("stays", type=Path)
    parser.add_argument("--repeat", type=int, default=1)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # theirs are not ours to heed
    call, tell = PEERS[asked.peer](pd.read_parquet(asked.fixes))
    seconds = []
    for _ in range(asked.repeat):
        start = time.process_time()
        stays = call()
        seconds.append(time.process_time() - start)
    tell(stays).to_parquet(asked.stays)
    version = importlib.metadata.version(asked.peer.split()[0])
    json.dump({"seconds": min(seconds), "version": version}, sys.stdout)


if __name__ == "__main__":
    main()
