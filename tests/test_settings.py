"""A study says what it means, or is told what is wrong with it."""

import pytest

from planner.errors import MissingFileError, SettingsError
from planner.settings import Settings, load_settings, make_settings


def write(folder, text):
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_key_has_a_default(tmp_path):
    settings = load_settings(write(tmp_path, ""))
    assert settings.service.limit_min == 15
    assert settings.name == tmp_path.name


def test_every_key_has_a_meaning():
    sections = {k: f.annotation for k, f in Settings.model_fields.items() if k != "folder"}
    unclear = [
        f"{section}.{key}"
        for section, model in sections.items()
        for key, field in model.model_fields.items()
        if not field.description
    ]
    assert unclear == []


def test_an_empty_text_is_an_absent_value(tmp_path):
    settings = load_settings(write(tmp_path, '[stations]\nfile = ""\ndatum = ""\n'))
    assert settings.stations.file is None
    assert settings.datum_of(settings.stations) == "wgs84"
    assert load_settings(write(tmp_path, ""), ("study.name=",)).study.name == ""


def test_override_wins_over_the_file(tmp_path):
    file = write(tmp_path, "[siting]\ncount = 3\n")
    assert load_settings(file).siting.count == 3
    assert load_settings(file, ("siting.count=12", "study.name=虔城")).siting.count == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[siting]\ncuont = 3", ["unknown key `siting.cuont`", "Did you mean `count`?"]),
        ("[sitting]\ncount = 3", ["unknown key `sitting`", "Did you mean `siting`?"]),
        ("[service]\nlimit_min = -15", ["`service.limit_min`", "greater than 0", "Got -15"]),
        ('[service]\nmode = "fly"', ["`service.mode`", "'walk'", "'fly'"]),
        ('[study]\ntimezone = "Asia/Nowhere"', ["IANA"]),
        ("[demand]\nmin_workers = 3", ["greater than or equal to 5"]),
        ("[demand.dayparts]\na = [6, 12]\nb = [11, 14]", ["overlaps"]),
        ('[hosts]\nosm = true\nfile = "x.csv"', ["not both"]),
        ('[[streets.edits]]\naction = "shut"', ["edit 1: `streets.edits.action`", "'close'"]),
        (
            (
                '[[streets.edits]]\naction = "close"\nstreet = "a"\n'
                '[[streets.edits]]\naction = "open"\nform = [1, 2]'
            ),
            ["edit 2: unknown key `streets.edits.form`", "Did you mean `from`?"],
        ),
        ('[[streets.edits]]\naction = "connect"\nto = [1, 2]', ["only one of `from` and `to`"]),
        ('[[streets.edits]]\naction = "connect"\nat = [1, 2]', ["connects `from` – `to`"]),
        ('[[streets.edits]]\naction = "open"\nstreet = "a"', ["opens a gate `at` a place"]),
        ('[[streets.edits]]\naction = "close"', ["closes a street `at` a place"]),
        ('[[streets.edits]]\naction = "open"\nat = [25, 114]', ["less than or equal to 90"]),
        ('[[streets.edits]]\naction = "open"\nat = [1, 2]\noneway = true', ["for the action"]),
        ('[[streets.edits]]\naction = "open"\nat = [1, 2]\nstreet = "a"', ["action close only"]),
        (
            '[[streets.edits]]\naction = "close"\ninside = [[1, 2], [1, 3]]',
            ["`streets.edits.inside`"],
        ),
        (
            '[[streets.edits]]\naction = "close"\nat = [1, 2]\ninside = [[1, 2], [1, 3], [2, 3]]',
            ["give one of them"],
        ),
        ("[siting\ncount = 3", ["not valid TOML"]),
    ],
)
def test_a_wrong_study_is_told_what_is_wrong(tmp_path, text, words):
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert all(word in str(caught.value) for word in [*words, "study.toml"]), str(caught.value)


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, "[service]\nlimit_min = 0\n[siting]\ncount = 0\n"))
    assert "limit_min" in str(caught.value)
    assert "siting.count" in str(caught.value)


@pytest.mark.parametrize("text", ["count=3", "siting.count", "siting.=3", ".count=3"])
def test_an_override_that_cannot_be_read_is_refused(tmp_path, text):
    with pytest.raises(SettingsError, match="--set"):
        load_settings(write(tmp_path, ""), (text,))


def test_a_missing_study_names_the_remedy(tmp_path):
    with pytest.raises(MissingFileError, match="planner new"):
        load_settings(tmp_path / "nowhere")


def test_the_folder_is_not_a_key():
    with pytest.raises(SettingsError, match="folder"):
        make_settings({"folder": "x"})


def test_a_url_is_not_a_path(tmp_path):
    settings = load_settings(write(tmp_path, ""))
    url = "postgresql://planner@host/city?sslmode=require#ops.fixes"
    assert settings.path(url) == url
    assert settings.path("day.duckdb#fixes") == tmp_path / "day.duckdb#fixes"
