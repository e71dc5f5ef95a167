"""A study says what it means, or is told what is wrong with it."""

from typing import get_args

import pytest

from planner.errors import MissingFileError, SettingsError
from planner.questions import FINDS_COUNT, REFUSED
from planner.settings import Settings, SitingSettings, load_settings, make_settings
from planner.siting.models import MODELS


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
        ("[siting]\nbudget = 3", ["`siting`: `budget` needs `cost`", "activate = 1.0"]),
        ("[siting]\ncost = { activate = 1, build = 4 }", ["`siting`: `cost` needs `budget`"]),
        ("[siting]\nbudget = 3\ncost = { build = 1 }", ["for 'activate'"]),
        (
            "[siting]\nbudget = 0.5\ncost = { activate = 1, build = 4 }",
            ["`budget` is 0.5, less than one station costs", "Raise `budget`"],
        ),
        ("[siting]\ncount = 0", ["`siting.count`", "greater than or equal to 1", "Got 0"]),
        ("[siting]\ncount = -2", ["`siting.count`", "Got -2"]),
        (
            '[siting]\ncount = 1\nrequired = ["a", "b"]',
            ["`required` names 2 sites, but `count` is 1", "Raise `count`"],
        ),
        ('[siting]\nrequired = ["a"]\nforbidden = ["a "]', ["both name 'a'", "Leave it in one"]),
        ('[siting]\nforbidden = ["a", "a"]', ["`forbidden` names 'a' twice"]),
        (
            '[siting]\nmodel = "lscp"\ninformal_share = 0.3',
            ["lscp takes no `informal_share`", "`required`"],
        ),
        (
            '[siting]\nmodel = "pcenter"\nmin_district_share = 0.3',
            ["pcenter takes no `min_district_share`", "Leave it out"],
        ),
        ("[siting\ncount = 3", ["not valid TOML"]),
    ],
)
def test_a_wrong_study_is_told_what_is_wrong(tmp_path, text, words):
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert all(word in str(caught.value) for word in [*words, "study.toml"]), str(caught.value)


def test_every_model_that_a_study_may_name_is_known_to_siting():
    named = get_args(SitingSettings.model_fields["model"].annotation)
    assert set(named) == set(REFUSED) == set(MODELS)
    assert set(REFUSED) >= FINDS_COUNT


@pytest.mark.parametrize("model", ["lscp", "pmedian", "pcenter"])
def test_money_and_spacing_go_with_every_model(model):
    siting = {
        "model": model, "min_spacing_m": 300, "budget": 5, "cost": {"activate": 1, "build": 2}
    }  # fmt: skip
    assert make_settings({"siting": siting}).siting.budget == 5


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
