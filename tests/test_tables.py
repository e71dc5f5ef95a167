"""Tables are checked at the door; reach relates two of them."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.errors import ColumnError, CrsError, InputError
from planner.tables import TABLES, Loss, Reach, check_table, record_input


def counts(**columns):
    table = gpd.GeoDataFrame(
        {"weight_per_day": [1.0, 2.0], "workers": [10, 12], **columns},
        geometry=shapely.points([[0, 0], [1, 1]]),
        crs="EPSG:32650",
    )
    return table.rename_axis("count_id")


def test_a_good_table_passes():
    check_table(counts(), "counts")


def test_missing_columns_are_listed_with_what_they_might_be():
    table = counts().rename(columns={"workers": "worker"})
    with pytest.raises(ColumnError) as caught:
        check_table(table, "counts", file="counts.csv")
    text = str(caught.value)
    assert "counts.csv" in text
    assert "lacks `workers`" in text
    assert "Did you mean `worker`?" in text


def test_degrees_are_refused_with_the_remedy():
    with pytest.raises(CrsError, match="to_crs"):
        check_table(counts().to_crs(4326), "counts")


def test_all_faults_are_told_at_once():
    table = counts(weight_per_day=[1.0, np.nan])
    table.index = [1, 1]
    with pytest.raises(InputError) as caught:
        check_table(table, "counts")
    assert "not unique" in str(caught.value)
    assert "`weight_per_day` is empty" in str(caught.value)


def test_every_table_with_places_declares_them():
    places = {name for name, columns in TABLES.items() if "geometry" in columns}
    flat = {"coverage", "closures", "explanations", "frontier", "money", "scenarios"}
    assert places == set(TABLES) - flat


def test_input_note_adds_up():
    table = counts()
    record_input(table, file="x.csv", rows=5, losses=[Loss("far", 3, "row 4"), Loss("none", 0)])
    assert table.attrs["input"]["kept"] == 2
    assert table.attrs["input"]["dropped"] == {"far": 3}
    assert table.attrs["input"]["examples"] == {"far": "row 4"}


@st.composite
def reaches(draw):
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    cells = draw(
        st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)), unique=True)
    )
    row, column = (np.array([c[k] for c in cells], dtype=int) for k in (0, 1))
    minutes = csr_array((np.zeros(len(cells)), (row, column)), shape=(rows, columns))
    ids = pd.Index([f"d{i}" for i in range(rows)]), pd.Index([f"f{i}" for i in range(columns)])
    return Reach(minutes, *ids, 15.0, "walk", 4.0), set(cells)


@given(reaches())
def test_zero_minutes_are_within_reach(case):
    reach, cells = case
    assert set(np.flatnonzero(reach.covered())) == {row for row, _ in cells}
    assert len(reach.pairs()) == len(cells)


@given(reaches(), st.data())
def test_selecting_facilities_keeps_their_pairs(case, data):
    reach, cells = case
    chosen = data.draw(st.lists(st.sampled_from(list(reach.facility_id)), unique=True))
    part = reach.select(chosen)
    pairs = set(zip(part.pairs()["demand_id"], part.pairs()["facility_id"], strict=True))
    assert pairs == {(f"d{r}", f"f{c}") for r, c in cells if f"f{c}" in chosen}
    columns = reach.facility_id.get_indexer(pd.Index(chosen, dtype=object))
    assert (part.covered() == reach.covered(columns)).all()
