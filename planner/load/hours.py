"""Opening hours in any wording → canonical ``HH:MM-HH:MM,…``."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

CLOSED = ""  # what `read_hours` returns for a place that never opens
_DAY = 24 * 60

_ALWAYS = re.compile(
    r"24/7|24\s*(?:小时|h(?:ours?|rs?)?\b|h$)|全天|全日|昼夜|不打烊|二十四小时|7\s*[x×*]\s*24"
    r"|open 24"
)
_NEVER = re.compile(r"^(?:off|closed?|停用|停业|关闭|已关闭|暂停.*|休息|不开放|未开放|歇业)$")

_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_EN_LONG = r"(mo|tu|we|th|fr|sa|su)(?:n|e|es|d|ed|u|ur|rs|t|nday|esday|dnesday|rsday|iday|turday)?"
_ONE_ZH = r"(?:周|星期|礼拜)([一二三四五六日天末])"
_DAY_TOKEN = re.compile(rf"{_ONE_ZH}|\b{_EN_LONG}\b\.?", re.IGNORECASE)
_GROUPS = {
    "工作日": range(5), "weekdays": range(5), "weekday": range(5), "平日": range(5),
    "周末": range(5, 7), "双休日": range(5, 7), "weekends": range(5, 7), "weekend": range(5, 7),
    "每天": range(7), "每日": range(7), "天天": range(7), "全周": range(7), "daily": range(7),
    "every day": range(7), "全年": range(7),
}  # fmt: skip
_HOLIDAYS = re.compile(r"节假日|法定假日|节日|\b(?:ph|sh)\b|holidays?")

_CLOCK = (
    r"(?P<{0}half>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|晚间|夜间|早|晚|次日|第二天|翌日)*\s*"
    r"(?P<{0}hour>\d{{1,2}})\s*(?:(?:[:.]|点|时)\s*(?P<{0}minute>\d{{1,2}}|半)?\s*分?)?"
    r"(?::\d{{2}})?\s*(?P<{0}meridiem>a\.?m\.?|p\.?m\.?)?"
)
_SPAN = re.compile(
    _CLOCK.format("a") + r"\s*(?:-+|至|到|\bto\b|(?=晚|夜|次日))\s*" + _CLOCK.format("b")
)
_GLUE = re.compile(r"[\s,、;。和及与&/|()\[\]:]|and|营业时间|开放时间|服务时间|时间|开放|营业")


def read_hours(text: str) -> str | None:
    """Return opening hours as canonical text, None if they cannot be read.

    Where hours differ by weekday, those that hold on most days are taken (of as many days, those
    of the earlier weekday): the planner asks what a rider finds on an ordinary day.

    Parameters
    ----------
    text
        What the register says: ``24小时``, ``9点-21点``, ``周一至周五 09:00-17:00``, OSM's
        ``Mo-Fr 10:30-14:30; Sa 12:00-24:00``. Spans over midnight (``22:00-06:00``) are kept so.

    Returns
    -------
    ``HH:MM-HH:MM``, several joined by ``,`` in the order of opening; ``00:00-24:00`` all day;
    an empty text if the place is closed.

    Examples
    --------
    >>> read_hours("24小时"), read_hours("9点-21点"), read_hours("周一至周五 09:00—17:00")
    ('00:00-24:00', '09:00-21:00', '09:00-17:00')
    >>> read_hours("上午8:30至12点，下午2点半到晚上6点")
    '08:30-12:00,14:30-18:00'
    >>> read_hours("Mo-Fr 10:00-02:00; Sa,Su off"), read_hours("call us")
    ('10:00-02:00', None)
    """
    plain = _plain(text)
    if not plain:
        return None
    if _NEVER.match(plain):
        return CLOSED
    week: dict[int, str] = {}
    for rule in _rules(plain):
        days, rest = _days(rule)
        hours = _spans(rest)
        if hours is None:
            return None
        week.update(dict.fromkeys(days, hours))
    if not week:
        return None
    counts = Counter(week[day] for day in sorted(week))
    return max(counts, key=lambda hours: (counts[hours], hours != CLOSED))


def is_hours(text: str) -> bool:
    """Tell whether a text is canonical hours that open at least once.

    Examples
    --------
    >>> is_hours("09:00-17:00"), is_hours("9-17"), is_hours("")
    (True, False, False)
    """
    return bool(text) and read_hours(text) == text


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    plain = re.sub(r'"[^"]*"', "", plain.split("||")[0])  # OSM's fallbacks and comments
    return re.sub(r"[‐-―−~～∼〜]+", "-", plain).replace("\n", ";").strip()


def _rules(plain: str) -> list[str]:
    """Split where a new group of days begins: after ``;`` or before a day that follows hours."""
    rules: list[str] = []
    for part in re.split(r"[;。|]+", plain):
        start, seen_hours = 0, False
        tokens = sorted(
            [(m.start(), m.end(), "day") for m in _DAY_TOKEN.finditer(part)]
            + [(m.start(), m.end(), "day") for m in _HOLIDAYS.finditer(part)]
            + [
                (m.start(), m.end(), "day")
                for w in _GROUPS
                for m in re.finditer(re.escape(w), part)
            ]
            + [(m.start(), m.end(), "hours") for m in _SPAN.finditer(part)]
            + [(m.start(), m.end(), "hours") for m in _ALWAYS.finditer(part)]
        )
        for begin, _, what in tokens:
            if what == "hours":
                seen_hours = True
            elif seen_hours:
                rules.append(part[start:begin])
                start, seen_hours = begin, False
        rules.append(part[start:])
    return [rule.strip(" ,、") for rule in rules if rule.strip(" ,、")]


def _days(rule: str) -> tuple[list[int], str]:
    """Return the weekdays a rule speaks of (all if it names none) and the rule without them."""
    days: set[int] = set()
    named = False
    for word, group in _GROUPS.items():
        if word in rule:
            days.update(group)
            rule, named = rule.replace(word, " "), True
    rule, holidays = _HOLIDAYS.subn(" ", rule)
    # “周一至周五” and “周一至五”, “Mo-Fr”.
    pair = rf"(?:{_ONE_ZH}|\b{_EN_LONG}\b\.?)\s*(?:-+|至|到|to)\s*"
    pair += rf"(?:(?:周|星期|礼拜)?([一二三四五六日天])|\b{_EN_LONG}\b\.?)"
    for match in re.finditer(pair, rule):
        first, last = (_day_number(g) for g in (g for g in match.groups() if g))
        days.update((first + k) % 7 for k in range((last - first) % 7 + 1))
    rule, pairs = re.subn(pair, " ", rule)
    for match in _DAY_TOKEN.finditer(rule):
        day = next(g for g in match.groups() if g)
        days.update(range(5, 7) if day == "末" else [_day_number(day)])
    rule, singles = _DAY_TOKEN.subn(" ", rule)
    if not (named or pairs or singles):
        return ([] if holidays else list(range(7))), rule
    return sorted(days), rule


def _day_number(day: str) -> int:
    if day == "天":
        return 6
    return _ZH_DAYS.index(day) if day in _ZH_DAYS else _EN_DAYS.index(day[:2])


def _spans(rule: str) -> str | None:
    """Return the canonical hours of a rule without days, None if anything in it is unknown."""
    if _ALWAYS.search(rule):
        return "00:00-24:00"
    rest = rule.strip(" ,、:()")
    if not rest or _NEVER.match(rest):
        return CLOSED if rest else None
    spans: list[tuple[int, int]] = []
    for match in _SPAN.finditer(rest):
        opens, closes = _minutes(match, "a"), _minutes(match, "b")
        if opens is None or closes is None or opens >= _DAY:
            return None
        spans.append((opens, closes))
    if not spans or _GLUE.sub("", _SPAN.sub("", rest)):
        return None
    return _canonical(spans)


def _minutes(match: re.Match[str], side: str) -> int | None:
    """Return minutes after midnight of one clock time, None if there is no such time."""
    hour, half, meridiem = int(match[side + "hour"]), match[side + "half"], match[side + "meridiem"]
    minute = 30 if match[side + "minute"] == "半" else int(match[side + "minute"] or 0)
    late = half in {"下午", "傍晚", "晚上", "晚间", "夜间", "晚"} or (meridiem or "")[:1] == "p"
    if late and hour < 12:
        hour += 12
    if (meridiem or "")[:1] == "a" and hour == 12:
        hour = 0
    total = hour * 60 + minute
    return total if minute < 60 and total <= 2 * _DAY else None


def _canonical(spans: list[tuple[int, int]]) -> str:
    """Sort and merge spans; one that ends where it began, or spans 24 hours, is all day."""
    ends: list[tuple[int, int]] = []
    for opens, closes in spans:
        end = closes if closes > opens else closes + _DAY
        if opens < closes == _DAY - 1:  # 23:59 is how forms say midnight
            end = _DAY
        if end - opens >= _DAY:
            return "00:00-24:00"
        ends.append((opens, end))
    merged: list[tuple[int, int]] = []
    for opens, end in sorted(ends):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((opens, end))
    # The last span may run over midnight into the first.
    while len(merged) > 1 and merged[-1][1] - _DAY >= merged[0][0]:
        first = merged.pop(0)
        merged[-1] = (merged[-1][0], max(merged[-1][1], first[1] + _DAY))
    if merged[-1][1] - merged[-1][0] >= _DAY:
        return "00:00-24:00"
    return ",".join(f"{_clock(a)}-{_clock(b)}" for a, b in merged)


def _clock(minutes: int) -> str:
    minutes = minutes if minutes <= _DAY else minutes - _DAY
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
