"""What the register of sites did to a plan, in one sentence; and what was decided on a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.plan import Plan
    from planner.report.words import Words


def register_line(plan: Plan, w: Words) -> str:
    """Return how many sites were rejected, agreed, opened and kept; empty without a register."""
    told: Mapping[str, Any] = plan.summary["siting"].get("register") or {}
    if not told:
        return ""
    parts = {
        "rejected": w.t("{n} rejected, not recommended again", n=told["rejected"]),
        "agreed": w.t("{n} agreed, open first", n=told["agreed"]),
        "opened": w.t("{n} opened, count as existing stations", n=told["opened"]),
        "kept": w.t("{n} recommended again", n=told["kept"]),
        "waiting": w.t("{n} not recommended now", n=told["waiting"]),
        "unmatched": w.t("{n} no longer candidates", n=told["unmatched"]),
    }
    said = [text for name, text in parts.items() if told[name]]
    listed = ("；" if w.language == "zh" else "; ").join(said)
    return w.t("Site register {file}: {parts}.", file=told["file"], parts=listed)


def decision_line(site: Mapping[str, Any], w: Words) -> str:
    """Return a site's status, owner and note in one line; empty if it is only proposed."""
    status = str(site.get("status") or "proposed")
    written = [str(site.get(name) or "") for name in ("owner", "note")]
    if status == "proposed" and not any(written):
        return ""
    return " · ".join(filter(None, [w.sentence(w.decision(status)), *written]))
