"""The report: one self-contained HTML file that prints on A4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report import crowds, frontier, losses, money, nearness, robust, story, whatif
from planner.report.cells import unmet_breaks, who_is_reached
from planner.report.charts import Row, draw_changes, draw_circles
from planner.report.city_map import GLYPHS, draw_city, mark
from planner.report.crowd_sheets import demand_basis, rest_basis
from planner.report.figures import (
    best_text,
    data_text,
    read_figures,
    station_names,
    table,
)
from planner.report.goal import by_coverage_alone
from planner.report.growth import draw_frontier, draw_growth
from planner.report.method import (
    definitions,
    method_lines,
    package_rows,
    privacy_lines,
    setting_rows,
)
from planner.report.money_chart import draw_money
from planner.report.page import render_page, write_page
from planner.report.register import decision_line, register_line
from planner.report.replacements import read_replacements, replacement_line
from planner.report.robust_chart import draw_ranges
from planner.report.seating import seating_part
from planner.report.svg import EXISTING, PARKING, REACHED, SECOND, SITE, UNMET, element
from planner.report.words import Words, basis_line, data_dates, is_number, speak
from planner.siting.explanations import seeks_coverage

if TYPE_CHECKING:
    from pathlib import Path

    from markupsafe import Markup

    from planner.plan import Plan
    from planner.report.frontier import Step

_MOST_CHART_ROWS = 20


def write_report(plan: Plan, path: Path | str) -> Path:
    """Write the report of a plan, in the study's language.

    Parameters
    ----------
    plan
        A finished run; the same plan gives the same bytes.
    path
        Where to: an ``.html`` file, replaced at once if it exists. It holds style and pictures,
        asks the network for nothing and runs no script.

    Returns
    -------
    The path.
    """
    return write_page(render_report(plan), path)


def render_report(plan: Plan) -> str:
    """Return the report as HTML text."""
    w = speak(plan.settings.study.language)
    return render_page(
        "report.html", footer=data_text(plan, w), **_page_one(plan, w), **_coverage(plan, w),
        **_nearness(plan, w), **_losses(plan, w), **_edits(plan, w), **_sites(plan, w),
        **_money(plan, w), **_robust(plan, w), **seating_part(plan, w),
        **_crowds(plan, w), **_data(plan, w), t=w.t, w=w, plan=plan,
    )  # fmt: skip


# ── the parts ─────────────────────────────────────────────────────────────────────────────────


def _page_one(plan: Plan, w: Words) -> dict[str, Any]:
    f = read_figures(plan)
    head = story.headline(plan, f, w)
    return {
        "f": f,
        "headline": head,
        "basis": basis_line(plan, w),
        "circle_line": story.circle_line(f, w),
        "facts": story.four_facts(f, w),
        "bullets": story.bullets(plan, f, w),
        "silences": story.silences(plan, f, w),
        "map": draw_city(plan, w, label=head),
        "legend": _legend(plan, w),
        "unmet": _unmet(plan, w),
        "credit": _credit(plan),
        "dates": data_dates(plan.summary, w),
    }


def _coverage(plan: Plan, w: Words) -> dict[str, Any]:
    f, t = read_figures(plan), w.t
    hours = plan.settings.demand.dayparts
    any_hour = Row(t("If all were open"), "", f.before, f.after, strong=True)
    dayparts = [Row(w.daypart(s.name), w.clock(hours[s.name]), s.before, s.after)
                for s in f.dayparts]  # fmt: skip
    districts = [Row(s.name, "", s.before, s.after) for s in f.districts[:_MOST_CHART_ROWS]]
    circles: Any = ""
    if is_number(f.circle_before) and is_number(f.circle_after):
        pairs = [(t("Today"), f.before, f.circle_before or 0.0),
                 (t("Planned"), f.after, f.circle_after or 0.0)]  # fmt: skip
        circles = draw_circles(pairs, w, label=story.circles_title(f, w))
    return {
        "definitions": definitions(plan, w),
        "hours_title": story.hours_title(f, w),
        "hours_chart": draw_changes([any_hour, *dayparts], w, label=story.hours_title(f, w))
        if dayparts
        else "",
        "open_basis": basis_line(plan, w, hours=t("open for at least half of the time of day")),
        "districts_title": story.districts_title(f, w),
        "districts_chart": draw_changes(districts, w, label=story.districts_title(f, w))
        if len(districts) > 1
        else "",
        "circles_title": story.circles_title(f, w),
        "circles_chart": circles,
        "radius_line": _radius_line(plan, w),
    }


def _nearness(plan: Plan, w: Words) -> dict[str, Any]:
    """Return the minutes of all, of every time of day and of every district."""
    scopes = nearness.read_nearness(plan)
    whole = next((s for s in scopes if s.scope == "all"), None)
    if whole is None:
        return {"nearness": []}
    seats = nearness.has_seats(scopes)
    hours = plan.settings.demand.dayparts
    parts = [s for s in scopes if s.scope == "daypart"]
    districts = sorted((s for s in scopes if s.scope == "district"),
                       key=lambda s: (-(s.weight_per_day or 0.0), s.name))  # fmt: skip
    named = [(w.t("All"), "", whole)]
    named += [(w.daypart(s.name), w.clock(hours[s.name]), s) for s in parts if s.name in hours]
    named += [(s.name, "", s) for s in (districts if len(districts) > 1 else [])]
    return {
        "nearness": [
            (label, note, nearness.nearness_cells(plan, scope, w, seats=seats))
            for label, note, scope in named
        ],
        "nearness_heads": nearness.nearness_heads(w, seats=seats),
        "nearness_title": nearness.nearness_title(whole, plan, w),
        "nearness_lines": nearness.nearness_lines(whole, plan, w),
        "nearness_basis": _under(basis_line(plan, w), nearness.nearness_note(plan, w)),
    }


def _losses(plan: Plan, w: Words) -> dict[str, Any]:
    """Return who is left without a station, and what closing each station would cost."""
    after = losses.read_left_out(plan, "after")
    closures = losses.read_closures(plan, "after") or losses.read_closures(plan, "before")
    dear = [c for c in closures if not c.free]
    shown, far = losses.MOST_ROWS, nearness.horizon_min(plan)
    return {
        "left_out": [(p, losses.far_minutes(p.nearest_min, far, w)) for p in after[:shown]],
        "left_out_title": losses.left_out_title(plan, w) if losses.has_left_out(plan) else "",
        "left_out_line": losses.left_out_line(plan, w),
        "left_out_basis": _under(
            crowds.most_line(shown, len(after), w), basis_line(plan, w),
        ),
        "closures": [(c, losses.far_minutes(c.next_min, far, w)) for c in dear[:shown]],
        "closures_title": losses.closures_title(closures, w),
        "closures_line": losses.closures_line(plan, w),
        "closures_basis": _under(
            crowds.most_line(shown, len(dear), w), losses.closures_note(w), basis_line(plan, w),
        ),
    }  # fmt: skip


def _edits(plan: Plan, w: Words) -> dict[str, Any]:
    """Return what each change of the streets would do, those told at length with a sketch."""
    edits, shown = whatif.read_edits(plan), whatif.MOST_EDITS
    return {
        "edits": [
            {
                "title": whatif.edit_title(plan, e, w),
                "rows": list(whatif.edit_rows(plan, e, w)),
                "adopted": whatif.adopted_words(e, w),
                "sketch": whatif.draw_edit(plan, e, w),
                "action": whatif.action_words(e, w),
                "sign": element(
                    "svg",
                    whatif.draw_sign(closes=e.closes),
                    viewBox="-24 -24 48 48",
                    class_="mark",
                    aria_hidden="true",
                ),
            }
            for e in edits[:shown]
        ],
        "edits_line": whatif.edits_line(plan, w),
        "edits_basis": _under(crowds.most_line(shown, len(edits), w), basis_line(plan, w)),
    }


def _sites(plan: Plan, w: Words) -> dict[str, Any]:
    f, parking = read_figures(plan), table(plan, "parking")
    return {
        "sites_title": story.sites_title(f, w),
        "sites": _ranked_sites(plan, w),
        "rule_line": story.rule_line(f, w),
        "register_line": register_line(plan, w),
        **_growth(plan, w),
        "parking_title": story.parking_title(f, w),
        "parking": parking.to_dict("records") if len(parking) else [],
        "station_names": station_names(plan),
    }


def _ranked_sites(plan: Plan, w: Words) -> list[dict[str, Any]]:
    """Return the sites by rank, each with what stands behind it."""
    f, sites, behind = read_figures(plan), table(plan, "sites"), read_replacements(plan)
    if not len(sites):
        return []
    judged = seeks_coverage(plan.settings.siting)
    ranked = sites.sort_values("rank")
    return [
        {
            **row,
            "behind": replacement_line(behind.get(str(key)), f, w, judged=judged),
            "decided": decision_line(row, w),
        }
        for key, row in zip(ranked.index, ranked.to_dict("records"), strict=True)
    ]


def _growth(plan: Plan, w: Words) -> dict[str, Any]:
    """Return the chart of coverage against stations, its title and what it shows in words."""
    f = read_figures(plan)
    ranked = sorted(plan.summary["siting"]["sites"], key=lambda s: s["rank"])
    shares = [f.before, *(float(s["cumulative_share"]) for s in ranked)]
    title, steps = story.growth_title(f, w), frontier.read_frontier(plan)
    if steps:
        return _frontier(plan, shares, title, steps, w)
    best_label = (
        w.t("best possible, gathering places first {share}", share=best_text(f, w))
        if f.ruled
        else w.t("best possible with {n} sites {share}", n=f.sites, share=best_text(f, w))
    )
    chart = draw_growth(shares, w, best=f.best, best_label=best_label, label=title)
    return {"growth_title": title, "growth_chart": chart if ranked else "", "growth_line": ""}


def _frontier(
    plan: Plan, shares: list[float], proof: str, steps: list[Step], w: Words
) -> dict[str, Any]:
    """Return the same where it is known what other numbers of stations bring."""
    f, needs = read_figures(plan), frontier.read_needs(plan, steps)
    title = frontier.frontier_title(f, needs, w)
    proven = f.sites and (f.status == "optimal" or is_number(f.gap))
    lines = [
        w.t("{text}.", text=proof) if title and proven else "",
        frontier.needs_line(needs, w), _beside(plan, steps, w),
    ]  # fmt: skip
    return {
        "growth_title": title or proof,
        "growth_chart": draw_frontier(
            shares, w, steps=steps, needs=needs, ruled=f.ruled, label=title or proof
        ),
        "growth_line": ("" if w.language == "zh" else " ").join(filter(None, lines)),
    }


def _beside(plan: Plan, steps: list[Step], w: Words) -> str:
    """Return what the order of opening costs, or that the plan sought something else."""
    f = read_figures(plan)
    kept = (
        w.t("Every number of stations keeps the {k} required sites.", k=f.required)
        if f.required
        else ""
    )
    other = by_coverage_alone(plan, w)
    said = [kept, other or frontier.nesting_line(steps, w)]
    return ("" if w.language == "zh" else " ").join(filter(None, said))


def _money(plan: Plan, w: Words) -> dict[str, Any]:
    """Return the chart of coverage against money; nothing without costs."""
    f, sums, prices = read_figures(plan), money.read_money(plan), money.read_prices(plan)
    if not sums:
        return {"money_chart": ""}
    title = money.money_title(plan, prices, w)
    return {
        "money_title": title,
        "money_chart": draw_money(
            sums, w, prices=prices, spent=money.read_spent(plan), covered=f.after, label=title
        ),
        "money_line": money.prices_line(prices, w),
        "money_basis": _under(money.money_note(plan, w), basis_line(plan, w)),
    }


def _robust(plan: Plan, w: Words) -> dict[str, Any]:
    """Return how sure the plan is: days not seen, redrawn data, demand that changes, a floor."""
    f, held, known = read_figures(plan), robust.read_held_out(plan), robust.read_scenarios(plan)
    title = robust.held_title(plan, held, w) if held else robust.scenarios_title(plan, known, w)
    shown, gap = robust.MOST_ROWS, "" if w.language == "zh" else " "
    tried = [w.t("{text}.", text=robust.scenarios_title(plan, known, w))] if held and known else []
    first = [robust.held_line(held, w) if held else "", robust.stability_line(plan, w)]
    return {
        "robust_title": title,
        "robust_chart": draw_ranges(f.after, w, held=held, scenarios=known, label=title)
        if held or known
        else "",
        "robust_lines": [
            gap.join(filter(None, first)),
            gap.join([*tried, *robust.scenarios_lines(plan, known, w)]),
            robust.floor_line(plan, w),
        ],
        "scenarios": [robust.scenario_cells(plan, s, w) for s in known[:shown]],
        "scenarios_basis": _under(robust.most_line(shown, len(known), w), basis_line(plan, w)),
    }


def _crowds(plan: Plan, w: Words) -> dict[str, Any]:
    rest, spots = crowds.read_rest(plan), crowds.read_hotspots(plan)
    bare = rest.bare if rest else []
    shown = crowds.MOST_ROWS
    return {
        "rest": rest,
        "rest_title": crowds.rest_title(rest, w) if rest else "",
        "rest_line": crowds.rest_line(rest, w) if rest else "",
        "gatherings": bare[:shown],
        "rest_basis": _under(crowds.most_line(shown, len(bare), w), rest_basis(plan, w)),
        "hotspots": spots[:shown],
        "hotspots_title": crowds.hotspots_title(spots, w),
        "demand_line": crowds.demand_line(plan, w),
        "hotspots_basis": _under(crowds.most_line(shown, len(spots), w), demand_basis(plan, w)),
    }


def _under(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _data(plan: Plan, w: Words) -> dict[str, Any]:
    return {
        "inputs_title": story.inputs_title(plan, w),
        "inputs": plan.summary["inputs"],
        "activity": plan.summary.get("activity") or {},
        "privacy": privacy_lines(plan, w),
        "method": method_lines(plan, w),
        "setting_rows": setting_rows(plan.settings),
        "packages": package_rows(plan),
        "generated": plan.summary.get("generated"),
    }


# ── what stands around the map ────────────────────────────────────────────────────────────────


def _legend(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return the marks that are on the map and what they mean; the first are the answer."""
    t, stations = w.t, table(plan, "stations")
    rows = [("site", t("recommended station, by rank"))] if len(table(plan, "sites")) else []
    kinds = list(dict.fromkeys(map(str, stations["kind"]))) if len(stations) else []
    plain = [k for k in kinds if k not in GLYPHS]
    named = [(k, w.kind(k)) for k in GLYPHS if k in kinds]
    if plain:
        rows.append((plain[0], t("existing station")))
    rows += named
    if len(table(plan, "parking")):
        rows.append(("bays", t("friendly parking, bays")))
    reached = who_is_reached(plan)
    if reached.today.any():
        rows.append(("reached", t("reached today")))
    if (reached.planned & ~reached.today).any():
        rows.append(("gained", t("gained by the plan")))
    return [(_swatch(key), said) for key, said in rows]


