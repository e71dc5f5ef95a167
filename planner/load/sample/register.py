"""What the sample city's offices know: existing stations, and premises that could be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from planner.load.sample.places import Kerbs, Place


class Station(NamedTuple):
    """A row of the register; None where the office left the cell empty."""

    name: str
    kind: str
    x: float
    y: float
    services: str | None
    hours: str | None
    seats: int | None


class Host(NamedTuple):
    """Existing premises that could be opened to riders."""

    name: str
    kind: str
    hours: str | None
    x: float
    y: float


# Where stations stand today: x, y, spread, how many. They follow offices, not riders.
_TODAY: tuple[tuple[float, float, float, int], ...] = (
    (-50, 1700, 700, 15),  # old town
    (150, -250, 900, 17),  # Zhongshan
    (-2150, -1750, 620, 12),  # the government's quarter
    (-1950, 2050, 380, 3),
    (1500, 2500, 400, 4),
    (100, -1450, 450, 3),
    (2050, -1300, 250, 1),
    (3900, -650, 250, 1),
    (-3050, 1150, 200, 1),
    (3450, 1900, 200, 1),
    (4250, -1500, 250, 1),
    (450, -2950, 250, 1),
    (-300, -4850, 250, 1),
    (-2300, -3450, 200, 1),
)
_SPACING_M = 230.0

# kind: how often, name endings, hours, services, seats
_KINDS: dict[str, tuple[float, tuple[str, ...], tuple[str, ...], tuple[str, ...], int]] = {
    "骑手驿站": (
        0.34, ("骑手驿站", "小哥驿站", "暖心驿站"), ("08:00-22:00", "09:00-21:00", "全天"),
        ("休息", "热水", "手机充电", "Wi-Fi", "微波炉", "图书", "空调"), 16,
    ),
    "户外劳动者服务站点": (
        0.3, ("户外劳动者服务站", "劳动者港湾"), ("09:00-17:00", "8:30-17:30", "09:00-18:00"),
        ("休息", "热水", "手机充电", "应急药箱", "图书", "雨具"), 10,
    ),
    "友好商家": (
        0.16, ("友好商家·爱心小吃", "友好商家·便利店", "友好商家·茶饮"),
        ("10:00-22:00", "上午10点至晚上10点"), ("热水", "休息", "优惠餐"), 4,
    ),
    "药店服务点": (0.09, ("药房服务点",), ("08:00-21:30",), ("休息", "应急药箱", "热水"), 3),
    "换电站": (0.11, ("换电站", "充换电柜"), ("24小时",), ("换电", "遮阳"), 0),
}  # fmt: skip

# kind: name ending, hours
_HOSTS = {
    "社区党群服务中心": (("社区党群服务中心",), ("周一至周五 08:30-17:30", "08:30-20:00")),
    "工会": (("街道总工会", "职工之家"), ("周一至周五 09:00-17:00", "09:00-18:00")),
    "药店": (("大药房", "连锁药店"), ("08:00-22:00", "24小时")),
    "银行": (("银行网点",), ("09:00-17:00",)),
    "商场": ((), ("10:00-22:00",)),
}
_HOST_CENTRES: tuple[tuple[float, float, float, int], ...] = (
    (0, 1700, 700, 5), (200, -250, 1000, 6), (-2250, -1800, 800, 5), (-3700, -2550, 500, 5),
    (1050, -2250, 600, 6), (1500, -3000, 400, 3), (400, -3000, 400, 3), (-2000, 2100, 500, 3),
    (-3100, 3150, 450, 5), (-3000, 1200, 500, 2), (1600, 2600, 500, 3), (2750, 2900, 400, 4),
    (3400, 1850, 500, 3), (4000, -700, 500, 5), (4250, -1600, 450, 3), (-400, -4950, 500, 2),
)  # fmt: skip

# Premises where few stations are, at crossings that everyone passes: a plan can start with them.
_CORNER_HOSTS = (
    Host("科创园区职工之家", "工会", "08:30-21:00", 1362, -2453),
    Host("学府社区党群服务中心", "社区党群服务中心", "08:30-20:00", -2896, 3477),
    Host("滨湖社区党群服务中心", "社区党群服务中心", "08:30-20:00", -3492, -2753),
    Host("建设路街道总工会", "工会", None, -2762, -486),
)


def make_stations(places: list[Place], kerbs: Kerbs, rng: np.random.Generator) -> list[Station]:
    """Return the register of today's stations, gaps and all."""
    kinds = list(_KINDS)
    share = np.array([_KINDS[k][0] for k in kinds])
    taken: list[np.ndarray] = []
    stations: list[Station] = []
    for x, y, spread, count in _TODAY:
        for _ in range(count):
            at = _apart((x, y), spread, taken, kerbs, rng)
            kind = kinds[rng.choice(len(kinds), p=share / share.sum())]
            _, endings, hours, services, seats = _KINDS[kind]
            name = _nearest_name(places, at) + endings[rng.integers(len(endings))]
            name = _once(name, {s.name for s in stations})
            listed = [s for s in services if rng.random() < 0.72] or list(services[:1])
            stations.append(
                Station(
                    name, kind, *at,
                    "、".join(listed) if rng.random() < 0.93 else None,
                    hours[rng.integers(len(hours))] if rng.random() < 0.85 else None,
                    int(seats * rng.uniform(0.6, 1.8)) if seats and rng.random() < 0.8 else None,
                )
            )  # fmt: skip
    at = kerbs.door(300, -4700)
    stations.append(
        Station("港南司机之家", "司机之家", *at, "休息、热水、淋浴、停车", "24小时", 40)
    )
    return stations


