"""What other libraries do with the same streets; each runs in an environment of its own.

`python network_peers.py pandana city.npz reach.npz nearest.npz` prints CPU seconds of its building
and of its calls, once its answers equal ours; `python network_peers.py osmium streets.osm.pbf
streets.osm` writes the XML that osmnx reads. Only numpy, pandas and the peer are imported.
"""

import argparse
import importlib.metadata
import json
import os
import sys
import time
from pathlib import Path

REQUIRES = {"pandana": ["pandana==0.8"], "osmium": ["osmium==4.3.2"]}
LIMIT_S = 900.0
_FAR_S = 86_400.0


def pandana(city, reach, nearest):
    """`Network`, `nodes_in_range`, the C++ call inside it, `nearest_pois`; impedance in seconds."""
    import numpy as np
    import pandas as pd
    from pandana import Network

    city, ours, near = (np.load(path) for path in (city, reach, nearest))
    # It keeps whole milliseconds, cut off: the hundredth keeps 0.29 s from being 289.
    cost = pd.DataFrame({"seconds": (city["ms"] + 0.01) / 1000})
    building, network = timed(  # minutes
        "building",
        lambda: Network(
            pd.Series(city["x"]), pd.Series(city["y"]),
            pd.Series(city["tail"]), pd.Series(city["head"]), cost,
        )
    )  # fmt: skip
    sources = city["sources"].astype(np.int64)
    ranging, table = timed(
        "nodes_in_range", lambda: network.nodes_in_range(sources.tolist(), LIMIT_S)
    )
    ids = network.node_ids.to_numpy(dtype=np.int64)
    calling, _ = timed("call", lambda: network.net.nodes_in_range(sources, LIMIT_S, 0, ids))
    place = pd.Series(np.arange(len(sources)), index=sources)
    found = np.column_stack([place[table["source"]], table["destination"]])
    expected = np.column_stack([
        np.repeat(np.arange(len(sources)), np.diff(ours["indptr"])), ours["ids"],
    ])  # fmt: skip
    require_equal("nodes_in_range", in_order(found), in_order(expected))

    x, y = (pd.Series(city[name][city["stations"]]) for name in ("x", "y"))
    network.set_pois("station", _FAR_S, 2, x, y)
    seeking, table = timed(
        "nearest_pois", lambda: network.nearest_pois(_FAR_S, "station", 1, include_poi_ids=True)
    )
    milliseconds = np.rint(1000 * table[1].to_numpy()).astype(np.int64)
    require_equal("nearest_pois", milliseconds, near["ms"])
    return {
        "building": building, "nodes_in_range": ranging, "call": calling, "nearest_pois": seeking,
    }  # fmt: skip


def osmium(pbf, xml):
    """Write what the extract holds as XML."""
    import osmium

    def write():
        with osmium.SimpleWriter(str(xml)) as writer:
            for item in osmium.FileProcessor(str(pbf)):
                writer.add(item)

    return {"writing": timed("writing", write)[0]}


def timed(what, call):
    """Return CPU seconds of a call, and its answer; tell them on the error stream, too."""
    start = time.process_time()
    answer = call()
    seconds = time.process_time() - start
    sys.stderr.write(f"{what}: {seconds:.2f} s\n")
    return seconds, answer


def in_order(pairs):
    """Sort rows of pairs."""
    return pairs[(pairs[:, 0] * (pairs.max() + 1) + pairs[:, 1]).argsort()]


def require_equal(what, theirs, ours):
    """Raise if a peer has found something else: then one of us was timed at a wrong answer."""
    if len(theirs) != len(ours) or not (theirs == ours).all():
        same = f"{(theirs == ours).mean():.3%} equal" if len(theirs) == len(ours) else ""
        raise ValueError(f"{what}: {len(theirs):,} found by the peer, {len(ours):,} by us. {same}")


PEERS = {"pandana": pandana, "osmium": osmium}


def main():
    """Time one peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("files", type=Path, nargs="+")
    asked = parser.parse_args()
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)  # what compiled code prints on its way
        said = PEERS[asked.peer](*asked.files)
        json.dump(said | {"version": importlib.metadata.version(asked.peer)}, answer)


if __name__ == "__main__":
    main()
