"""The main roads of the sample city, drawn by hand, and how each quarter is built."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Arterial(NamedTuple):
    """A main road: a curve through points in metres from the centre."""

    name: str
    highway: str
    points: tuple[tuple[float, float], ...]
    crosses: bool = False  # over river and expressway; others end at them


class Quarter(NamedTuple):
    """How an area is parted into blocks.

    Attributes
    ----------
    axis_deg
        Bearing of the grid; None where streets grew without a plan.
    spacing_m
        Lattice that streets keep to, so that they run on from block to block.
    x, y, reach_m
        Where it is densest, and how far from there blocks are twice as large.
    block_ha
        Size of the blocks there.
    """

    axis_deg: float | None
    spacing_m: float
    x: float
    y: float
    reach_m: float
    block_ha: float


ARTERIALS = (
    # the ring, open to the north where the two arms meet
    Arterial("环城大道", "trunk", (
        (-1440, 4640), (-2350, 4420), (-3250, 3750), (-3950, 2600), (-4300, 1300), (-4250, 150),
        (-4330, -900), (-4200, -2200), (-3500, -3250), (-2300, -3640), (-700, -3600),
        (900, -3640), (2000, -3350), (3300, -2950), (4350, -2150), (4900, -700), (4800, 900),
        (4150, 2400), (3000, 3500), (1500, 4150), (300, 4330), (-420, 4250),
    ), True),
    # through the fork
    Arterial("中山路", "primary", (
        (-390, 3130), (-330, 2950), (-250, 2300), (-60, 1500), (60, 700), (150, -300),
        (130, -1500), (60, -2600), (120, -3600), (90, -4300), (-60, -5000), (-260, -5900),
    ), True),
    Arterial("人民大道", "primary", (
        (-2440, 400), (-2100, 250), (-1300, 60), (-300, -60), (1000, 10), (1900, 330),
        (2750, 850), (3600, 1080), (4800, 1000), (5900, 900),
    ), True),
    Arterial("迎宾大道", "primary", (
        (-5600, -2050), (-4300, -1700), (-2900, -1330), (-1500, -1180), (130, -1270),
        (1500, -1700), (2760, -1690),
    )),
    Arterial("长征大道", "primary", (
        (-1500, 700), (-1480, 0), (-1620, -1180), (-1980, -2500), (-2250, -3640), (-2380, -4330),
        (-2500, -5400),
    ), True),
    Arterial("科技大道", "primary", (
        (1180, 720), (1080, -400), (1000, -1500), (1120, -2500), (1180, -3600), (1330, -4380),
        (1500, -5600),
    ), True),
    Arterial("解放路", "secondary", (
        (-60, 1500), (500, 1480), (1350, 1150),
    )),
    Arterial("文昌路", "secondary", (
        (-2150, 700), (-900, 560), (60, 690), (1180, 700), (2250, 600),
    )),
    Arterial("建设路", "secondary", (
        (-3450, -480), (-2600, -500), (-1550, -640), (-300, -700), (150, -690), (1080, -640),
        (3050, -620),
    )),
    Arterial("滨湖路", "secondary", (
        (-3600, 180), (-3450, -480), (-3350, -1430), (-3480, -2350), (-3500, -3250),
    )),
    Arterial("行政大道", "secondary", (
        (-4250, -2750), (-3400, -2760), (-2050, -2850), (-700, -2720), (60, -2650),
    )),
    Arterial("创业大道", "secondary", (
        (60, -2620), (1110, -2480), (2000, -2420), (2760, -2440),
    )),
    # west bank
    Arterial("西津路", "primary", (
        (-60, 1500), (-700, 1490), (-1330, 1620), (-1900, 1900), (-2700, 2350), (-3920, 2650),
        (-5300, 2600),
    ), True),
    Arterial("大学路", "secondary", (
        (-2450, 2200), (-2600, 2950), (-3100, 3850), (-3350, 4900),
    )),
    Arterial("水西大道", "secondary", (
        (-1900, 1900), (-2500, 1330), (-3300, 1000), (-4280, 1120), (-5700, 900),
    )),
    Arterial("江北路", "secondary", (
        (-1900, 1900), (-1560, 2700), (-1350, 3500), (-1500, 4900),
    )),
    # east bank
    Arterial("水东大道", "primary", (
        (-420, 4800), (250, 4100), (800, 3400), (1500, 2600), (2350, 1800), (2950, 900),
        (3560, 150), (3900, -700), (3700, -1700), (3850, -2550), (4500, -3300), (5300, -4000),
    )),
    Arterial("建国路", "secondary", (
        (960, 2180), (1200, 2440), (1560, 2650), (2300, 2760), (3300, 3250), (4300, 4000),
    )),
    Arterial("站前大道", "secondary", (
        (2350, 1800), (3200, 2050), (4250, 2150), (5500, 2350),
    )),
    Arterial("东江大道", "secondary", (
        (3250, -1230), (3830, -1210), (4750, -1330), (5800, -1750),
    )),
    # beyond the expressway
    Arterial("物流大道", "primary", (
        (-4000, -4800), (-2420, -4860), (-40, -4930), (1390, -5010), (2800, -5150),
    )),
)  # fmt: skip
FOOTBRIDGE = Arterial(
    "古浮桥", "footway", ((330, 1640), (640, 1900), (1000, 2215), (1100, 2330)), True
)

INTERCHANGES = ("长征大道", "科技大道")  # where the expressway can be left

QUARTERS: dict[str, tuple[Quarter, ...]] = {
    "古城区": (Quarter(None, 0, -150, 1700, 1500, 1.0),),
    "中山区": (Quarter(3, 240, 100, -150, 1700, 2.1), Quarter(3, 240, 900, 250, 900, 2.2)),
    "滨江新区": (
        Quarter(-6, 300, -2500, -1900, 1500, 3.4),
        Quarter(None, 0, -4650, -1250, 330, 1.8),
    ),
    "高新区": (Quarter(-3, 330, 900, -2500, 1500, 3.8), Quarter(None, 0, 2150, -3050, 300, 1.8)),
    "水西区": (
        Quarter(-27, 320, -2350, 2000, 900, 2.6),
        Quarter(-27, 320, -3100, 3300, 800, 4.0),
        Quarter(None, 0, -1780, 2250, 380, 1.5),
        Quarter(None, 0, -4700, 1500, 380, 1.8),
    ),
    "水东区": (
        Quarter(33, 280, 1700, 2500, 1300, 2.4),
        Quarter(18, 300, 3300, 1700, 1300, 4.0),
        Quarter(None, 0, 1250, 2500, 420, 1.3),
    ),
    "东江新城": (Quarter(8, 310, 4000, -900, 1300, 3.3), Quarter(None, 0, 4300, -2700, 330, 1.8)),
    "港南区": (Quarter(-4, 360, -300, -4800, 1300, 7.0),),
}


def block_size(x: float, y: float, quarters: tuple[Quarter, ...]) -> tuple[Quarter, float]:
    """Return the quarter that builds densest at a place, and its block size there in m²."""
    sizes = [q.block_ha * (1 + (np.hypot(x - q.x, y - q.y) / q.reach_m) ** 2.6) for q in quarters]
    k = int(np.argmin(sizes))
    return quarters[k], 1e4 * min(sizes[k], 60.0)
