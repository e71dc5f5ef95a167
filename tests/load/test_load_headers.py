"""Headers are found by synonym, and the caller's word wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import ColumnError, SettingsError
from planner.load.headers import HEADERS, missing_column, pick_columns, plain_header
from planner.tables import TABLES

every_header = st.sampled_from(
    [(t, f, h) for t, fields in HEADERS.items() for f, headers in fields.items() for h in headers]
)


@given(every_header, st.sampled_from([str.upper, str.title, str.lower]), st.sampled_from("_ -"))
def test_a_header_alone_is_found_in_any_dress(known, dress, gap):
    table, _, header = known
    dressed = f" {dress(header).replace('_', gap)}（说明）"
    assert list(pick_columns([dressed], table).values()) == [dressed]


@pytest.mark.parametrize("table", HEADERS)
def test_our_own_names_are_found_as_themselves(table):
    own = [c for c in TABLES[table] if c in HEADERS[table] and c not in ("pickup", "geometry")]
    assert pick_columns(own, table) == {c: c for c in HEADERS[table] if c in own}


@pytest.mark.parametrize("table", HEADERS)
def test_no_header_stands_for_two_fields_first_of_all(table):
    firsts = [plain_header(headers[0]) for headers in HEADERS[table].values() if headers]
    assert len(firsts) == len(set(firsts))


@given(st.lists(st.text(min_size=1, max_size=8), max_size=6, unique=True))
def test_no_column_is_used_twice(headers):
    for table in HEADERS:
        picked = list(pick_columns(headers, table).values())
        assert len(picked) == len(set(picked))


def test_named_columns_win():
    headers = ["经度", "纬度", "X84", "Y84", "名称"]
    picked = pick_columns(headers, "stations", {"lon": "x84", "lat": "Y84"})
    assert (picked["lon"], picked["lat"]) == ("X84", "Y84")


def test_a_named_column_that_is_absent_is_told_with_what_is_there():
    with pytest.raises(ColumnError, match=r"`骑手代码`.*It has `骑手编号`, `时间`"):
        pick_columns(["骑手编号", "时间"], "fixes", {"rider_id": "骑手代码"})


def test_an_unknown_field_is_told():
    with pytest.raises(SettingsError, match="Did you mean `rider_id`"):
        pick_columns(["a"], "fixes", {"rider": "a"})


def test_a_missing_column_lists_what_it_might_be():
    error = missing_column(["rider_id"], ["骑手唯一编号", "时间", "经度"], "fixes", file="a.csv")
    text = str(error)
    assert "a.csv" in text
    assert "The file has `骑手唯一编号`, `时间`, `经度`" in text
    assert "Might be: `骑手唯一编号`" in text
    assert 'columns = { rider_id = "骑手唯一编号" }' in text
