"""Invented names, each used once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_FIRST = "文武青云和仁德明兴安福瑞春秋江竹梅桂兰柳枫松荷凤鹤锦玉金银清秀永长广嘉泰康宁丰盛祥"
_SECOND = "清源昌华兴平安和泉林溪园山田塘井桥亭阁坊台门岭湾洲丰宁康乐庆隆茂荣远达新光明"
_NUMERALS = "一二三四五六七八九十"

# district → what its grid streets along and across are called, before a number
_SERIES: dict[str, tuple[str, str]] = {
    "滨江新区": ("滨江", "新锦"),
    "高新区": ("科创", "智汇"),
    "东江新城": ("东江", "新城"),
    "港南区": ("物流", "港南"),
    "水西区": ("水西", "学府"),
    "水东区": ("水东", "站前"),
}
_SUFFIX = {"tertiary": "路", "residential": "路", "living_street": "巷", "service": "弄"}


class Names:
    """A supply of names that never repeats one."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._series: dict[tuple[str, int], dict[int, str]] = {}

    def word(self) -> str:
        """Return two characters that no name has begun with."""
        while True:
            i, j = self._rng.integers(len(_FIRST)), self._rng.integers(len(_SECOND))
            word = _FIRST[i] + _SECOND[j]
            if _FIRST[i] != _SECOND[j] and word not in self._taken:
                self._taken.add(word)
                return word

    def street(self, district: str, highway: str, lattice: tuple[int, int] | None) -> str:
        """Name a street; the pieces of a grid line share theirs, small ways may have none."""
        if lattice is not None and highway in {"tertiary", "residential"}:
            return self._grid(district, lattice)
        share = {"living_street": 0.9, "service": 0.35, "footway": 0.2}.get(highway, 1.0)
        if self._rng.random() > share:
            return ""
        old = district in {"古城区", "中山区"} and highway == "tertiary"
        return self.word() + ("街" if old else _SUFFIX.get(highway, "巷"))

    def _grid(self, district: str, lattice: tuple[int, int]) -> str:
        axis, number = lattice
        known = self._series.setdefault((district, axis), {})
        if number not in known:
            count = len(known)
            if district in _SERIES and count < len(_NUMERALS):
                known[number] = f"{_SERIES[district][axis]}{_NUMERALS[count]}路"
            else:
                known[number] = f"{self.word()}路"
        return known[number]
