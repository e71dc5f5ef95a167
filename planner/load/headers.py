"""Which column is which: the headers that people use, in Chinese and English."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from planner.errors import ColumnError, SettingsError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_PLACE: dict[str, tuple[str, ...]] = {
    "lon": (
        "lon", "lng", "long", "longitude", "经度", "gps经度", "东经", "经度坐标", "位置经度",
        "x坐标",
        "坐标x", "wgs84经度", "gcj02经度", "bd09经度", "lonwgs84", "lngwgs84", "lnggcj02", "gpslng",
        "gpslon", "longitudedeg", "x",
    ),
    "lat": (
        "lat", "latitude", "纬度", "gps纬度", "北纬", "纬度坐标", "位置纬度", "y坐标", "坐标y",
        "wgs84纬度", "gcj02纬度", "bd09纬度", "latwgs84", "latgcj02", "gpslat", "latitudedeg", "y",
    ),
    "lonlat": (
        "lonlat", "lnglat", "经纬度", "坐标", "位置坐标", "gps坐标", "地理坐标", "经纬度坐标",
        "coordinates", "coordinate", "coords", "location", "geometry", "geom", "wkt", "point",
        "定位",
    ),
    "latlon": ("latlon", "latlng", "纬经度", "纬度经度"),
}  # fmt: skip
_RIDER = (
    "rider_id", "rider", "骑手编号", "骑手id", "骑手", "骑手工号", "骑手号", "courier_id",
    "courier",
    "快递员编号", "快递员", "worker_id", "worker", "driver_id", "driver", "司机编号", "司机id",
    "司机",
    "user_id", "uid", "user", "用户编号", "用户id", "人员编号", "工号", "员工编号", "device_id",
    "设备号", "设备编号", "终端号", "vehicle_id", "车辆编号", "车牌号", "车牌", "taxi_id",
    "track_id",
    "trajectory_id", "轨迹编号", "person_id", "agent_id",
)  # fmt: skip
_WORKER_TYPE = (
    "worker_type", "rider_type", "骑手类型", "人员类型", "职业", "职业类型", "群体", "业态",
    "从业类型",
    "类型", "类别", "type", "occupation", "job",
)  # fmt: skip

# table → our name → the file's headers, most telling first. Case, spaces, `_`, `-` and what stands
# in brackets do not matter.
HEADERS: dict[str, dict[str, tuple[str, ...]]] = {
    "districts": {
        "district_id": (
            "district_id", "adcode", "区划代码", "行政区划代码", "行政区代码", "代码", "编码",
            "区县代码", "gb", "pac", "code", "编号", "area_id", "id", "osm_id", "objectid", "序号",
        ),
        "name_en": ("name_en", "english_name", "english", "英文名", "英文名称", "nameen", "ename"),
        "name": (
            "name", "名称", "区县名称", "行政区名称", "行政区", "区县", "区名", "区名称", "辖区",
            "所属区", "街道名称", "街道", "乡镇", "镇街", "片区", "网格", "网格名称", "district",
            "district_name", "county", "qh", "qhmc", "xzqmc", "mc", "title", "nome", "nimi", "区",
            "name_3", "name_2", "city",
        ),
        "wkt": ("wkt", "geometry", "geom", "the_geom", "边界", "范围", "多边形"),
    },
    "stations": {
        "station_id": (
            "station_id", "驿站编号", "站点编号", "站点id", "驿站id", "编号", "站点代码", "站号",
            "编码", "代码", "id", "code", "stand_id", "no", "序号", "osm_id",
        ),
        "name": (
            "name", "名称", "驿站名称", "站点名称", "服务站名称", "站名", "站点", "驿站",
            "点位名称",
            "场所名称", "单位名称", "机构名称", "商户名称", "店名", "门店名称", "station_name",
            "station", "title", "descricao", "description", "nome", "名字",
        ),
        "kind": (
            "kind", "类型", "类别", "站点类型", "驿站类型", "设施类型", "种类", "站点类别", "性质",
            "station_type", "type", "category", "facility_type",
        ),
        "services": (
            "services", "服务", "服务项目", "服务内容", "服务设施", "配套服务", "提供服务", "设施",
            "配套设施", "功能", "service", "amenities", "facilities", "设施设备",
        ),
        "hours": (
            "hours", "营业时间", "开放时间", "服务时间", "开放时段", "营业时段", "运营时间", "时间",
            "opening_hours", "business_hours", "open_hours", "opening_times",
        ),
        "opens": (
            "opens", "open_time", "opening_time", "开门时间", "开放开始", "开始时间",
            "营业开始时间",
            "open", "start",
        ),
        "closes": (
            "closes", "close_time", "closing_time", "关门时间", "开放结束", "结束时间",
            "营业结束时间",
            "close", "end",
        ),
        "capacity": (
            "capacity", "容量", "座位数", "座位", "座席", "可容纳人数", "容纳人数", "席位",
            "接待能力",
            "seats", "places", "车位数", "车位",
        ),
        # One column a service, ticked.
        "has_rest": ("休息", "休息区", "rest"),
        "has_water": ("饮水", "热水", "饮用水", "water"),
        "has_charging": ("充电", "手机充电", "charging"),
        "has_wifi": ("wifi", "无线网络"),
        "has_books": ("图书", "阅读", "books"),
        "has_toilet": ("厕所", "卫生间", "toilet"),
        "has_hot_meals": ("微波炉", "热饭", "microwave"),
        "has_first_aid": ("急救", "药箱", "急救箱", "firstaid"),
        "has_air_conditioning": ("空调", "airconditioning"),
        **_PLACE,
    },
    "hosts": {
        "host_id": (
            "host_id", "场所编号", "编号", "编码", "代码", "id", "code", "no", "序号", "osm_id",
        ),
        "name": (
            "name", "名称", "场所名称", "单位名称", "机构名称", "商户名称", "店名", "门店名称",
            "阵地名称", "点位名称", "host_name", "host", "title", "description", "名字",
        ),
        "kind": (
            "kind", "类型", "类别", "场所类型", "种类", "性质", "单位类型", "场所类别", "type",
            "category", "host_type", "amenity", "shop",
        ),
        "hours": (
            "hours", "营业时间", "开放时间", "服务时间", "开放时段", "运营时间", "时间",
            "opening_hours", "business_hours", "open_hours",
        ),
        "opens": ("opens", "open_time", "opening_time", "开门时间", "开始时间", "open", "start"),
        "closes": ("closes", "close_time", "closing_time", "关门时间", "结束时间", "close", "end"),
        **_PLACE,
    },
    "register": {
        "candidate_id": (
            "candidate_id", "候选点编号", "候选编号", "候选点", "candidate_no", "candidate",
            "host_id", "场所编号",
        ),
        "site_id": ("site_id", "编号", "站点编号", "site_no", "site"),
        "name": (
            "name", "名称", "站点名称", "驿站名称", "点位名称", "场所名称", "单位名称", "site_name",
            "title", "名字",
        ),
        "host_name": ("host_name", "依托场所", "场所", "host", "premises"),
        "status": (
            "status", "状态", "站点状态", "办理状态", "进展", "进度", "site_status", "state",
            "progress",
        ),
        "owner": (
            "owner", "负责人", "责任人", "责任单位", "负责单位", "牵头单位", "责任部门", "联系人",
            "responsible", "in_charge", "contact",
        ),
        "note": (
            "note", "备注", "说明", "踏勘记录", "意见", "notes", "remark", "remarks", "comment",
            "comments",
        ),
        "hours": (
            "hours", "营业时间", "开放时间", "服务时间", "开放时段", "运营时间", "opening_hours",
            "business_hours", "open_hours",
        ),
        "opens": ("opens", "open_time", "opening_time", "开门时间"),
        "closes": ("closes", "close_time", "closing_time", "关门时间"),
        "capacity": (
            "capacity", "capacity, seats", "容量，座", "座位数", "座位", "容量", "可容纳人数",
            "席位", "seats", "places",
        ),
        **_PLACE,
    },
    "fixes": {
        "rider_id": _RIDER,
        "worker_type": _WORKER_TYPE,
        "time": (
            "time", "timestamp", "时间", "定位时间", "上报时间", "采集时间", "gps时间", "时间戳",
            "datetime", "date_time", "gps_time", "record_time", "loc_time", "recorded_at", "ts",
            "t",
        ),
        "date": ("date", "日期", "day"),
        "polyline": ("polyline", "轨迹", "trajectory"),
        **_PLACE,
        "accept_time": ("accept_gps_time",),
        "accept_lon": ("accept_gps_lng",),
        "accept_lat": ("accept_gps_lat",),
        "pickup_time": ("pickup_gps_time",),
        "pickup_lon": ("pickup_gps_lng",),
        "pickup_lat": ("pickup_gps_lat",),
    },
    "orders": {
        "order_id": ("order_id", "订单编号", "订单号", "订单id", "运单号", "waybill_id", "order",
        "id"),
        "rider_id": _RIDER,
        "worker_type": _WORKER_TYPE,
        "pickup_time": (
            "pickup_time", "取餐时间", "取货时间", "取件时间", "fetch_time", "picked_up_at",
            "到店时间", "揽收时间", "pickup_datetime", "time_order_picked",
        ),
        "dropoff_time": (
            "dropoff_time", "送达时间", "完成时间", "签收时间", "delivery_time", "arrive_time",
            "delivered_at", "dropoff_datetime", "delivered_time",
        ),
        "order_time": (
            "order_time", "下单时间", "timestamp", "created_at", "platform_order_time",
            "time_orderd", "time_ordered", "时间", "time", "order_date", "datetime",
        ),
        "accept_time": ("accept_time", "接单时间", "抢单时间", "grab_time", "accepted_at"),
        "date": ("date", "日期", "day", "订单日期", "下单日期", "order_date", "dt"),
        "taken_on": ("taken_on", "is_courier_grabbed", "是否接单"),
        "polyline": ("polyline", "轨迹", "trajectory"),
        "delivery_min": ("delivery_min", "actual_delivery_minutes", "配送时长", "配送分钟"),
        "pickup_lon": (
            "pickup_lon", "pickup_lng", "pickup_longitude", "venue_long", "venue_lon", "venue_lng",
            "sender_lng", "sender_lon", "取餐经度", "取货经度", "取件经度", "商家经度", "商户经度",
            "店铺经度", "restaurant_longitude", "restaurant_lng", "store_lng", "起点经度", "o_lng",
        ),
        "pickup_lat": (
            "pickup_lat", "pickup_latitude", "venue_lat", "sender_lat", "取餐纬度", "取货纬度",
            "取件纬度", "商家纬度", "商户纬度", "店铺纬度", "restaurant_latitude", "restaurant_lat",
            "store_lat", "起点纬度", "o_lat",
        ),
        "dropoff_lon": (
            "dropoff_lon", "dropoff_lng", "dropoff_longitude", "user_long", "user_lon", "user_lng",
            "recipient_lng", "recipient_lon", "收货经度", "送达经度", "送货经度", "顾客经度",
            "客户经度", "用户经度", "delivery_location_longitude", "customer_lng", "delivery_lng",
            "终点经度", "d_lng",
        ),
        "dropoff_lat": (
            "dropoff_lat", "dropoff_latitude", "user_lat", "recipient_lat", "收货纬度", "送达纬度",
            "送货纬度", "顾客纬度", "客户纬度", "用户纬度", "delivery_location_latitude",
            "customer_lat", "delivery_lat", "终点纬度", "d_lat",
        ),
        "pickup_lonlat": ("pickup", "取餐坐标", "取货坐标", "商家坐标", "起点坐标", "商家经纬度"),
        "pickup_latlon": (),
        "dropoff_latlon": (),
        "lon": _PLACE["lon"],
        "lat": _PLACE["lat"],
        "dropoff_lonlat": ("dropoff", "送达坐标", "收货坐标", "顾客坐标", "终点坐标", "顾客经纬度"),
    },
    "stays": {
        "rider_id": _RIDER,
        "worker_type": _WORKER_TYPE,
        "arrive": (
            "arrive", "arrive_time", "arrival", "arrival_time", "到达时间", "开始时间",
            "停留开始时间",
            "start", "start_time", "started_at", "time", "时间",
        ),
        "leave": (
            "leave", "leave_time", "departure", "departure_time", "离开时间", "结束时间",
            "停留结束时间", "end", "end_time", "finished_at",
        ),
        "stay_min": (
            "stay_min", "停留分钟", "停留时长", "时长", "duration_min", "duration_minutes",
            "minutes",
        ),
        **_PLACE,
    },
    "counts": {
        "weight_per_day": (
            "weight_per_day", "weight", "日均人次", "日均停留", "日均次数", "人次", "次数", "数量",
            "visits_per_day", "visits", "count", "counts", "demand", "需求量", "权重", "热力值",
        ),
        "workers": (
            "workers", "人数", "骑手数", "骑手人数", "去重人数", "n_workers", "riders",
            "unique_riders",
        ),
        **_PLACE,
    },
}  # fmt: skip


def plain_header(header: str) -> str:
    """Return a header without case, width, spaces, punctuation and bracketed remarks.

    Examples
    --------
    >>> plain_header("Rider_ID"), plain_header("经度（GCJ-02）"), plain_header(" 取餐 时间 ")
    ('riderid', '经度', '取餐时间')
    """
    text = unicodedata.normalize("NFKC", header).lower()
    bare = re.sub(r"[(\[【{].*?[)\]】}]", "", text)
    return re.sub(r"[\W_]+", "", bare) or re.sub(r"[\W_]+", "", text)


_PLAIN = {
    table: {field: [plain_header(h) for h in headers] for field, headers in fields.items()}
    for table, fields in HEADERS.items()
}


def pick_columns(
    headers: Sequence[str],
    table: str,
    columns: Mapping[str, str] | None = None,
    *,
    file: Path | None = None,
) -> dict[str, str]:
    """Return which of a file's columns is which of ours.

    Parameters
    ----------
    headers
        The file's column names.
    table
        A key of `HEADERS`.
    columns
        Our name → the file's, where the caller knows better; it wins over `HEADERS`.
    file
        For the message.

    Returns
    -------
    Our name → the file's; only what was found. No column is used twice.

    Raises
    ------
    SettingsError
        `columns` names a field we do not have.
    ColumnError
        `columns` names a column that the file does not have.

    Examples
    --------
    >>> pick_columns(["编号", "经度", "纬度", "驿站名称"], "stations")
    {'station_id': '编号', 'name': '驿站名称', 'lon': '经度', 'lat': '纬度'}
    """
    fields = _PLAIN[table]
    picked: dict[str, str] = {}
    for field, header in (columns or {}).items():
        if field not in fields:
            hint = nearest_name(field, fields) or f" Known: {', '.join(fields)}."
            raise SettingsError(f"`columns` names `{field}`, which `{table}` does not have.{hint}")
        picked[field] = _named_column(headers, field, header, file)
    used = set(picked.values())
    by_plain: dict[str, str] = {}
    for header in headers:
        by_plain.setdefault(plain_header(header), header)
    for field, known in fields.items():
        if field in picked:
            continue
        found = [by_plain[k] for k in known if k in by_plain and by_plain[k] not in used]
        if found:
            picked[field] = found[0]
            used.add(found[0])
    return {field: picked[field] for field in fields if field in picked}


def _named_column(headers: Sequence[str], field: str, header: str, file: Path | None) -> str:
    for candidate in headers:
        if candidate == header or plain_header(candidate) == plain_header(header):
            return candidate
    raise ColumnError(
        f"`columns` says that `{field}` is `{header}`, but there is no such column. It has "
        f"{_listing(headers)}.{nearest_name(header, headers)}",
        file=file,
    )


def missing_column(
    fields: Iterable[str], headers: Sequence[str], table: str, *, file: Path | None = None
) -> ColumnError:
    """Return the error for columns that were not found, with what there is and what might be it."""
    fields = list(fields)
    maybe = list(dict.fromkeys(h for f in fields for h in _alike(f, headers, table)))
    guess = f" Might be: {_listing(maybe)}." if maybe else ""
    keys = ", ".join(f'{f} = "{(maybe or ["…"])[0]}"' for f in fields[:1])
    needs = f"`{table}` needs {' and '.join(f'`{f}`' for f in fields)}, and no column is known as"
    if sum(_is_number(h) for h in headers) > 1:
        return ColumnError(
            f"{needs} that: the row where headers should be holds numbers. Write the columns' "
            "names above the first row.",
            file=file,
        )
    return ColumnError(
        f"{needs} that. The file has {_listing(headers)}.{guess} Name it: columns = {{ {keys} }}.",
        file=file,
    )


def _is_number(header: str) -> bool:
    """Tell whether a header is a number with decimals or many digits: a value, not a name."""
    return re.fullmatch(r"[+-]?\d+\.\d+|\d{8,}", header.strip()) is not None


def _alike(field: str, headers: Sequence[str], table: str) -> list[str]:
    """Headers that look like a known one: half the letters agree, or one holds the other."""
    scored: list[tuple[float, str]] = []
    for header in headers:
        plain = plain_header(header)
        scores = [
            0.9 if min(len(k), len(plain)) > 1 and (k in plain or plain in k) else
            SequenceMatcher(None, plain, k).ratio()
            for k in [plain_header(field), *_PLAIN[table][field]]
        ]  # fmt: skip
        if plain and max(scores) >= 0.6:
            scored.append((-max(scores), header))
    return [header for _, header in sorted(scored)[:3]]


def _listing(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(f"`{n}`" for n in names[:30]) or "nothing"
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown
