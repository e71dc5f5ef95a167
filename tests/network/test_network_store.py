"""A saved network comes back as it was, or is refused with one clear error."""

import json
import zipfile
from dataclasses import fields, replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError, MissingFileError, SettingsError
from planner.network import StreetNetwork, load_streets, save_streets
from planner.network.store import read_streets


def town(**changed):
    """Two named streets and a bend, one of them one-way by e-bike."""
    net = StreetNetwork.from_arrays(
        [500_000, 500_100, 500_100, 500_300], [0, 0, 100, 50], [0, 1, 2], [1, 2, 3],
        [100.0, 100.5, 230.0], crs="EPSG:32650", mode="ebike", speed_kmh=[15, 15, 12],
        oneway=[False, True, False], name=["解放路", "", "a, “b”\n"], street_class=[4, 2, 0],
    )  # fmt: skip
    kept = MappingProxyType({"no geometry": 2})
    return replace(net, **{"dropped": kept, "credit": "© 某某", "junction_s": 7.5} | changed)


def test_every_field_comes_back(tmp_path):
    net = town()
    again = load_streets(save_streets(net, tmp_path / "deep" / "town.npz"), mode="ebike")
    for field in fields(StreetNetwork):
        one, two = getattr(net, field.name), getattr(again, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == two.dtype, field.name
            np.testing.assert_array_equal(one, two)
        else:
            assert one == two, field.name
    assert again.key == net.key
    assert again._repr_html_() == net._repr_html_()
    assert again.lines().equals(net.lines())


@given(st.lists(st.text(max_size=6), min_size=3, max_size=3))
def test_any_name_survives(names):
    import tempfile

    net = town(names=np.array(names, dtype=object))
    with tempfile.TemporaryDirectory() as folder:
        assert read_streets(save_streets(net, f"{folder}/x.npz")).names.tolist() == names


def test_equal_networks_give_equal_bytes_and_leave_no_scraps(tmp_path):
    one, two = save_streets(town(), tmp_path / "a.npz"), save_streets(town(), tmp_path / "b.npz")
    assert one.read_bytes() == two.read_bytes()
    save_streets(town(), one)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_failed_save_leaves_the_earlier_file(tmp_path):
    file = save_streets(town(), tmp_path / "a.npz")
    before = file.read_bytes()
    with pytest.raises(TypeError):
        save_streets(town(credit=object()), file)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_no_pickle_is_written_or_read(tmp_path):
    file = save_streets(town(), tmp_path / "a.npz")
    with np.load(file, allow_pickle=False) as found:
        assert all(found[name].dtype != object for name in found.files)
    bad = tmp_path / "bad.npz"
    np.savez(bad, note=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match=r"bad\.npz: cannot be read as a saved street network"):
        load_streets(bad)


def test_a_network_for_something_else_is_refused_with_the_remedy(tmp_path):
    file = save_streets(town(), tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a\.npz: the saved streets are for `ebike`, not `drive`"):
        load_streets(file, mode="drive")
    with pytest.raises(InputError, match="Load them from their source"):
        load_streets(file)  # on foot by default
    with pytest.raises(InputError, match=r"for EPSG:32650, not EPSG:32649 \(`crs`\)"):
        load_streets(file, mode="ebike", crs="EPSG:32649")
    with pytest.raises(InputError, match=r"not 25 km/h \(`speed_kmh`\)"):
        load_streets(file, mode="ebike", speed_kmh=25)
    same = load_streets(file, mode="ebike", crs="EPSG:32650", speed_kmh=town().speed_kmh)
    assert same.key == town().key


def test_a_saved_network_keeps_its_wait_unless_another_is_asked_for(tmp_path):
    file = save_streets(town(), tmp_path / "a.npz")
    assert load_streets(file, mode="ebike").junction_s == 7.5
    assert load_streets(file, mode="ebike", junction_s=3).junction_s == 3.0
    with pytest.raises(SettingsError, match="junction_s"):
        load_streets(file, mode="ebike", junction_s=-1)


def test_names_that_are_no_npz_and_files_that_are_not_there(tmp_path):
    with pytest.raises(SettingsError, match=r"must end in `\.npz`. Got `town\.pkl`"):
        save_streets(town(), tmp_path / "town.pkl")
    with pytest.raises(MissingFileError, match=r"none\.npz"):
        load_streets(tmp_path / "none.npz")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_off_file_is_refused(tmp_path, share):
    file = save_streets(town(), tmp_path / "a.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"a\.npz: cannot be read as a saved street network.*Save"):
        load_streets(file, mode="ebike")


def test_a_flipped_byte_is_noticed(tmp_path):
    file = save_streets(town(), tmp_path / "a.npz")
    with zipfile.ZipFile(file) as archive:
        at = archive.getinfo("length_m.npy").header_offset + 200
    data = bytearray(file.read_bytes())
    data[at] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cannot be read as a saved street network"):
        load_streets(file, mode="ebike")


def spoilt(file, **changed):
    """Write the town with other arrays in it, None for none."""
    with np.load(save_streets(town(), file)) as found:
        arrays = {name: found[name] for name in found.files} | changed
    np.savez(file, **{name: values for name, values in arrays.items() if values is not None})
    return file


def note(**changed):
    whole = {"format": "planner streets", "version": 1} | changed
    return np.frombuffer(json.dumps(whole).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"note": None}, "holds numpy arrays, but no street network"),
        ({"note": np.arange(3)}, "holds numpy arrays, but no street network"),
        ({"note": note(format="a map")}, "holds numpy arrays, but no street network"),
        ({"note": note(version=2)}, "saved in format 2; this planner reads format 1"),
        ({"note": note()}, "damaged street network"),
        ({"tail": None}, "damaged street network"),
        ({"x": np.zeros(9)}, "its arrays differ in length"),
        ({"length_m": np.zeros(9)}, "its arrays differ in length"),
        ({"head": np.array([0, 1, 99], dtype=np.int32)}, "`head` points to what is not there"),
        ({"tail": np.array([-1, 1, 2], dtype=np.int32)}, "`tail` points to what is not there"),
        ({"name_code": np.array([0, 1, 7])}, "`name_code` points to what is not there"),
        ({"vertex_ptr": np.array([0, 4, 2, 6])}, "`vertex_ptr` points to what is not there"),
        ({"names_utf8": np.full(40, 255, dtype=np.uint8)}, "damaged street network"),
    ],
)
def test_foreign_and_damaged_arrays_are_refused(tmp_path, changed, words):
    file = spoilt(tmp_path / "a.npz", **changed)
    with pytest.raises(InputError, match=words) as caught:
        load_streets(file, mode="ebike")
    assert caught.value.file == file
