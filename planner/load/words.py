"""Kinds, services and worker types as registers call them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Our word → what it is recognised by, in the order of asking: “骑手友好商户” is a merchant although
# a station may be called “骑手之家”.
STATION_KINDS: dict[str, tuple[str, ...]] = {
    "drivers_home": ("司机之家", "卡车司机", "货车司机", "drivers_home", "driver's home",
                     "drivers' home", "truck stop"),
    "charging": ("充电站", "换电", "充电桩", "充电柜", "充换电", "充电", "charging",
                   "battery swap"),
    "pharmacy": ("药店", "药房", "药局", "pharmacy", "drugstore"),
    "canteen": ("食堂", "助餐", "爱心餐", "canteen"),
    "parking": ("停车", "泊车", "停放点", "parking", "车位"),
    "merchant": ("友好商户", "友好商家", "商户", "商家", "餐饮", "餐厅", "饭店", "超市", "便利店",
                 "merchant", "restaurant", "shop", "store", "cafe"),
    "station": ("驿站", "服务站", "服务点", "服务中心", "之家", "港湾", "休息", "station",
                   "shelter",
                "rest", "hub", "stand", "户外劳动者"),
}  # fmt: skip
HOST_KINDS: dict[str, tuple[str, ...]] = {
    "union": ("工会", "总工会", "union"),
    "community": ("社区", "党群", "街道", "居委", "村委", "便民服务", "邻里", "新时代文明",
                  "community", "social_centre", "social_center", "social_facility"),
    "public": ("政务", "政府", "行政服务", "town hall", "townhall", "public_building", "city hall"),
    "bank": ("银行", "信用社", "bank"),
    "pharmacy": ("药店", "药房", "药局", "pharmacy", "drugstore"),
    "post_office": ("邮政", "邮局", "快递", "post_office", "post office", "parcel"),
    "telecom": ("移动营业厅", "联通", "电信", "营业厅", "telecom"),
    "hospital": ("医院", "诊所", "卫生院", "卫生服务", "hospital", "clinic"),
    "library": ("图书馆", "书店", "书屋", "书房", "library", "bookshop", "books"),
    "mall": ("商场", "购物中心", "百货", "综合体", "mall", "department_store", "shopping"),
    "supermarket": ("超市", "卖场", "supermarket"),
    "convenience": ("便利店", "便利", "小卖部", "convenience", "kiosk"),
    "market": ("市场", "菜场", "marketplace", "market"),
    "fuel": ("加油", "中石化", "中石油", "加气", "fuel", "petrol", "gas station"),
    "cafe": ("咖啡", "茶饮", "奶茶", "cafe", "coffee"),
    "restaurant": ("餐", "饭", "小吃", "restaurant", "fast_food", "fast food"),
    "office": ("写字楼", "办公", "园区", "大厦", "office"),
    "school": ("学校", "大学", "学院", "school", "college", "university"),
    "transit": ("车站", "地铁", "公交", "bus_station", "station"),
}  # fmt: skip
WORKER_TYPES: dict[str, tuple[str, ...]] = {
    "food": ("外卖", "送餐", "餐饮", "food", "meal", "美团", "饿了么"),
    "courier": ("快递", "快件", "投递", "courier", "parcel", "express", "delivery"),
    "ride": ("网约车", "出租", "代驾", "ride", "taxi", "cab"),
    "truck": ("货车", "卡车", "货运", "truck", "lorry", "freight"),
}  # fmt: skip
# Our word → what registers say; the whole cell must be one of these, for “不同意” is not “同意”.
SITE_STATUSES: dict[str, tuple[str, ...]] = {
    "proposed": ("建议", "推荐", "拟建", "拟设", "待定", "proposed", "recommended"),
    "surveyed": ("已踏勘", "踏勘", "已勘察", "已调研", "surveyed", "visited"),
    "agreed": ("已同意", "同意", "场所已同意", "业主已同意", "已谈妥", "host agreed", "agreed"),
    "rejected": ("已否决", "否决", "已拒绝", "拒绝", "不同意", "rejected", "declined", "refused"),
    "opened": ("已启用", "启用", "已开放", "已建成", "opened", "open"),
}  # fmt: skip
_YES = frozenset({"是", "有", "√", "✓", "✔", "y", "yes", "true", "1", "提供", "具备", "t", "x"})


def station_kind(text: str) -> str | None:
    """Return a station's kind, None if the text is none that is known.

    Examples
    --------
    >>> station_kind("户外劳动者服务站"), station_kind("友好商户"), station_kind("司机之家")
    ('station', 'merchant', 'drivers_home')
    >>> station_kind("???") is None
    True
    """
    return _recognise(text, STATION_KINDS)


def host_kind(text: str) -> str:
    """Return a host's kind: one of ours, else what the file says, else ``other``.

    Examples
    --------
    >>> host_kind("社区党群服务中心"), host_kind("Zoo"), host_kind("")
    ('community', 'zoo', 'other')
    """
    return _recognise(text, HOST_KINDS) or _word(text) or "other"


def host_class(text: str, known: Collection[str]) -> str:
    """Return which of the `known` kinds of hosts a text means, the text itself if none.

    Examples
    --------
    >>> host_class("药店", ["pharmacy", "bank"]), host_class("bank", ["pharmacy", "bank"])
    ('pharmacy', 'bank')
    >>> host_class("加油站", ["pharmacy", "bank"])
    '加油站'
    """
    kind = text if text in known else host_kind(text)
    return kind if kind in known else text


def worker_type(text: str) -> str:
    """Return a worker type: one of ours, else what the file says, else ``rider``.

    Examples
    --------
    >>> worker_type("外卖骑手"), worker_type("COURIER"), worker_type(""), worker_type("Nurse")
    ('food', 'courier', 'rider', 'nurse')
    """
    return _recognise(text, WORKER_TYPES) or _word(text) or "rider"


def site_status(text: str) -> str | None:
    """Return a site's status, ``proposed`` if none is told, None if the word is none that is known.

    Examples
    --------
    >>> site_status("已同意"), site_status("Host agreed"), site_status("不同意"), site_status("")
    ('agreed', 'agreed', 'rejected', 'proposed')
    >>> site_status("perhaps") is None
    True
    """
    plain = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text).strip().lower())
    if not plain:
        return "proposed"
    return next((status for status, words in SITE_STATUSES.items() if plain in words), None)


def service_list(text: str) -> str:
    """Return services in the register's own words, each once, in its order, separated by ``;``.

    Examples
    --------
    >>> service_list("休息、热水，手机充电/Wi-Fi 理发、休息"), service_list("rest, hot water")
    ('休息;热水;手机充电;Wi-Fi;理发', 'rest;hot water')
    """
    plain = unicodedata.normalize("NFKC", text)
    parts = re.split(r"[;、,/|+\n]+|(?<![a-zA-Z])\s+|\s+(?![a-zA-Z])", plain)
    return ";".join(dict.fromkeys(p.strip() for p in parts if p.strip()))


def is_yes(text: str) -> bool:
    """Tell whether a cell ticks a box.

    Examples
    --------
    >>> is_yes("有"), is_yes("√"), is_yes("否")
    (True, True, False)
    """
    return unicodedata.normalize("NFKC", text).strip().lower() in _YES


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", unicodedata.normalize("NFKC", text).strip().lower())


def _recognise(text: str, words: dict[str, tuple[str, ...]]) -> str | None:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain.replace(" ", "_") in words:
        return plain.replace(" ", "_")
    for word, marks in words.items():
        if any(mark in plain for mark in marks):
            return word
    return None