def _swatch(key: str) -> Markup:
    """Draw the legend's little picture of a mark, in the map's own units."""
    number = {"fill": "#FFF", "font_weight": 700, "text_anchor": "middle"}
    cell = {"x": -16, "y": -12, "width": 32, "height": 24}
    if key == "site":
        inside = [element("circle", cx=0, cy=0, r=17, fill=SITE),
                  element("text", "1", x=0, y=8, font_size=22, **number)]  # fmt: skip
    elif key == "bays":
        inside = [element("rect", x=-15, y=-15, width=30, height=30, rx=6, fill=PARKING),
                  element("text", "8", x=0, y=7.5, font_size=21, **number)]  # fmt: skip
    elif key == "reached":
        inside = [element("rect", fill=REACHED, **cell)]
    elif key == "gained":
        inside = [element("rect", fill="url(#gained)", **cell)]
    else:
        inside = [element("g", mark(key, 0, 0), fill=EXISTING)]
    return element("svg", *inside, viewBox="-18 -18 36 36", class_="mark", aria_hidden="true")


def _unmet(plan: Plan, w: Words) -> Markup | str:
    """Draw the purple scale: its colours, and the rider-visits a day between them."""
    reached = who_is_reached(plan)
    weight = table(plan, "demand")["weight_per_day"].to_numpy(dtype=float)
    if not (~reached.planned).any():
        return ""
    breaks = unmet_breaks(weight[~reached.today])
    parts = [element("rect", x=44 * k, y=18, width=44, height=14, fill=colour)
             for k, colour in enumerate(UNMET)]  # fmt: skip
    parts += [
        element("text", w.number(value), x=44 * (k + 1), y=13, font_size=14, fill=SECOND,
                text_anchor="middle")
        for k, value in enumerate(breaks)
    ]  # fmt: skip
    return element("svg", *parts, viewBox="0 0 220 32", class_="scale", aria_hidden="true")


def _credit(plan: Plan) -> str:
    """Say whom the streets are owed to."""
    return str(table(plan, "streets").attrs.get("attribution", ""))


def _radius_line(plan: Plan, w: Words) -> str:
    service = plan.settings.service
    radius = service.limit_min * service.circle_kmh * 1000.0 / 60.0
    return w.t(
        "circles of {m} m: {limit} min at {v} km/h as the crow flies",
        m=w.metres(radius), limit=f"{service.limit_min:g}", v=f"{service.circle_kmh:g}",
    )  # fmt: skip
