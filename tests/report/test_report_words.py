"""Every word of the room has its Chinese; figures are formatted, never made."""

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import planner.report
from planner.i18n import translator
from planner.report import answer_rows
from planner.report.figures import read_figures
from planner.report.words import speak

ROOM = Path(planner.report.__file__).parent
CATALOGUE = ROOM.parent / "i18n" / "zh" / "report.po"


def messages():
    found = extract_from_dir(
        ROOM,
        method_map=[("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")],
        keywords={"t": None},
        comment_tags=(),
    )
    return sorted({message for _, _, message, *_ in found if isinstance(message, str)})


def catalogue():
    with CATALOGUE.open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale="zh") if m.id}


def test_words_of_code_and_page_are_found():
    assert {"Rank", "{n} new stations", "What it does not say"} <= set(messages())


@pytest.mark.parametrize("message", messages())
def test_message_has_chinese_with_the_same_blanks(message):
    chinese = catalogue().get(message)
    assert chinese, message
    blanks = [{f for _, f, *_ in string.Formatter().parse(m) if f} for m in (message, chinese)]
    assert blanks[0] == blanks[1]


def test_no_translation_is_left_over_or_overruled():
    said = catalogue()
    assert set(said) == set(messages())
    zh = translator("zh")
    assert {m: zh(m) for m in said} == said


def test_figures_are_those_of_the_summary(plan):
    f, summary = read_figures(plan), plan.summary
    weight = summary["demand"]["weight_per_day"]
    assert f.before == summary["coverage"]["before"]["covered_share"]
    assert f.after == summary["coverage"]["after"]["covered_share"]
    assert f.best == pytest.approx(summary["siting"]["bound"] / weight)
    assert f.gained_per_day == pytest.approx((f.after - f.before) * weight)
    assert {s.name: s.after for s in f.dayparts} == summary["coverage"]["after"]["open_now"]
    assert {s.name: s.before for s in f.districts} == summary["coverage"]["before"]["by_district"]
    assert (f.sites, f.stable, f.bays) == (6, 5, 29)


def test_districts_have_their_english_names_in_english(english_plan):
    from dataclasses import replace

    districts = english_plan.tables["districts"].assign(name_en=["Jiangbei", None, ""])
    plan = replace(english_plan, tables={**english_plan.tables, "districts": districts})
    names = {scope.name for scope in read_figures(plan).districts}
    assert names == {"Jiangbei", "Old Town", "New District"}


def test_answer_rows_say_the_answer_in_either_language(plan, english_plan):
    zh, en = dict(answer_rows(plan)), dict(answer_rows(english_plan))
    f = read_figures(plan)
    assert zh["覆盖（今日 → 方案）"] == f"{f.before:.0%} → {f.after:.0%}"
    assert en["stable sites"] == "5 of 6"
    assert plan.summary["coverage"]["basis"] in zh["口径"]
    assert len(answer_rows(plan)) == len(answer_rows(english_plan)) == 12


def test_gap_is_told_unless_proven(plan):
    from dataclasses import replace

    siting = {**plan.summary["siting"], "status": "optimal"}
    proven = replace(plan, summary={**plan.summary, "siting": siting})
    assert "0.42%" in dict(answer_rows(plan))["同样站数的上限"]
    assert "0.42%" not in dict(answer_rows(proven))["同样站数的上限"]


@pytest.mark.parametrize(("value", "text"), [
    (8247.3, "8,250"), (0, "0"), (999.6, "1,000"), (1234567, "1,230,000"), (0.05123, "0.0512"),
    (12.0, "12"), (99.96, "100"), (None, "–"), (float("inf"), "–"),
])  # fmt: skip
def test_measures_have_three_digits(value, text):
    assert speak("en").number(value) == text


def test_percentages_that_differ_never_read_alike():
    assert speak("zh").from_to(0.611, 0.614) == ("61.1%", "61.4%")
    assert speak("zh").from_to(0.61, 0.61) == ("61%", "61%")