def make_hosts(places: list[Place], kerbs: Kerbs, rng: np.random.Generator) -> list[Host]:
    """Return premises that could be opened: all malls, and offices and shops where people live."""
    hosts = [
        Host(p.name, "商场", "10:00-22:00" if rng.random() < 0.85 else None, p.x, p.y)
        for p in places
        if p.kind == "mall"
    ]
    hosts += _CORNER_HOSTS
    kinds = [k for k in _HOSTS if k != "商场"]
    taken: list[np.ndarray] = []
    for x, y, spread, count in _HOST_CENTRES:
        for _ in range(count):
            at = _apart((x, y), spread, taken, kerbs, rng)
            kind = kinds[rng.choice(len(kinds), p=[0.42, 0.16, 0.22, 0.2])]
            endings, hours = _HOSTS[kind]
            stem = _nearest_name(places, at, estates=True)
            stem = f"虔农{stem}" if kind == "银行" else stem
            name = _once(stem + endings[rng.integers(len(endings))], {h.name for h in hosts})
            said = hours[rng.integers(len(hours))] if rng.random() < 0.82 else None
            hosts.append(Host(name, kind, said, *at))
    return hosts


def _apart(
    centre: tuple[float, float],
    spread: float,
    taken: list[np.ndarray],
    kerbs: Kerbs,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Draw a door around a centre, not next to one drawn before."""
    for attempt in range(60):
        angle, radius = rng.uniform(0, 2 * np.pi), spread * np.sqrt(rng.random()) * 1.25
        wanted = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        at = np.array(kerbs.door(*wanted))
        near = min((np.hypot(*(at - t)) for t in taken), default=np.inf)
        off = np.hypot(*(at - np.array(wanted)))
        if near > _SPACING_M * (1 - attempt / 80) and off < 120:
            break
    taken.append(at)
    return float(at[0]), float(at[1])


def _nearest_name(places: list[Place], at: tuple[float, float], *, estates: bool = False) -> str:
    """Return what locals would call the spot: the nearest landmark or estate, without its kind."""
    kinds = {"estate"} if estates else {"estate", "school", "tower", "market", "transit", "plaza"}
    known = [p for p in places if p.kind in kinds]
    far = [np.hypot(p.x - at[0], p.y - at[1]) for p in known]
    name = known[int(np.argmin(far))].name
    return name[:2] if estates else name


def _once(name: str, known: set[str]) -> str:
    """Tell namesakes apart by a numeral."""
    if name not in known:
        return name
    return next(n for k in "二三四五六七八九" if (n := f"{name}（{k}）") not in known)
