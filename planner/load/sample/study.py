"""The sample city's `study.toml`."""

STUDY = """\
# 虔城样例：一座虚构的城市，数据全部由程序生成（python -m planner.load.sample DIR）。
# 它说明工具怎么用，不说明任何真实地方该建什么。
# 运行：planner run 本文件夹　　所有路径都相对于本文件。

[study]
name = "虔城样例"             # 印在每份成果上
language = "zh"               # 成果语言：zh | en
timezone = "Asia/Shanghai"    # 时段和开放时间按此时区
datum = "wgs84"               # 坐标：wgs84 | gcj02（高德、腾讯）| bd09（百度）
seed = 0                      # 随机种子：同样的数据和种子，得到同样的结果

[area]
file = "districts.geojson"    # 研究范围，一个面一个区

[activity]
file = "activity.parquet"     # 约六百名骑手一个工作日、一个周末日的定位点
kind = "fixes"                # fixes 定位点 | orders 订单 | stays 停留点 | counts 计数
min_stay_min = 5              # 停够几分钟才算需求
max_stay_min = 240            # 更久的多半是住处，不计

[stations]
file = "stations.xlsx"        # 现有站点，一律保留
assumed_hours = "09:00-17:00" # 台账没写开放时间的，按此假定并注明

[hosts]
file = "hosts.geojson"        # 可盘活的现有场所：社区、工会、药店、银行、商场

[streets]
file = "streets.graphml"      # 路网，按街道实距算步行时间
water = "water.geojson"       # 河湖，只画在图上
attribution = "虚构路网"      # 图上注明的路网来源

# 如果街道变了会怎样：逐项测算，规划本身仍按今天的街道；写上 adopt = true 则按变更后的街道规划
[[streets.edits]]
action = "connect"            # connect 打通一条路 | close 封路 | open 打开一道门
name = "水东汇广场后仓小门"
from = [114.946761, 25.874382] # 建国路一侧，[经度, 纬度]
to = [114.946409, 25.875196]  # 丰亭路一侧

[[streets.edits]]
action = "close"
name = "西津路封闭（含西津桥）"
street = "西津路"             # 封整条路；也可用 at = [经度, 纬度] 只封一段

[service]
mode = "walk"                 # 步行
limit_min = 15                # 15 分钟服务圈
# speed_kmh = 4.0             # 不写则按方式：步行 4.0（15 分钟 1 公里）、电动自行车 15.0

[demand]
cell_m = 150                  # 六边形网格宽度
min_workers = 10              # 隐私：不足 10 人的格子不公开

[candidates]
kinds = ["hosts", "hotspots"] # 先看可盘活的场所和热区；加上 "corners"（街角）能再多覆盖一些

[siting]
model = "mclp"                # 最大覆盖
count = 8                     # 新增几个站

[parking]
count = 20                    # 友好停车点数量

[report]
formats = ["html", "xlsx"]
"""
